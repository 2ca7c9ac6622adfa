// Reads and writes the past templates of a daemon set, for rollout history and undo.
// Which revision is the present one is workloads/revisions.ts's.

import type { ControllerRevision, DaemonSet } from '../../api/models.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNotFound } from '../../client/failures.ts'
import { controllerRevisions, daemonSets } from '../../client/resources.ts'
import { isSameData, planRevision, revisionsToForget } from '../workloads/revisions.ts'
import { daemonSetKind, hashLabel } from './daemon-pods.ts'

export interface History {
  readonly client: Client
  readonly set: DaemonSet
  /** The revisions of the set. */
  readonly known: readonly ControllerRevision[]
  readonly signal: AbortSignal
}

/** The revision of the present template: found, raised or made. */
export async function settleRevision({ client, set, known, signal }: History) {
  const { update, change } = planRevision(set, daemonSetKind, known, hashLabel)
  const collisionCount = set.status?.collisionCount ?? 0
  if (change === 'none') return { update, collisionCount }
  if (change === 'raise')
    return { update: await client.update(controllerRevisions, update, { signal }), collisionCount }
  try {
    return { update: await client.create(controllerRevisions, update, { signal }), collisionCount }
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const { namespace, name = '' } = update.metadata
    const present = await client.get(controllerRevisions, { namespace, name }, { signal })
    if (present !== undefined && isSameData(present, update)) return { update: present, collisionCount }
    // Another template has the same hash: the next look hashes the count in.
    if (set.status !== undefined) {
      const status = { ...set.status, collisionCount: collisionCount + 1 }
      await client.updateStatus(daemonSets, { ...set, status }, { signal })
    }
    throw error
  }
}

/** `used` are the hashes of revisions that pods or the present template have. */
export async function forgetRevisions(
  { client, set, known, signal }: History,
  used: readonly (string | undefined)[],
): Promise<void> {
  const names = new Set(
    known
      .filter(({ metadata }) => used.includes(metadata.labels?.[hashLabel]))
      .map(({ metadata }) => metadata.name),
  )
  for (const { metadata } of revisionsToForget(known, names, set.spec?.revisionHistoryLimit ?? 10)) {
    const { namespace, name = '', uid } = metadata
    try {
      await client.delete(controllerRevisions, { namespace, name }, { preconditions: { uid }, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}
