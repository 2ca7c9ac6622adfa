// Removes what a release no longer has: only what its inventory lists, only what still carries its label, last applied
// first. Whole namespaces, definitions and claims are kept: with them goes data that no package holds.

import type { KubeObject } from '../../api/object.ts'
import { ApiError } from '../../api/status.ts'
import type { Client } from '../../client/client.ts'
import { isNotFound } from '../../client/failures.ts'
import { applyOrder } from '../../packages/order.ts'
import { releaseLabel } from './attempt.ts'
import { identityOf, type ObjectKey } from './inventory.ts'
import type { FindResource } from './served.ts'

/** Set to `disabled` on an object, it outlives its place in the package. */
export const pruneAnnotation = 'k3v.dev/prune'

const keptKinds: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolumeClaim',
  'PersistentVolume',
]

export interface PruneOptions {
  readonly client: Client
  readonly findResource: FindResource
  readonly release: string
  readonly signal: AbortSignal
}

export interface Pruned {
  readonly removed: readonly ObjectKey[]
  /** Still there, and no longer the release's: named so that a person may remove them. */
  readonly kept: readonly ObjectKey[]
}

/** Pure: what the old inventory has and the new one lacks, in the order of removal. */
export function planPrune(before: readonly ObjectKey[], now: readonly ObjectKey[]): ObjectKey[] {
  const wanted = new Set(now.map(identityOf))
  const gone = before.filter((key) => !wanted.has(identityOf(key)))
  return applyOrder(
    gone,
    ({ apiVersion, kind, name }): KubeObject => ({ apiVersion, kind, metadata: { name } }),
  ).reverse()
}

export async function prune(keys: readonly ObjectKey[], options: PruneOptions): Promise<Pruned> {
  const removed: ObjectKey[] = []
  const kept: ObjectKey[] = []
  for (const key of keys) {
    const answer = await pruneOne(key, options)
    if (answer === 'removed') removed.push(key)
    if (answer === 'kept') kept.push(key)
  }
  return { removed, kept }
}

async function pruneOne(
  key: ObjectKey,
  { client, findResource, release, signal }: PruneOptions,
): Promise<'removed' | 'kept' | 'gone'> {
  const { apiVersion, kind, name } = key
  const resource = findResource(apiVersion, kind)
  // Its definition is gone, and its objects with it.
  if (resource === undefined) return 'gone'
  const namespace = resource.isNamespaced && key.namespace === '' ? 'default' : key.namespace
  const live = await client.get(resource, { namespace, name }, { signal })
  if (live === undefined) return 'gone'
  const { labels, annotations, uid } = live.metadata
  const isOurs = labels?.[releaseLabel] === release
  if (!isOurs || keptKinds.includes(kind) || annotations?.[pruneAnnotation] === 'disabled') return 'kept'
  try {
    await client.delete(
      resource,
      { namespace, name },
      { propagationPolicy: 'Background', preconditions: { uid }, signal },
    )
    return 'removed'
  } catch (error) {
    if (isNotFound(error)) return 'gone'
    // Another object has taken the name in the meantime: it is not ours to remove.
    if (error instanceof ApiError && error.code === 409) return 'kept'
    throw error
  }
}
