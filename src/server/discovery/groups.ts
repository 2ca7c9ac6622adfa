// Groups and versions in upstream's order: what `kubectl api-versions` shows first, and which version is preferred.
// Upstream: the priorities of cmd/kube-apiserver/app/aggregator.go and pkg/controlplane/apiserver/aggregator.go.

import type { Kind } from '../../kinds/kind.ts'

const groupPriorities: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'admissionregistration.k8s.io': 16700,
  'apiextensions.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'resource.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'internal.apiserver.k8s.io': 16000,
  'storagemigration.k8s.io': 15800,
}
const customGroupPriority = 1000

export interface ServedGroup {
  readonly group: string
  /** The preferred one first. */
  readonly versions: readonly ServedVersion[]
}

export interface ServedVersion {
  readonly version: string
  /** By resource name. */
  readonly kinds: readonly Kind[]
}

/** The kinds by group and version, core first. */
export function groupsOf(kinds: readonly Kind[]): readonly ServedGroup[] {
  const groups = new Map<string, Map<string, Kind[]>>()
  for (const kind of kinds) {
    const versions = groups.get(kind.group) ?? new Map<string, Kind[]>()
    const served = versions.get(kind.version) ?? []
    served.push(kind)
    versions.set(kind.version, served)
    groups.set(kind.group, versions)
  }
  return [...groups]
    .map(([group, versions]) => ({ group, versions: sortedVersions(versions) }))
    .sort(compareGroups)
}

function sortedVersions(versions: ReadonlyMap<string, readonly Kind[]>): readonly ServedVersion[] {
  return [...versions]
    .map(([version, kinds]) => ({
      version,
      kinds: [...kinds].sort((one, other) => compareText(one.plural, other.plural)),
    }))
    .sort((one, other) => compareVersions(one.version, other.version))
}

function compareGroups(one: ServedGroup, other: ServedGroup): number {
  return priorityOf(other) - priorityOf(one) || compareText(serviceName(one), serviceName(other))
}

const priorityOf = ({ group }: ServedGroup): number => groupPriorities[group] ?? customGroupPriority

// Upstream sorts by the name of the first API service, which starts with the version.
const serviceName = ({ group, versions }: ServedGroup): string =>
  `${versions.map(({ version }) => version).sort(compareText)[0]}.${group}`

const compareText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

const stages = ['alpha', 'beta', '']

/** Released before beta before alpha, newer first; texts that are no versions come last, by name. */
export function compareVersions(one: string, other: string): number {
  const left = parseVersion(one)
  const right = parseVersion(other)
  if (left === undefined || right === undefined) {
    if (left === undefined && right === undefined) return compareText(one, other)
    return left === undefined ? 1 : -1
  }
  return right.stage - left.stage || right.major - left.major || right.minor - left.minor
}

function parseVersion(text: string): { stage: number; major: number; minor: number } | undefined {
  const match = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/.exec(text)
  if (match === null) return undefined
  return { stage: stages.indexOf(match[2] ?? ''), major: Number(match[1]), minor: Number(match[3] ?? '0') }
}
