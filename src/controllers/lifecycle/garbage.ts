// Collects garbage: deletes what has lost its owners, and finishes deletions that wait for or let go of dependents.
// Level-based by UID; the graph is garbage-graph.ts's, and every decision is checked against the live object.

import type { OwnerReference } from '../../api/object.ts'
import type { AnyObject, Client } from '../../client/client.ts'
import { isNotFound } from '../../client/failures.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import type { Context } from '../context.ts'
import {
  blocks,
  foregroundFinalizer,
  isDeletingAsOrphaner,
  isDeletingInForeground,
  type JudgedOwner,
  judge,
  type Node,
  type OwnerState,
  orphanFinalizer,
} from './garbage-graph.ts'
import { GarbageWorld } from './garbage-world.ts'

const lookAgainMs = 1_000
const unknownKindMs = 30_000

interface Collecting {
  readonly client: Client
  readonly world: GarbageWorld
  readonly signal: AbortSignal
}

export function startGarbage(context: Context): AsyncDisposable & Pick<Controller, 'isIdle'> {
  const client = context.clientFor('generic-garbage-collector')
  const world = new GarbageWorld(context)
  const controller = context.control({
    name: 'generic-garbage-collector',
    sources: [world.source],
    workers: 8,
    reconcile: (uid, { signal }) => reconcile({ client, world, signal }, uid),
  })
  return {
    get isIdle() {
      return controller.isIdle
    },
    [Symbol.asyncDispose]: async () => {
      await world[Symbol.asyncDispose]()
      await controller[Symbol.asyncDispose]()
    },
  }
}

async function reconcile(collecting: Collecting, uid: string): Promise<ReconcileResult | undefined> {
  const node = collecting.world.graph.get(uid)
  if (node === undefined) return undefined
  if (isDeletingAsOrphaner(node)) return await letGo(collecting, node)
  if (isDeletingInForeground(node)) return await finishForeground(collecting, node)
  if (node.header.isDeleting || node.header.ownerReferences.length === 0) return undefined
  return await collect(collecting, node)
}

/** Every dependent loses its reference, then the object may go. */
async function letGo(collecting: Collecting, node: Node): Promise<ReconcileResult | undefined> {
  const { world } = collecting
  const { uid } = node.header
  if (world.unsynced.length > 0) return { requeueAfterMs: lookAgainMs }
  for (const dependent of world.graph.dependentsOf(uid)) await dropOwners(collecting, dependent, [uid])
  await removeFinalizer(collecting, node, orphanFinalizer)
  return undefined
}

/** The object goes when nothing that it has to wait for is left; until then its dependents are collected. */
async function finishForeground(collecting: Collecting, node: Node): Promise<ReconcileResult | undefined> {
  const { world } = collecting
  const { uid } = node.header
  if (world.unsynced.length > 0) return { requeueAfterMs: lookAgainMs }
  const awaited = world.graph.dependentsOf(uid).filter((dependent) => blocks(dependent, uid))
  if (awaited.length > 0) return undefined
  await removeFinalizer(collecting, node, foregroundFinalizer)
  return undefined
}

async function collect(collecting: Collecting, node: Node): Promise<ReconcileResult | undefined> {
  const { client, world, signal } = collecting
  const { uid } = node.header
  const live = await read(collecting, node)
  if (live?.metadata.uid !== uid || live.metadata.deletionTimestamp !== undefined) return undefined
  const { metadata } = live
  const owners: JudgedOwner[] = []
  for (const reference of metadata.ownerReferences ?? []) {
    const state = await stateOf(collecting, node, reference)
    // A kind that is not served may be served again: its absence proves nothing.
    if (state === 'unknown') return { requeueAfterMs: unknownKindMs }
    owners.push({ reference, state })
  }
  const dependents = world.graph.dependentsOf(uid)
  const verdict = judge({ header: { finalizers: metadata.finalizers ?? [] } }, owners, dependents.length > 0)
  if (verdict.action === 'keep') return undefined
  if (verdict.action === 'dropOwners') {
    await patchOwners(collecting, node, live, verdict.uids)
    return undefined
  }
  const { propagationPolicy } = verdict
  // A ring of owners that all wait would wait for ever: this one stops holding up its owners.
  const isRing = propagationPolicy === 'Foreground' && dependents.some(isDeletingInForeground)
  if (isRing) await unblock(collecting, node, live)
  const preconditions = { uid, ...(isRing ? {} : { resourceVersion: metadata.resourceVersion }) }
  try {
    await client.delete(node.resource, targetOf(node), { preconditions, propagationPolicy, signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return undefined
}

const targetOf = ({ header }: Node) => ({ namespace: header.namespace, name: header.name })

async function read({ client, signal }: Collecting, node: Node): Promise<AnyObject | undefined> {
  return await client.get<AnyObject>(node.resource, targetOf(node), { signal })
}

async function stateOf(
  { client, world, signal }: Collecting,
  node: Node,
  reference: OwnerReference,
): Promise<OwnerState | 'unknown'> {
  const known = world.graph.get(reference.uid)
  if (known !== undefined) {
    const isSame = known.resource.kind === reference.kind && known.header.name === reference.name
    const isReachable = known.header.namespace === '' || known.header.namespace === node.header.namespace
    if (isSame && isReachable) return isDeletingInForeground(known) ? 'waiting' : 'solid'
  }
  const resource = world.resourceOf(reference)
  if (resource === undefined) return 'unknown'
  // A cluster-wide object cannot have an owner in a namespace; upstream leaves it alone.
  if (resource.isNamespaced && !node.resource.isNamespaced) return 'solid'
  const namespace = resource.isNamespaced ? node.header.namespace : ''
  const live = await client.get<AnyObject>(resource, { namespace, name: reference.name }, { signal })
  if (live?.metadata.uid !== reference.uid) return 'absent'
  const { deletionTimestamp, finalizers = [] } = live.metadata
  return deletionTimestamp !== undefined && finalizers.includes(foregroundFinalizer) ? 'waiting' : 'solid'
}

async function dropOwners(collecting: Collecting, node: Node, uids: readonly string[]): Promise<void> {
  const live = await read(collecting, node)
  if (live?.metadata.uid === node.header.uid) await patchOwners(collecting, node, live, uids)
}

async function patchOwners(
  collecting: Collecting,
  node: Node,
  live: AnyObject,
  uids: readonly string[],
): Promise<void> {
  const left = (live.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid))
  await patchMetadata(collecting, node, live, { ownerReferences: left.length === 0 ? null : left })
}

async function unblock(collecting: Collecting, node: Node, live: AnyObject): Promise<void> {
  const references = live.metadata.ownerReferences ?? []
  if (!references.some((owner) => owner.blockOwnerDeletion === true)) return
  const ownerReferences = references.map((owner) => ({ ...owner, blockOwnerDeletion: false }))
  await patchMetadata(collecting, node, live, { ownerReferences })
}

async function removeFinalizer(collecting: Collecting, node: Node, finalizer: string): Promise<void> {
  const live = await read(collecting, node)
  if (live?.metadata.uid !== node.header.uid || live.metadata.finalizers?.includes(finalizer) !== true) return
  const left = live.metadata.finalizers.filter((one) => one !== finalizer)
  await patchMetadata(collecting, node, live, { finalizers: left.length === 0 ? null : left })
}

/** The uid and the resourceVersion in the patch are preconditions. */
async function patchMetadata(
  { client, signal }: Collecting,
  node: Node,
  live: AnyObject,
  change: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { uid, resourceVersion } = live.metadata
  const body = { metadata: { uid, resourceVersion, ...change } }
  try {
    await client.patch(node.resource, targetOf(node), { type: 'merge', body, signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
