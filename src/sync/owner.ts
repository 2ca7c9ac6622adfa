// The marks by which sync knows its own objects on the host, and the proof that one is its own.
// Names are names.ts's; writing is host-writer.ts's.

import type { ObjectMeta, OwnerReference } from '../api/object.ts'
import type { AnyObject } from '../client/client.ts'
import { hostName } from './names.ts'

export const planeLabel = 'k3v.dev/plane'
export const namespaceLabel = 'k3v.dev/namespace'
export const objectAnnotation = 'k3v.dev/object'
export const uidAnnotation = 'k3v.dev/uid'
/** A digest of what was translated: the copy is written again when the translation changes, not when a host's
 * webhook changes the copy. */
export const digestAnnotation = 'k3v.dev/digest'

/** Labels and annotations that sync alone writes: on an update they are replaced, everyone else's stay. */
export function isOwnKey(key: string): boolean {
  return /^(expose|tenant)\.k3v\.dev\//.test(key) || ownKeys.has(key)
}

const ownKeys: ReadonlySet<string> = new Set(
  [
    ...['plane', 'namespace', 'object', 'uid', 'digest', 'renew-at', 'tokens'],
    ...['name', 'pod-uid', 'service-account', 'labels', 'annotations'],
  ].map((key) => `k3v.dev/${key}`),
)

/** Which virtual object a host object belongs to. */
export interface Identity {
  readonly group: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface Owner {
  readonly planeUid: string
  readonly hostNamespace: string
  /** The release's root ConfigMap: when it goes, the host's garbage collector takes the rest. */
  readonly root?: { readonly name: string; readonly uid: string } | undefined
}

/** The metadata of a host object: nothing of the tenant's but what is passed in. */
export function ownedMetadata(
  owner: Owner,
  identity: Identity,
  extra: {
    readonly labels?: Readonly<Record<string, string>> | undefined
    readonly annotations?: Readonly<Record<string, string>> | undefined
  } = {},
): ObjectMeta & { readonly name: string } {
  const { group, kind, namespace, name, uid } = identity
  return {
    name: hostName({ planeUid: owner.planeUid, group, kind, namespace, name }),
    namespace: owner.hostNamespace,
    labels: { ...extra.labels, [planeLabel]: owner.planeUid, [namespaceLabel]: namespace },
    annotations: {
      ...extra.annotations,
      [objectAnnotation]: [group, kind, namespace, name].join('/'),
      [uidAnnotation]: uid,
    },
    ...(owner.root === undefined ? {} : { ownerReferences: [rootReference(owner.root)] }),
  }
}

function rootReference({ name, uid }: { readonly name: string; readonly uid: string }): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid }
}

/**
 * Whose copy a host object is; undefined unless the plane's label, the identity and the name all agree. A set of marks
 * that was copied onto a foreign object has the wrong name and proves nothing.
 */
export function identityOf(object: AnyObject, planeUid: string): Identity | undefined {
  const { labels = {}, annotations = {}, name } = object.metadata
  if (labels[planeLabel] !== planeUid) return undefined
  const parts = annotations[objectAnnotation]?.split('/') ?? []
  const [group, kind, namespace, virtualName] = parts
  const uid = annotations[uidAnnotation]
  if (parts.length !== 4 || uid === undefined || uid === '') return undefined
  if (group === undefined || kind === undefined || namespace === undefined || virtualName === undefined)
    return undefined
  if (name !== hostName({ planeUid, group, kind, namespace, name: virtualName })) return undefined
  return { group, kind, namespace, name: virtualName, uid }
}

/** True when the host object is the copy of exactly this object, this incarnation of it. */
export function isOwned(object: AnyObject, planeUid: string, identity: Identity): boolean {
  const found = identityOf(object, planeUid)
  return (
    found !== undefined &&
    found.group === identity.group &&
    found.kind === identity.kind &&
    found.namespace === identity.namespace &&
    found.name === identity.name &&
    found.uid === identity.uid
  )
}
