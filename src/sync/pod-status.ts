// Writes what the host says about a pod into the plane.
// What of it a tenant gets to see is translators/pod-status.ts's.

import type { Pod, PodStatus } from '../api/models.ts'
import { formatTime } from '../api/time.ts'
import { isConflict, isNotFound } from '../client/failures.ts'
import { pods } from '../client/resources.ts'
import type { SyncContext } from './context.ts'
import { isSameJson } from './equal.ts'
import { referencesOf } from './references.ts'
import { createScrub } from './scrub.ts'
import { toVirtualStatus } from './translators/pod-status.ts'

type Options = { readonly signal: AbortSignal }

/** A conflict is left to the next look, which the newer version brings. */
export async function writeStatus(
  context: SyncContext,
  virtual: Pod,
  host: Pod,
  options: Options,
): Promise<void> {
  const { configMaps, secrets, claims } = referencesOf(virtual)
  const named = (kind: string, names: readonly string[]) => names.map((name) => ({ kind, name }))
  const scrub = createScrub(context.translation().owner, virtual.metadata.namespace ?? '', [
    ...named('Pod', [virtual.metadata.name ?? '']),
    ...named('ConfigMap', configMaps),
    ...named('Secret', secrets),
    ...named('PersistentVolumeClaim', claims),
  ])
  const status = toVirtualStatus(host, virtual, { scrub, now: formatTime(context.clock.now()) })
  await put(context, virtual, status, options)
}

/** Says on a pod that does not go to the host why, where people look for it. */
export async function tellUnscheduled(
  context: SyncContext,
  virtual: Pod,
  problem: { readonly reason: string; readonly message: string },
  options: Options,
): Promise<void> {
  const { status = {} } = virtual
  const before = status.conditions?.find(({ type }) => type === 'PodScheduled')
  const isSame = before?.reason === problem.reason && before.message === problem.message
  if (isSame) return
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    ...problem,
    lastTransitionTime: formatTime(context.clock.now()),
  }
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'PodScheduled')
  await put(context, virtual, { ...status, conditions: [...others, condition] }, options)
}

async function put(
  context: SyncContext,
  virtual: Pod,
  status: PodStatus,
  { signal }: Options,
): Promise<void> {
  if (isSameJson(comparable(status), comparable(virtual.status ?? {}))) return
  try {
    await context.virtual.updateStatus(pods, { ...virtual, status }, { signal })
  } catch (error) {
    if (isConflict(error)) throw error
    if (!isNotFound(error)) throw error
  }
}

/** Generations of the plane's own are not the host's to say, and null is no time. */
function comparable(status: PodStatus): unknown {
  const { observedGeneration: _, conditions, ...rest } = status
  return {
    ...rest,
    conditions: conditions
      ?.map(({ observedGeneration: __, lastProbeTime, ...condition }) =>
        lastProbeTime === null || lastProbeTime === undefined ? condition : { ...condition, lastProbeTime },
      )
      .sort((one, other) => (one.type < other.type ? -1 : 1)),
  }
}
