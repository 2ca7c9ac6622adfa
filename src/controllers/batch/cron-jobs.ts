// Makes jobs by the clock, watches over those that run, and forgets the oldest of those that ended.
// What is due is cron-plan.ts's; running the jobs is jobs.ts's.

import type { CronJob, CronJobStatus, Job } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import type { Occurrence, Recorder } from '../../client/recorder.ts'
import { cronJobs, jobs as jobResource } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer, toController } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'
import { Expectations } from '../workloads/expectations.ts'
import { controllerIndex, indexByController, isControlledBy } from '../workloads/owners.ts'
import {
  cronJobKind,
  type Due,
  dueTime,
  isListed,
  isTooMany,
  jobName,
  jobOf,
  jobsToForget,
  nextInMs,
  referenceTo,
  withoutJob,
  withSuccess,
} from './cron-plan.ts'
import { type NextTime, readSchedule } from './cron-times.ts'
import { finishedCondition } from './job-pods.ts'

const name = 'cronjob-controller'

interface World {
  readonly client: Client
  readonly crons: Informer<CronJob>
  readonly jobs: Informer<Job>
  readonly recorder: Recorder
  readonly written: Expectations<CronJob>
  /** The schedules that were last looked at, by key. */
  readonly schedules: Map<string, string>
  readonly clock: Clock
}

interface Look extends World {
  readonly cronJob: CronJob
  readonly key: string
  readonly nowMs: number
  readonly signal: AbortSignal
}

export function startCronJobs({ clientFor, control, informers, recorderFor, clock }: Context): Controller {
  const crons = informers.of(cronJobs)
  const jobs = informers.of(jobResource)
  jobs.addIndex(controllerIndex, indexByController)
  const written = new Expectations(crons, clock)
  const schedules = new Map<string, string>()
  const world = {
    client: clientFor(name),
    crons,
    jobs,
    recorder: recorderFor(name),
    written,
    schedules,
    clock,
  }
  return control({
    name,
    sources: [fromInformer(crons), fromInformer(jobs, toController('batch/v1', 'CronJob'))],
    workers: 5,
    reconcile: async (key, { signal }) => {
      const cronJob = crons.version(key)?.object
      if (cronJob === undefined) {
        written.forget(key)
        schedules.delete(key)
        return undefined
      }
      if (!written.areMet(key)) return { requeueAfterMs: 30_000 }
      return await reconcile({ ...world, cronJob, key, nowMs: clock.now(), signal })
    },
  })
}

async function reconcile(look: Look): Promise<ReconcileResult | undefined> {
  const { client, cronJob, jobs, key, signal, written } = look
  const own = jobs
    .byIndex(controllerIndex, cronJob.metadata.uid ?? '')
    .filter((job) => isControlledBy(job, cronJob))
  const before = cronJob.status ?? {}
  const cleaned = await forgetJobs(look, before, own)
  const seen = await seeJobs(look, cleaned, own)
  let run: Run = { status: seen }
  try {
    run = await runDue(look, seen)
  } finally {
    if (!isSame(withLists(before), withLists(run.status))) {
      const next = await client.updateStatus(cronJobs, { ...cronJob, status: run.status }, { signal })
      written.expectMade(key, next)
    }
  }
  return run.waitMs === undefined ? undefined : { requeueAfterMs: run.waitMs }
}

const withLists = (status: CronJobStatus): CronJobStatus => ({ ...status, active: status.active ?? [] })

async function forgetJobs(look: Look, before: CronJobStatus, own: readonly Job[]): Promise<CronJobStatus> {
  let status = before
  for (const job of jobsToForget(look.cronJob, own)) {
    if (await removeJob(look, job)) status = withoutJob(status, job.metadata.uid)
  }
  return status
}

async function removeJob(look: Look, { metadata }: Job): Promise<boolean> {
  const { namespace, name: jobNamed = '', uid } = metadata
  try {
    await look.client.delete(
      jobResource,
      { namespace, name: jobNamed },
      { propagationPolicy: 'Background', preconditions: { uid }, signal: look.signal },
    )
  } catch (error) {
    if (isNotFound(error)) return true
    tell(look, 'Warning', 'FailedDelete', `Deleted job: ${textOf(error)}`)
    return false
  }
  tell(look, 'Normal', 'SuccessfulDelete', `Deleted job ${jobNamed}`)
  return true
}

/** Takes note of jobs that ended, and of those that are gone. */
async function seeJobs(look: Look, before: CronJobStatus, own: readonly Job[]): Promise<CronJobStatus> {
  let status = before
  for (const job of own) {
    const finished = finishedCondition(job.status?.conditions)
    if (finished === undefined) {
      if (!isListed(status, job)) {
        const text = `Saw a job that the controller did not create or forgot: ${job.metadata.name}`
        tell(look, 'Warning', 'UnexpectedJob', text)
      }
      continue
    }
    if (isListed(status, job)) {
      status = withoutJob(status, job.metadata.uid)
      const text = `Saw completed job: ${job.metadata.name}, condition: ${finished.type}`
      tell(look, 'Normal', 'SawCompletedJob', text)
    }
    status = withSuccess(status, job)
  }
  const known = new Set(own.map(({ metadata }) => metadata.uid))
  for (const { uid, namespace, name: listed = '' } of status.active ?? []) {
    if (known.has(uid)) continue
    const live = await look.client.get(jobResource, { namespace, name: listed }, { signal: look.signal })
    if (live !== undefined) continue
    tell(look, 'Normal', 'MissingJob', `Active job went missing: ${listed}`)
    status = withoutJob(status, uid)
  }
  return status
}

interface Run {
  readonly status: CronJobStatus
  readonly waitMs?: number | undefined
}

async function runDue(look: Look, status: CronJobStatus): Promise<Run> {
  const { cronJob, nowMs, schedules, key } = look
  const { spec, metadata } = cronJob
  if (metadata.deletionTimestamp !== undefined) return { status }
  const next = scheduleOf(look)
  if (next === undefined) return { status }
  const text = `${spec?.schedule} ${spec?.timeZone ?? ''}`
  const before = schedules.get(key)
  schedules.set(key, text)
  if (spec?.suspend === true) return { status }
  const waitMs = nextInMs({ ...cronJob, status }, next, nowMs)
  // A new schedule begins with its next time, not with one that would have been.
  if (before !== undefined && before !== text) return { status, waitMs }
  const due = dueTime({ ...cronJob, status }, next, { nowMs, hasDeadline: true })
  if (due === undefined) {
    const why = 'time difference between two schedules is less than 1 second'
    tell(look, 'Warning', 'InvalidSchedule', `invalid schedule: ${spec?.schedule} : ${why}`)
    return { status }
  }
  if (due.atMs === undefined || !mayStart(look, status, { ...due, atMs: due.atMs })) return { status, waitMs }
  return await start(look, status, { atMs: due.atMs, next })
}

function scheduleOf(look: Look): NextTime | undefined {
  const { schedule = '', timeZone } = look.cronJob.spec ?? {}
  try {
    return readSchedule(schedule, timeZone)
  } catch (error) {
    if (error instanceof RangeError) {
      const text = `invalid timeZone: ${JSON.stringify(timeZone)}: ${error.message}`
      tell(look, 'Warning', 'UnknownTimeZone', text)
    } else {
      const text = `unparseable schedule: ${JSON.stringify(schedule)} : ${textOf(error)}`
      tell(look, 'Warning', 'UnparseableSchedule', text)
    }
    return undefined
  }
}

function mayStart(look: Look, status: CronJobStatus, due: Due & { readonly atMs: number }): boolean {
  const { cronJob, nowMs } = look
  const { spec } = cronJob
  if (isTooMany(due)) {
    const text =
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'
    tell(look, 'Warning', 'TooManyMissedTimes', text)
  }
  const deadline = spec?.startingDeadlineSeconds
  if (deadline !== undefined && due.atMs + deadline * 1000 < nowMs) {
    const when = new Date(due.atMs).toUTCString().replace('GMT', '+0000')
    tell(look, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${when}`)
    return false
  }
  const wanted = jobName(cronJob, due.atMs)
  const isRunning = status.active?.some((one) => one.name === wanted) === true
  if (isRunning || Date.parse(status.lastScheduleTime ?? '') === due.atMs) return false
  if (spec?.concurrencyPolicy !== 'Forbid' || (status.active ?? []).length === 0) return true
  const text = 'Not starting job because prior execution is running and concurrency policy is Forbid'
  tell(look, 'Normal', 'JobAlreadyActive', text)
  return false
}

async function start(
  look: Look,
  before: CronJobStatus,
  { atMs, next }: { readonly atMs: number; readonly next: NextTime },
): Promise<Run> {
  const { cronJob, nowMs } = look
  const replaced = cronJob.spec?.concurrencyPolicy === 'Replace' ? await replaceRunning(look, before) : before
  const job = await makeJob(look, jobOf(cronJob, atMs))
  const status =
    job === undefined || isListed(replaced, job)
      ? replaced
      : {
          ...replaced,
          active: [...(replaced.active ?? []), referenceTo(job)],
          lastScheduleTime: timeOf(atMs),
        }
  const done = job === undefined ? { ...status, lastScheduleTime: timeOf(atMs) } : status
  return { status, waitMs: nextInMs({ ...cronJob, status: done }, next, nowMs) }
}

async function replaceRunning(look: Look, before: CronJobStatus): Promise<CronJobStatus> {
  let status = before
  for (const { namespace, name: listed = '', uid } of before.active ?? []) {
    const job = await look.client.get(jobResource, { namespace, name: listed }, { signal: look.signal })
    if (job !== undefined && !(await removeJob(look, job)))
      throw new Error(`could not replace job ${namespace}/${listed}`)
    status = withoutJob(status, uid)
  }
  return status
}

/** Undefined when a job of that name is somebody else's, or the namespace goes away. */
async function makeJob(look: Look, wanted: Job): Promise<Job | undefined> {
  const { client, cronJob, signal } = look
  try {
    const job = await client.create(jobResource, wanted, { signal })
    tell(look, 'Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`)
    return job
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    if (!isAlreadyExists(error)) {
      tell(look, 'Warning', 'FailedCreate', `Error creating job: ${textOf(error)}`)
      throw error
    }
    const { namespace, name: jobNamed = '' } = wanted.metadata
    const present = await client.get(jobResource, { namespace, name: jobNamed }, { signal })
    return present !== undefined && isControlledBy(present, cronJob) ? present : undefined
  }
}

function tell(
  { recorder, cronJob }: Look,
  type: Occurrence['type'],
  ...[reason, message]: [reason: string, message: string]
): void {
  recorder.record({ object: { ...cronJobKind, metadata: cronJob.metadata }, type, reason, message })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
