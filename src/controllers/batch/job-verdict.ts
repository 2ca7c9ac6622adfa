// Whether a job has come to its end, and which: what fails it, what makes it complete. Pure.
// Upstream: pkg/controller/job syncJob. Becoming Complete or Failed waits for its pods: job-tracking.ts.

import type { Job, JobCondition, Pod } from '../../api/models.ts'
import { countIndexes } from './indexes.ts'
import { hasFailed, isIndexed, isSuspended } from './job-pods.ts'
import { matchFailurePolicy, matchSuccessPolicy } from './job-policies.ts'
import type { JobView } from './job-view.ts'

/** How a job ends: it aims for `FailureTarget` or `SuccessCriteriaMet`, then is `Failed` or `Complete`. */
export interface Verdict {
  readonly isSuccess: boolean
  readonly reason: string
  readonly message: string
}

export const completionsReached: Verdict = {
  isSuccess: true,
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

/** Undefined while the job goes on. What an earlier look found stands. */
export function verdictOf(view: JobView, nowMs: number): Verdict | undefined {
  const { job, pods } = view
  const known = earlierVerdict(job)
  if (known !== undefined) return known
  const message = failJobMessage(job, pods)
  if (message !== undefined) return failure('PodFailurePolicy', message)
  const limited = limitReached(view, nowMs)
  if (limited !== undefined) return limited
  if (!isIndexed(job)) return undefined
  const failed = failedIndexes(view)
  if (failed !== undefined) return failed
  const met = matchSuccessPolicy(job.spec?.successPolicy, view.succeededIndexes, job.spec?.completions ?? 0)
  return met === undefined ? undefined : { isSuccess: true, reason: 'SuccessPolicy', message: met }
}

const failure = (reason: string, message: string): Verdict => ({ isSuccess: false, reason, message })

function earlierVerdict({ status }: Job): Verdict | undefined {
  const found = (wanted: string) =>
    status?.conditions?.find((one: JobCondition) => one.type === wanted && one.status === 'True')
  const met = found('SuccessCriteriaMet')
  const known = met ?? found('FailureTarget')
  if (known === undefined) return undefined
  return { isSuccess: met !== undefined, reason: known.reason ?? '', message: known.message ?? '' }
}

function failJobMessage(job: Job, pods: readonly Pod[]): string | undefined {
  const policy = job.spec?.podFailurePolicy
  if (policy === undefined) return undefined
  for (const pod of pods) {
    const message = hasFailed(pod, job) ? matchFailurePolicy(policy, pod).failJobMessage : undefined
    if (message !== undefined) return message
  }
  return undefined
}

function limitReached({ job, pods, failed }: JobView, nowMs: number): Verdict | undefined {
  const limit = job.spec?.backoffLimit ?? 6
  if (failed > limit || hasRestartedTooOften(job, pods, limit))
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  const leftMs = deadlineLeftMs(job, nowMs)
  return leftMs !== undefined && leftMs <= 0
    ? failure('DeadlineExceeded', 'Job was active longer than specified deadline')
    : undefined
}

/** How long the job may go on; undefined without a deadline. A job that was just started has all of it. */
export function deadlineLeftMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend === true) return undefined
  const startMs = status?.startTime === undefined ? nowMs : Date.parse(status.startTime)
  return startMs + spec.activeDeadlineSeconds * 1000 - nowMs
}

// Containers that restart in their pod never fail it: their restarts count instead.
function hasRestartedTooOften(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue
    const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
    for (const { restartCount } of all) restarts += restartCount
  }
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function failedIndexes({ job, failedIndexes, succeededIndexes }: JobView): Verdict | undefined {
  if (failedIndexes === undefined) return undefined
  const failed = countIndexes(failedIndexes)
  const { maxFailedIndexes, completions = 0 } = job.spec ?? {}
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return failure('MaxFailedIndexesExceeded', message)
  }
  if (failed === 0 || failed + countIndexes(succeededIndexes) < completions) return undefined
  return failure('FailedIndexes', 'Job has failed indexes')
}

/** Whether all that was asked for is done, with `active` pods left. */
export function isComplete({ job, succeeded }: JobView, active: number): boolean {
  const completions = job.spec?.completions
  if (active > 0) return false
  return completions === undefined ? succeeded > 0 : succeeded >= completions
}

/** The conditions that tell whether the job is suspended; undefined when nothing changes. */
export function suspensionConditions(job: Job, now: string): readonly JobCondition[] | undefined {
  const conditions = job.status?.conditions ?? []
  const known = conditions.find(({ type }) => type === 'Suspended')
  const status = isSuspended(job) ? 'True' : 'False'
  // What never was suspended need not say that it is not.
  if (known === undefined && status === 'False') return undefined
  if (known?.status === status) return undefined
  const [reason, message] =
    status === 'True' ? ['JobSuspended', 'Job suspended'] : ['JobResumed', 'Job resumed']
  const next = { type: 'Suspended', status, reason, message, lastProbeTime: now, lastTransitionTime: now }
  return known === undefined
    ? [...conditions, next]
    : conditions.map((condition) => (condition === known ? next : condition))
}
