// What the engines share: both worlds, the writer, and how tenants are told.
// It is put together in syncer.ts.

import type { ConfigMap, Node, PersistentVolumeClaim, Pod, Secret, Service } from '../api/models.ts'
import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import type { Recorder } from '../client/recorder.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { HostWriter } from './host-writer.ts'
import { type Identity, identityOf } from './owner.ts'
import type { TranslationContext } from './translators/translation.ts'

/** An object that was removed in the plane and may have a copy on the host. */
export type Tombstone = AnyObject & {
  readonly spec: {
    readonly group: string
    readonly resource: string
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly revision: number
  }
}

export const tombstones: ResourceRef<Tombstone> = {
  group: 'k3v.dev',
  version: 'v1',
  resource: 'tombstones',
  isNamespaced: false,
}

/** Copies of what sync looks at, on both sides. */
export interface World {
  readonly virtual: {
    readonly pods: Informer<Pod>
    readonly services: Informer<Service>
    readonly configMaps: Informer<ConfigMap>
    readonly secrets: Informer<Secret>
    readonly claims: Informer<PersistentVolumeClaim>
    readonly nodes: Informer<Node>
    readonly tombstones: Informer<Tombstone>
  }
  /** Only what carries this plane's label. */
  readonly host: {
    readonly pods: Informer<Pod>
    readonly services: Informer<Service>
    readonly configMaps: Informer<ConfigMap>
    readonly secrets: Informer<Secret>
    readonly claims: Informer<PersistentVolumeClaim>
  }
}

export interface SyncContext {
  readonly world: World
  readonly virtual: Client
  readonly writer: HostWriter
  readonly recorder: Recorder
  /** Asked anew for each translation. */
  readonly translation: () => TranslationContext
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** False when what is absent proves nothing: the store or the host is not the one that was known. */
  readonly trustsAbsence: () => boolean
}

/** The virtual key that a host object is the copy of, if it is one of this kind. */
export function virtualKeys(
  planeUid: string,
  group: string,
  kind: string,
): (version: { readonly object: AnyObject }) => readonly string[] {
  return ({ object }) => {
    const identity = identityOf(object, planeUid)
    if (identity === undefined || identity.kind !== kind || identity.group !== group) return []
    return [`${identity.namespace}/${identity.name}`]
  }
}

export const identityFor = (kind: string, { metadata }: AnyObject): Identity => ({
  group: '',
  kind,
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
  uid: metadata.uid ?? '',
})
