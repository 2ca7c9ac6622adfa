// What a cron job does now: which of its past times is due, which jobs are finished, and which are too old to keep. Pure.
// Upstream: pkg/controller/cronjob. When schedules fire is cron-times.ts's.

import type { CronJob, CronJobStatus, Job, ObjectReference } from '../../api/models.ts'
import { controllerReference } from '../workloads/owners.ts'
import { type NextTime, timeInZone } from './cron-times.ts'
import { finishedCondition } from './job-pods.ts'

export const cronJobKind = { apiVersion: 'batch/v1', kind: 'CronJob' }

const manyMissed = 100
/** A clock that is a little behind must not find that nothing is due. */
const lateMs = 100

export interface Due {
  /** The most recent time that has passed; undefined when none has. */
  readonly atMs: number | undefined
  readonly sinceMs: number
  readonly missed: number
}

/** Undefined when the schedule never fires. */
export function dueTime(
  cronJob: CronJob,
  next: NextTime,
  { nowMs, hasDeadline }: { readonly nowMs: number; readonly hasDeadline: boolean },
): Due | undefined {
  const { metadata, spec, status } = cronJob
  const last = status?.lastScheduleTime ?? metadata.creationTimestamp ?? ''
  const deadlineMs =
    hasDeadline && spec?.startingDeadlineSeconds !== undefined
      ? nowMs - spec.startingDeadlineSeconds * 1000
      : Number.NEGATIVE_INFINITY
  const sinceMs = Math.max(Date.parse(last) || 0, deadlineMs)
  const first = next(sinceMs)
  const second = first === undefined ? undefined : next(first)
  if (first === undefined || second === undefined) return undefined
  if (nowMs < first) return { atMs: undefined, sinceMs, missed: 0 }
  if (nowMs < second) return { atMs: first, sinceMs, missed: 0 }
  // Counting all that were missed could take for ever: the distance of the first two stands for all.
  const apartMs = second - first
  const missed = Math.floor((nowMs - first) / apartMs) + 1
  let atMs: number | undefined
  for (let at = next(first + (missed - 2) * apartMs); at !== undefined && at <= nowMs; at = next(at))
    atMs = at
  return { atMs, sinceMs, missed }
}

export const isTooMany = ({ missed }: Due): boolean => missed > manyMissed

/** How long until the schedule fires next; undefined when it never does. */
export function nextInMs(cronJob: CronJob, next: NextTime, nowMs: number): number | undefined {
  const due = dueTime(cronJob, next, { nowMs, hasDeadline: false })
  const fromMs = due?.atMs ?? (due?.missed === 0 ? due.sinceMs : nowMs)
  const at = next(fromMs)
  return at === undefined ? undefined : Math.max(1, at + lateMs - nowMs)
}

/** The same name for the same time, so that no time is run twice. */
export function jobName({ metadata }: CronJob, atMs: number): string {
  return `${metadata.name}-${Math.floor(atMs / 60_000)}`
}

export function jobOf(cronJob: CronJob, atMs: number): Job {
  const { spec, metadata } = cronJob
  const { metadata: template, spec: jobSpec } = spec?.jobTemplate ?? {}
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: jobName(cronJob, atMs),
      namespace: metadata.namespace,
      labels: template?.labels ?? {},
      annotations: {
        ...template?.annotations,
        'batch.kubernetes.io/cronjob-scheduled-timestamp': timeInZone(atMs, spec?.timeZone),
      },
      ownerReferences: [controllerReference(cronJobKind, cronJob)],
    },
    ...(jobSpec === undefined ? {} : { spec: jobSpec }),
  }
}

/** Finished jobs beyond what the history limits keep; the oldest go. */
export function jobsToForget({ spec }: CronJob, jobs: readonly Job[]): readonly Job[] {
  const ended = (type: string) =>
    jobs.filter(({ status }) => finishedCondition(status?.conditions)?.type === type)
  return [
    ...oldest(ended('Complete'), spec?.successfulJobsHistoryLimit),
    ...oldest(ended('Failed'), spec?.failedJobsHistoryLimit),
  ]
}

function oldest(jobs: readonly Job[], limit: number | undefined): readonly Job[] {
  if (limit === undefined || jobs.length <= limit) return []
  // Jobs that never started go last.
  const startedMs = ({ status }: Job) => Date.parse(status?.startTime ?? '') || Number.POSITIVE_INFINITY
  const byStart = (left: Job, right: Job) => {
    const [one, other] = [startedMs(left), startedMs(right)]
    if (one !== other) return one < other ? -1 : 1
    return (left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1
  }
  return [...jobs].sort(byStart).slice(0, jobs.length - limit)
}

export function referenceTo({ metadata }: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata
  return { apiVersion: 'batch/v1', kind: 'Job', name, namespace, uid, resourceVersion }
}

export function isListed(status: CronJobStatus, { metadata }: Job): boolean {
  return status.active?.some(({ uid }) => uid === metadata.uid) === true
}

export function withoutJob(status: CronJobStatus, uid: string | undefined): CronJobStatus {
  return { ...status, active: (status.active ?? []).filter((one) => one.uid !== uid) }
}

/** A success that ended later than those before. */
export function withSuccess(status: CronJobStatus, job: Job): CronJobStatus {
  const ended = job.status?.completionTime
  if (ended === undefined || finishedCondition(job.status?.conditions)?.type !== 'Complete') return status
  const known = status.lastSuccessfulTime
  if (known !== undefined && Date.parse(known) >= Date.parse(ended)) return status
  return { ...status, lastSuccessfulTime: ended }
}
