// Which pods a job makes and removes now. Pure.
// Upstream: manageJob in pkg/controller/job.

import type { Job, Pod } from '../../api/models.ts'
import { isTerminating } from '../workloads/pods.ts'
import { burstMax, firstToGo } from '../workloads/replica-plan.ts'
import { freeIndexes, mergeIndexes, withIndexes } from './indexes.ts'
import { backoffLeftMs } from './job-backoff.ts'
import {
  allIndexFailures,
  completionIndex,
  finishedAtMs,
  hasLimitPerIndex,
  isIndexed,
  isSuspended,
  replacesFailedOnly,
  wantedIndex,
} from './job-pods.ts'
import type { JobView } from './job-view.ts'

export interface JobPlan {
  /** One entry a pod: its index, when the job has indexes. */
  readonly create: readonly (number | undefined)[]
  readonly remove: readonly Pod[]
  /** Pods are missing, and their time has not come yet. */
  readonly waitMs?: number | undefined
}

const nothing: JobPlan = { create: [], remove: [] }

/** Removes or makes, never both: the next look does the other. */
export function planJob(view: JobView, nowMs: number): JobPlan {
  const { job, active } = view
  if (isSuspended(job)) return { create: [], remove: active }
  const want = wantedPods(view)
  const remove = surplus(job, active, { count: Math.max(0, active.length - want), nowMs })
  if (remove.length > 0) return { create: [], remove: remove.slice(0, burstMax) }
  const missing = want - (replacesFailedOnly(job) ? view.terminating : 0) - active.length
  return missing <= 0 ? nothing : planNew(view, Math.min(missing, burstMax), nowMs)
}

function wantedPods({ job, active, succeeded }: JobView): number {
  const { completions, parallelism = 1 } = job.spec ?? {}
  // Without a number to reach, the first success ends the making of pods.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(parallelism, completions - succeeded))
}

function planNew(view: JobView, count: number, nowMs: number): JobPlan {
  const { job } = view
  const waitMs = hasLimitPerIndex(job) ? 0 : backoffLeftMs(view.backoff, nowMs)
  if (waitMs > 0) return { ...nothing, waitMs }
  if (!isIndexed(job)) return { create: Array<undefined>(count).fill(undefined), remove: [] }
  const free = freeIndexes(takenIndexes(view), { count, limit: job.spec?.completions ?? 0 })
  const waits = free.map((index) => ({ index, leftMs: indexWaitMs(view.delayed.get(index), nowMs) }))
  const create = waits.filter(({ leftMs }) => leftMs === 0).map(({ index }) => index)
  if (create.length > 0 || waits.length === 0) return { create, remove: [] }
  return { ...nothing, waitMs: Math.min(...waits.map(({ leftMs }) => leftMs)) }
}

function takenIndexes({ job, active, pods, succeededIndexes, failedIndexes = [] }: JobView) {
  const leaving = replacesFailedOnly(job) ? pods.filter(isTerminating) : []
  const held = [...active, ...leaving].flatMap((pod) => completionIndex(pod) ?? [])
  return withIndexes(mergeIndexes(succeededIndexes, failedIndexes), held)
}

function indexWaitMs(failed: Pod | undefined, nowMs: number): number {
  if (failed === undefined) return 0
  const failures = allIndexFailures(failed) + 1
  return backoffLeftMs({ failuresSinceSuccess: failures, lastFailureMs: finishedAtMs(failed) }, nowMs)
}

/** Pods of no use go first: without a wanted index, or a second one for the same. */
function surplus(
  job: Job,
  active: readonly Pod[],
  { count, nowMs }: { readonly count: number; readonly nowMs: number },
): readonly Pod[] {
  const useless = isIndexed(job) ? uselessPods(job, active, nowMs) : []
  if (useless.length >= count) return useless
  const rest = active.filter((pod) => !useless.includes(pod))
  return [...useless, ...firstToGo(rest, [], nowMs).slice(0, count - useless.length)]
}

function uselessPods(job: Job, active: readonly Pod[], nowMs: number): readonly Pod[] {
  const byIndex = Map.groupBy(active, (pod) => wantedIndex(pod, job))
  return [...byIndex].flatMap(([index, pods]) =>
    index === undefined ? pods : firstToGo(pods, [], nowMs).slice(0, -1),
  )
}
