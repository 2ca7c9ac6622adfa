// The kinds that are mirrored: when each needs a copy, and what of the copy is kept.
// How a mirror works is mirror.ts's.

import type { ConfigMap, PersistentVolumeClaim, Pod, Secret, Service, ServiceSpec } from '../api/models.ts'
import { isConflict, isNotFound } from '../client/failures.ts'
import { configMaps, persistentVolumeClaims, secrets, services } from '../client/resources.ts'
import type { SyncContext } from './context.ts'
import { isSameJson } from './equal.ts'
import type { MirrorKind } from './mirror.ts'
import { hasEnded, referencesOf } from './references.ts'
import { toHostClaim, toVirtualClaimStatus } from './translators/claim.ts'
import { toHostConfigMap } from './translators/config-map.ts'
import { toHostSecret } from './translators/secret.ts'
import { isSyncedService, serviceSpecRules, toHostService } from './translators/service.ts'

/** Index names on the pods of both sides. */
export const readsConfigMap = 'reads config map'
export const readsSecret = 'reads secret'

/** What a pod reads while it has not ended, as `namespace/name`. */
export function podIndexes() {
  const valuesOf =
    (field: 'configMaps' | 'secrets') =>
    ({ object }: { readonly object: Pod }) =>
      hasEnded(object)
        ? []
        : referencesOf(object)[field].map((name) => `${object.metadata.namespace}/${name}`)
  return { [readsConfigMap]: valuesOf('configMaps'), [readsSecret]: valuesOf('secrets') }
}

type Named = {
  readonly metadata: { readonly namespace?: string | undefined; readonly name?: string | undefined }
}

const keyOf = ({ metadata }: Named): string => `${metadata.namespace}/${metadata.name}`

export function mirroredConfigMaps({ world }: SyncContext): MirrorKind<ConfigMap> {
  return {
    kind: 'ConfigMap',
    resource: configMaps,
    virtual: world.virtual.configMaps,
    host: world.host.configMaps,
    isWanted: (virtual) => world.virtual.pods.versionsByIndex(readsConfigMap, keyOf(virtual)).length > 0,
    mayRemove: (host) => world.host.pods.versionsByIndex(readsConfigMap, keyOf(host)).length === 0,
    toHost: toHostConfigMap,
    merge: (current, desired) => {
      const { data: _, binaryData: __, ...rest } = current
      return {
        ...rest,
        ...mapField('data', current.data, desired.data),
        ...mapField('binaryData', current.binaryData, desired.binaryData),
      }
    },
  }
}

type Data = Readonly<Record<string, string>> | undefined

/** An empty map is as good as none: servers differ in what they store. */
function mapField(
  field: 'binaryData' | 'data',
  current: Data,
  desired: Data,
): { readonly [field: string]: Data } {
  const isEmpty = (map: Data): boolean => map === undefined || Object.keys(map).length === 0
  const value = isEmpty(desired) ? (isEmpty(current) ? current : undefined) : desired
  return value === undefined ? {} : { [field]: value }
}

export function mirroredSecrets({ world }: SyncContext): MirrorKind<Secret> {
  return {
    kind: 'Secret',
    resource: secrets,
    virtual: world.virtual.secrets,
    host: world.host.secrets,
    isWanted: (virtual) => world.virtual.pods.versionsByIndex(readsSecret, keyOf(virtual)).length > 0,
    mayRemove: (host) => world.host.pods.versionsByIndex(readsSecret, keyOf(host)).length === 0,
    toHost: toHostSecret,
    merge: (current, desired) => {
      const { data: _, ...rest } = current
      return { ...rest, ...mapField('data', current.data, desired.data) }
    },
  }
}

export function mirroredServices({ world }: SyncContext): MirrorKind<Service> {
  return {
    kind: 'Service',
    resource: services,
    virtual: world.virtual.services,
    host: world.host.services,
    isWanted: isSyncedService,
    mayRemove: () => true,
    toHost: toHostService,
    merge: (current, desired) => ({
      ...current,
      spec: mergeServiceSpec(current.spec ?? {}, desired.spec ?? {}),
    }),
  }
}

/** What the host gave stays: addresses, families and fields that its own version knows. The rest is the tenant's. */
export function mergeServiceSpec(current: ServiceSpec, desired: ServiceSpec): ServiceSpec {
  const ours: readonly string[] = [...serviceSpecRules.copied, 'ports', 'selector', 'type']
  const given = Object.entries(current).filter(([field]) => !ours.includes(field))
  return { ...Object.fromEntries(given), ...desired }
}

export function mirroredClaims({ world, virtual: client }: SyncContext): MirrorKind<PersistentVolumeClaim> {
  return {
    kind: 'PersistentVolumeClaim',
    resource: persistentVolumeClaims,
    virtual: world.virtual.claims,
    host: world.host.claims,
    isWanted: () => true,
    mayRemove: () => false,
    toHost: toHostClaim,
    // Only the size of a claim may change.
    merge: (current, desired) => ({
      ...current,
      spec: { ...current.spec, resources: desired.spec?.resources },
    }),
    toVirtual: async (host, virtual) => {
      const status = toVirtualClaimStatus(host)
      if (isSameJson(status, virtual.status ?? {})) return
      try {
        await client.updateStatus(persistentVolumeClaims, { ...virtual, status })
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error
      }
    },
  }
}
