// The engine for removals: what was removed in the plane left a tombstone, and its copy on the host goes.
// The tombstone goes when the host has said that the copy is gone.

import type { AnyObject, ResourceRef } from '../client/client.ts'
import { isNotFound } from '../client/failures.ts'
import { configMaps, persistentVolumeClaims, pods, secrets, services } from '../client/resources.ts'
import type { ReconcileResult } from '../reconcile/controller.ts'
import { type SyncContext, type Tombstone, tombstones } from './context.ts'
import { hostName } from './names.ts'
import { identityOf } from './owner.ts'

interface Copy {
  readonly resource: ResourceRef
  readonly group: string
  readonly kind: string
}

/** What a removed object may have had on the host. */
const copiesOf: Readonly<Record<string, readonly Copy[]>> = {
  pods: [
    { resource: pods, group: '', kind: 'Pod' },
    { resource: secrets, group: 'k3v.dev', kind: 'PodTokens' },
  ],
  services: [{ resource: services, group: '', kind: 'Service' }],
  configmaps: [{ resource: configMaps, group: '', kind: 'ConfigMap' }],
  secrets: [{ resource: secrets, group: '', kind: 'Secret' }],
  persistentvolumeclaims: [{ resource: persistentVolumeClaims, group: '', kind: 'PersistentVolumeClaim' }],
}

const lookAgainMs = 5_000

/** `key` is the tombstone's name: the UID of what was removed. */
export async function reconcileTombstone(
  context: SyncContext,
  key: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<ReconcileResult | undefined> {
  const tombstone = context.world.virtual.tombstones.get('', key)
  if (tombstone === undefined) return undefined
  const { group, resource } = tombstone.spec
  const copies = group === '' ? (copiesOf[resource] ?? []) : []
  const gone = await Promise.all(copies.map((copy) => isGone(context, copy, tombstone, signal)))
  // The host's watch brings it back when the copy goes; the pause is for a watch that is late.
  if (gone.includes(false)) return { requeueAfterMs: lookAgainMs }
  try {
    await context.virtual.delete(tombstones, { name: key }, { signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return undefined
}

/** Deletes the copy when it is there; true when the host says that it is not. */
async function isGone(
  { writer, translation }: SyncContext,
  { resource, group, kind }: Copy,
  { spec }: Tombstone,
  signal: AbortSignal,
): Promise<boolean> {
  const { planeUid } = translation().owner
  const { namespace, name, uid } = spec
  const copyName = hostName({ planeUid, group, kind, namespace, name })
  const there = await writer.read<AnyObject>(resource, copyName, signal)
  if (there === undefined) return true
  // Another incarnation's copy, or no copy at all: nothing of the removed object's is left.
  if (identityOf(there, planeUid)?.uid !== uid) return true
  if (there.metadata.deletionTimestamp === undefined) {
    // A Service's copy may be taken over by the next Service of its name while we look. Pods change all the time.
    await writer.delete(resource, there, { isExact: kind !== 'Pod', signal })
  }
  return false
}
