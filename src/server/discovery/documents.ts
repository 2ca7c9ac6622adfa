// The discovery documents as plain data: the old lists, one a group version, and the aggregated form.
// Negotiation, caching and paths are discovery.ts's.

import { apiVersionOf } from '../../api/object.ts'
import type { Kind, Subresource } from '../../kinds/kind.ts'
import type { ServedGroup, ServedVersion } from './groups.ts'

/** `/api`. */
export function apiVersions(groups: readonly ServedGroup[]): object {
  const core = groups.find(({ group }) => group === '')
  return {
    kind: 'APIVersions',
    versions: core?.versions.map(({ version }) => version) ?? [],
    serverAddressByClientCIDRs: [],
  }
}

/** `/apis`. */
export function groupList(groups: readonly ServedGroup[]): object {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.filter(({ group }) => group !== '').map(groupEntry),
  }
}

/** `/apis/G`. */
export function groupDocument(group: ServedGroup): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group) }
}

function groupEntry({ group, versions }: ServedGroup): object {
  const entries = versions.map(({ version }) => ({ groupVersion: apiVersionOf({ group, version }), version }))
  return { name: group, versions: entries, preferredVersion: entries[0] }
}

/** `/api/v1`, `/apis/G/V`. */
export function resourceList(group: string, { version, kinds }: ServedVersion): object {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [
      resourceEntry(kind),
      ...sorted(kind.subresources).map((subresource) => subresourceEntry(kind, subresource)),
    ]),
  }
}

function resourceEntry(kind: Kind): object {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.isNamespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.storageVersionHash === undefined ? {} : { storageVersionHash: kind.storageVersionHash }),
  }
}

function subresourceEntry(kind: Kind, { name, speaks, verbs }: Subresource): object {
  return {
    name: `${kind.plural}/${name}`,
    singularName: '',
    namespaced: kind.isNamespaced,
    ...(speaks === undefined ? {} : { group: speaks.group, version: speaks.version }),
    kind: speaks?.kind ?? kind.kind,
    verbs: [...verbs].sort(),
  }
}

/** `/api` holds the core group alone, `/apis` all others. */
export function aggregated(groups: readonly ServedGroup[]): object {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(item),
  }
}

function item({ group, versions }: ServedGroup): object {
  return {
    metadata: group === '' ? {} : { name: group },
    versions: versions.map(({ version, kinds }) => ({
      version,
      resources: kinds.map(aggregatedResource),
      freshness: 'Current',
    })),
  }
}

function aggregatedResource(kind: Kind): object {
  const { group, version } = kind
  const subresources = sorted(kind.subresources).map(({ name, speaks, verbs }) => ({
    subresource: name,
    responseKind: speaks ?? { group, version, kind: kind.kind },
    verbs: [...verbs].sort(),
  }))
  return {
    resource: kind.plural,
    responseKind: { group, version, kind: kind.kind },
    scope: kind.isNamespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  }
}

const sorted = (subresources: readonly Subresource[]): readonly Subresource[] =>
  [...subresources].sort((one, other) => (one.name < other.name ? -1 : 1))
