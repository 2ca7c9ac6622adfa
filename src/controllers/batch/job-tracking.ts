// Counts pods that ended exactly once: their uid is noted in the status, then their finalizer goes, then they count. Pure.
// Upstream: trackJobStatusAndRemoveFinalizers in pkg/controller/job.

import type { JobCondition, JobStatus, Pod, UncountedTerminatedPods } from '../../api/models.ts'
import { countIndexes, formatIndexes, hasIndex, withIndexes } from './indexes.ts'
import { completionIndex, hasFailed, isIndexed, wantedIndex } from './job-pods.ts'
import { matchFailurePolicy } from './job-policies.ts'
import type { Verdict } from './job-verdict.ts'
import type { JobView } from './job-view.ts'

/** Pods noted in a status at one time. */
const notedMax = 500

export interface Tracking {
  readonly status: JobStatus
  /** Their finalizer may go when this status is written. */
  readonly release: readonly Pod[]
  /** Some were left for the next look. */
  readonly isCut: boolean
}

/** `status` is the job's, with what this look found out besides. */
export function trackPods(view: JobView, status: JobStatus, verdict: Verdict | undefined): Tracking {
  const { job, isTracked } = view
  const tracked = new Set(view.pods.filter(isTracked).map(({ metadata }) => metadata.uid ?? ''))
  const settled = settle(status, tracked)
  const noted = { succeeded: [...uncountedOf(settled).succeeded], failed: [...uncountedOf(settled).failed] }
  const newIndexes: number[] = []
  const release: Pod[] = []
  let isCut = false
  const inOrder = [...view.pods].sort(
    (left, right) => (completionIndex(left) ?? -1) - (completionIndex(right) ?? -1),
  )
  for (const pod of inOrder) {
    if (!isTracked(pod) || !mayRelease(view, pod, verdict)) continue
    if (newIndexes.length + noted.succeeded.length + noted.failed.length >= notedMax) {
      isCut = true
      break
    }
    release.push(pod)
    const uid = pod.metadata.uid ?? ''
    if (pod.status?.phase === 'Succeeded' && !view.uncounted.failed.has(uid)) {
      const index = wantedIndex(pod, job)
      if (!isIndexed(job) && !view.uncounted.succeeded.has(uid)) noted.succeeded.push(uid)
      else if (index !== undefined && !hasIndex(view.countedIndexes, index)) newIndexes.push(index)
    } else if (countsAsFailed(view, pod, verdict)) noted.failed.push(uid)
  }
  const next = { ...settled, uncountedTerminatedPods: trimmed(noted) }
  return { status: isIndexed(job) ? { ...next, ...indexStatus(view, newIndexes) } : next, release, isCut }
}

/** Pods of an unfinished job stay until they have ended, and failed ones until their count has been passed on. */
function mayRelease({ job, delayed }: JobView, pod: Pod, verdict: Verdict | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || verdict !== undefined) return true
  if (pod.status?.phase === 'Succeeded') return true
  if (!hasFailed(pod, job)) return false
  const index = completionIndex(pod)
  return index === undefined || delayed.get(index)?.metadata.uid !== pod.metadata.uid
}

function countsAsFailed({ job, uncounted }: JobView, pod: Pod, verdict: Verdict | undefined): boolean {
  // When a job has failed, so has every pod that had not ended yet.
  if (!hasFailed(pod, job) && (verdict === undefined || verdict.isSuccess)) return false
  if (uncounted.failed.has(pod.metadata.uid ?? '')) return false
  if (isIndexed(job) && wantedIndex(pod, job) === undefined) return false
  return matchFailurePolicy(job.spec?.podFailurePolicy, pod).isCounted
}

function indexStatus({ countedIndexes, failedIndexes }: JobView, added: readonly number[]): JobStatus {
  const completed = withIndexes(countedIndexes, added)
  return {
    succeeded: countIndexes(completed),
    completedIndexes: formatIndexes(completed),
    ...(failedIndexes === undefined ? {} : { failedIndexes: formatIndexes(failedIndexes) }),
  }
}

/** Noted pods that hold the finalizer no more are counted. */
export function settle(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const noted = uncountedOf(status)
  const rest = {
    succeeded: noted.succeeded.filter((uid) => tracked.has(uid)),
    failed: noted.failed.filter((uid) => tracked.has(uid)),
  }
  const succeeded = noted.succeeded.length - rest.succeeded.length
  const failed = noted.failed.length - rest.failed.length
  return {
    ...status,
    ...(succeeded === 0 ? {} : { succeeded: (status.succeeded ?? 0) + succeeded }),
    ...(failed === 0 ? {} : { failed: (status.failed ?? 0) + failed }),
    uncountedTerminatedPods: trimmed(rest),
  }
}

export function uncountedOf({ uncountedTerminatedPods }: JobStatus) {
  const { succeeded = [], failed = [] } = uncountedTerminatedPods ?? {}
  return { succeeded, failed }
}

function trimmed(noted: {
  readonly succeeded: readonly string[]
  readonly failed: readonly string[]
}): UncountedTerminatedPods {
  return {
    ...(noted.succeeded.length === 0 ? {} : { succeeded: noted.succeeded }),
    ...(noted.failed.length === 0 ? {} : { failed: noted.failed }),
  }
}

/** Tells what the job aims for, before its last pods are let go. */
export function withTarget(status: JobStatus, verdict: Verdict | undefined, now: string): JobStatus {
  if (verdict === undefined) return status
  return withVerdict(status, verdict, {
    type: verdict.isSuccess ? 'SuccessCriteriaMet' : 'FailureTarget',
    now,
  })
}

/** The end, once nothing is left to be counted and no pod is on its way out; undefined until then. */
export function finish(
  status: JobStatus,
  verdict: Verdict | undefined,
  { terminating, now }: { readonly terminating: number; readonly now: string },
): JobStatus | undefined {
  const { succeeded, failed } = uncountedOf(status)
  if (verdict === undefined || succeeded.length + failed.length > 0 || terminating > 0) return undefined
  const ended = withVerdict(status, verdict, { type: verdict.isSuccess ? 'Complete' : 'Failed', now })
  return verdict.isSuccess ? { ...ended, completionTime: now } : ended
}

function withVerdict(
  status: JobStatus,
  { reason, message }: Verdict,
  { type, now }: { readonly type: string; readonly now: string },
): JobStatus {
  const known: readonly JobCondition[] = status.conditions ?? []
  if (known.some((condition) => condition.type === type && condition.status === 'True')) return status
  const others = known.filter((condition) => condition.type !== type)
  const condition = {
    type,
    status: 'True',
    lastProbeTime: now,
    lastTransitionTime: now,
    reason,
    message,
  }
  return { ...status, conditions: [...others, condition] }
}
