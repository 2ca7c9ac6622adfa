// A job as one look sees it: its pods counted, and what of them the status has counted already. Pure.
// Upstream: the first half of syncJob in pkg/controller/job. What follows from it is job-verdict.ts's and job-plan.ts's.

import type { Job, Pod } from '../../api/models.ts'
import { isActive, isFinished, isTerminating } from '../workloads/pods.ts'
import { countIndexes, hasIndex, type Indexes, parseIndexes, withIndexes } from './indexes.ts'
import { type Backoff, nextBackoff } from './job-backoff.ts'
import {
  allIndexFailures,
  completionIndex,
  finishedAtMs,
  hasFailed,
  hasLimitPerIndex,
  hasTrackingFinalizer,
  indexFailures,
  isIndexed,
  wantedIndex,
} from './job-pods.ts'
import { matchFailurePolicy } from './job-policies.ts'

export interface JobView {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly active: readonly Pod[]
  readonly terminating: number
  /** Whether a pod's end is still to be counted: it holds the finalizer, and nobody took it off a moment ago. */
  readonly isTracked: (pod: Pod) => boolean
  readonly uncounted: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> }
  readonly succeeded: number
  readonly failed: number
  /** Empty unless the job is indexed; `counted` are those that the status holds. */
  readonly succeededIndexes: Indexes
  readonly countedIndexes: Indexes
  /** Present when failures are limited for each index. */
  readonly failedIndexes: Indexes | undefined
  /** By index: the failed pod that stays until its successor has taken over its count of failures. */
  readonly delayed: ReadonlyMap<number, Pod>
  readonly backoff: Backoff
}

export interface JobWorld {
  readonly job: Job
  readonly pods: readonly Pod[]
  /** uids of pods whose finalizer was taken off, while the copies still show it. */
  readonly released: ReadonlySet<string>
  readonly backoff: Backoff
}

export function viewJob({ job, pods, released, backoff }: JobWorld): JobView {
  const { status } = job
  const isTracked = (pod: Pod) => hasTrackingFinalizer(pod) && !released.has(pod.metadata.uid ?? '')
  const uncounted = {
    succeeded: new Set(status?.uncountedTerminatedPods?.succeeded),
    failed: new Set(status?.uncountedTerminatedPods?.failed),
  }
  const isNew = (pod: Pod, known: ReadonlySet<string>) =>
    isTracked(pod) &&
    !known.has(pod.metadata.uid ?? '') &&
    (!isIndexed(job) || wantedIndex(pod, job) !== undefined)
  const newSucceeded = pods.filter(
    (pod) => pod.status?.phase === 'Succeeded' && isNew(pod, uncounted.succeeded),
  )
  const newFailed = pods.filter((pod) => hasFailed(pod, job) && isNew(pod, uncounted.failed))
  const policy = job.spec?.podFailurePolicy
  const newCounted = newFailed.filter((pod) => matchFailurePolicy(policy, pod).isCounted)
  const indexes = indexesOf(job, pods, isTracked)
  const active = pods.filter(isActive)
  return {
    job,
    pods,
    active,
    terminating: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length,
    isTracked,
    uncounted,
    succeeded: isIndexed(job)
      ? countIndexes(indexes.succeededIndexes)
      : (status?.succeeded ?? 0) + newSucceeded.length + uncounted.succeeded.size,
    failed: (status?.failed ?? 0) + newCounted.length + uncounted.failed.size,
    ...indexes,
    delayed: delayedPods({ job, pods, active, isTracked, ...indexes }),
    backoff: nextBackoff(backoff, newSucceeded, newFailed),
  }
}

function indexesOf(job: Job, pods: readonly Pod[], isTracked: (pod: Pod) => boolean) {
  const none = { countedIndexes: [], succeededIndexes: [], failedIndexes: undefined }
  if (!isIndexed(job)) return none
  const completions = job.spec?.completions ?? 0
  const tracked = pods.filter(isTracked)
  const indexesWhere = (isWanted: (pod: Pod) => boolean) =>
    tracked.filter(isWanted).flatMap((pod) => wantedIndex(pod, job) ?? [])
  const countedIndexes = parseIndexes(job.status?.completedIndexes, completions)
  const succeeded = indexesWhere(({ status }) => status?.phase === 'Succeeded')
  return {
    countedIndexes,
    succeededIndexes: withIndexes(countedIndexes, succeeded),
    failedIndexes: hasLimitPerIndex(job)
      ? withIndexes(
          parseIndexes(job.status?.failedIndexes, completions),
          indexesWhere((pod) => hasFailedForGood(pod, job)),
        )
      : undefined,
  }
}

function hasFailedForGood(pod: Pod, job: Job): boolean {
  if (!hasFailed(pod, job)) return false
  const { action, isCounted } = matchFailurePolicy(job.spec?.podFailurePolicy, pod)
  if (action === 'FailIndex') return true
  return isCounted && indexFailures(pod) >= (job.spec?.backoffLimitPerIndex ?? 0)
}

function delayedPods({
  job,
  pods,
  active,
  isTracked,
  succeededIndexes,
  failedIndexes,
}: Pick<
  JobView,
  'job' | 'pods' | 'active' | 'isTracked' | 'succeededIndexes' | 'failedIndexes'
>): ReadonlyMap<number, Pod> {
  const delayed = new Map<number, Pod>()
  if (!hasLimitPerIndex(job)) return delayed
  const running = new Set(active.map(completionIndex))
  for (const pod of pods) {
    const index = wantedIndex(pod, job)
    if (index === undefined || running.has(index) || !isTracked(pod) || !hasFailed(pod, job)) continue
    if (hasIndex(succeededIndexes, index) || hasIndex(failedIndexes ?? [], index)) continue
    const known = delayed.get(index)
    const isLater =
      known === undefined ||
      (allIndexFailures(known) <= allIndexFailures(pod) && finishedAtMs(pod) >= finishedAtMs(known))
    if (isLater) delayed.set(index, pod)
  }
  return delayed
}
