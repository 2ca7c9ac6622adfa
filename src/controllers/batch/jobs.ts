// Runs jobs: as many pods as they want, each counted once when it ends, until the job is complete or has failed.
// What is decided stands in job-*.ts; this reads, does and writes. Removing finished jobs is ttl-after-finished.ts's.

import type { Job, JobStatus, Pod } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import { isSame } from '../../api/value.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { splitKey } from '../../client/objects.ts'
import type { Recorder } from '../../client/recorder.ts'
import { jobs as jobResource, pods as podResource } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'
import { Expectations } from '../workloads/expectations.ts'
import { candidatesOf, claim, controllerIndex, indexByController } from '../workloads/owners.ts'
import { podOwners } from '../workloads/pod-owners.ts'
import { isReady } from '../workloads/pods.ts'
import { JobActions } from './job-actions.ts'
import { type Backoff, noBackoff } from './job-backoff.ts'
import { planJob } from './job-plan.ts'
import {
  hasTrackingFinalizer,
  isJobFinished,
  isManagedElsewhere,
  isSuspended,
  jobKind,
  trackingFinalizer,
} from './job-pods.ts'
import { finish, settle, trackPods, withTarget } from './job-tracking.ts'
import {
  completionsReached,
  deadlineLeftMs,
  isComplete,
  suspensionConditions,
  type Verdict,
  verdictOf,
} from './job-verdict.ts'
import { type JobView, viewJob } from './job-view.ts'

const name = 'job-controller'

interface World {
  readonly client: Client
  readonly jobs: Informer<Job>
  readonly pods: Informer<Pod>
  readonly recorder: Recorder
  readonly madePods: Expectations<Pod>
  /** Statuses written: a look at an older one would count again. */
  readonly written: Expectations<Job>
  /** By key of a job: uids of pods whose finalizer was taken off. */
  readonly released: Map<string, Set<string>>
  readonly backoffs: Map<string, Backoff>
  readonly clock: Clock
}

export function startJobs({ clientFor, control, informers, recorderFor, clock }: Context): Controller {
  const jobs = informers.of(jobResource)
  const pods = informers.of(podResource)
  pods.addIndex(controllerIndex, indexByController)
  const world: World = {
    client: clientFor(name),
    jobs,
    pods,
    recorder: recorderFor(name),
    madePods: new Expectations(pods, clock),
    written: new Expectations(jobs, clock),
    released: new Map(),
    backoffs: new Map(),
    clock,
  }
  return control({
    name,
    sources: [fromInformer(jobs), fromInformer(pods, podOwners(jobs, 'Job', { group: 'batch' }))],
    workers: 5,
    reconcile: (key, { signal }) => reconcile(world, key, signal),
  })
}

async function reconcile(
  world: World,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const job = world.jobs.version(key)?.object
  if (job === undefined || isJobFinished(job)) {
    forget(world, key)
    return undefined
  }
  if (isManagedElsewhere(job)) return undefined
  // The world that the next decision needs is on its way; its arrival wakes this key again.
  if (!world.written.areMet(key) || !world.madePods.areMet(key)) return { requeueAfterMs: 30_000 }
  const pods = await podsOf(world, job, key, signal)
  const released = stillShown(world, key, pods)
  const view = viewJob({ job, pods, released, backoff: world.backoffs.get(key) ?? noBackoff })
  const actions = new JobActions({ ...world, job, key, released, signal })
  const nowMs = world.clock.now()
  const verdict = verdictOf(view, nowMs)
  const done = verdict === undefined ? await goOn(view, actions, nowMs) : await end(view, actions, verdict)
  world.backoffs.set(key, view.backoff)
  const status = await track(world, { view, actions, done, key, signal, nowMs })
  if (done.error !== undefined) throw done.error
  const deadlineMs = deadlineLeftMs({ ...job, status }, nowMs)
  const waits = [done.waitMs, deadlineMs].filter((waitMs) => waitMs !== undefined)
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.max(1, Math.min(...waits)) }
}

function forget({ madePods, written, released, backoffs }: World, key: string): void {
  madePods.forget(key)
  written.forget(key)
  released.delete(key)
  backoffs.delete(key)
}

async function podsOf(
  { client, pods }: World,
  job: Job,
  key: string,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  return await claim({
    client,
    resource: podResource,
    owner: job,
    ownerKind: jobKind,
    readOwner: () => client.get(jobResource, splitKey(key), { signal }),
    selector: fromLabelSelectorObject(job.spec?.selector),
    candidates: candidatesOf(pods, job),
    finalizer: trackingFinalizer,
    signal,
  })
}

/** Forgets those of which the copy shows by now that the finalizer is off. */
function stillShown({ released }: World, key: string, pods: readonly Pod[]): Set<string> {
  const shown = new Set(pods.filter(hasTrackingFinalizer).map(({ metadata }) => metadata.uid ?? ''))
  const kept = new Set([...(released.get(key) ?? [])].filter((uid) => shown.has(uid)))
  released.set(key, kept)
  return kept
}

interface Done {
  readonly verdict: Verdict | undefined
  readonly counts: { readonly active: number; readonly ready: number; readonly terminating: number }
  /** With the times and conditions that follow from being suspended or resumed. */
  readonly status: JobStatus
  readonly error?: unknown
  readonly waitMs?: number | undefined
}

async function goOn(view: JobView, actions: JobActions, nowMs: number): Promise<Done> {
  const { job } = view
  const isLeaving = job.metadata.deletionTimestamp !== undefined
  const plan = isLeaving ? { create: [], remove: [] } : planJob(view, nowMs)
  const removed = await actions.remove(plan.remove, { isCounted: false })
  const made = removed.error === undefined ? await actions.make(plan.create, view.delayed) : { made: 0 }
  const counts = countsAfter(view, removed.gone, made.made)
  const verdict = isComplete(view, counts.active) ? completionsReached : undefined
  const started = startedStatus(job, timeOf(nowMs))
  const status =
    verdict === undefined && !isLeaving ? suspensionStatus(job, started, actions, timeOf(nowMs)) : started
  const error = removed.error ?? made.error
  return { verdict, counts, status, error, waitMs: plan.waitMs }
}

/** The pods that still run are of no use any more; the verdict stands when all of them are going. */
async function end(view: JobView, actions: JobActions, verdict: Verdict): Promise<Done> {
  const { gone, error } = await actions.remove(view.active, { isCounted: true })
  const isSettled = gone.size === view.active.length
  const status = startedStatus(view.job, timeOf(actions.nowMs()))
  return {
    verdict: isSettled ? verdict : undefined,
    counts: countsAfter(view, gone, 0),
    status,
    error,
  }
}

function countsAfter({ active, terminating }: JobView, gone: ReadonlySet<string>, made: number) {
  const left = active.filter(({ metadata }) => !gone.has(metadata.uid ?? ''))
  return {
    active: left.length + made,
    ready: left.filter(isReady).length,
    terminating: terminating + gone.size,
  }
}

function startedStatus(job: Job, now: string): JobStatus {
  const status = job.status ?? {}
  return status.startTime !== undefined || isSuspended(job) ? status : { ...status, startTime: now }
}

function suspensionStatus(job: Job, status: JobStatus, actions: JobActions, now: string): JobStatus {
  const conditions = suspensionConditions(job, now)
  if (conditions === undefined) return status
  if (isSuspended(job)) {
    actions.tell('Normal', 'Suspended', 'Job suspended')
    const { startTime: _, ...rest } = status
    return { ...rest, conditions }
  }
  actions.tell('Normal', 'Resumed', 'Job resumed')
  // A deadline counts from the time that the job goes on.
  return { ...status, conditions, startTime: now }
}

interface TrackingStep {
  readonly view: JobView
  readonly actions: JobActions
  readonly done: Done
  readonly key: string
  readonly signal: AbortSignal
  readonly nowMs: number
}

/** Writes what was found, lets go of what is counted, and writes again what follows from that. */
async function track(world: World, step: TrackingStep): Promise<JobStatus> {
  const { view, actions, done, nowMs } = step
  const now = timeOf(nowMs)
  const tracking = trackPods(view, { ...done.status, ...done.counts }, done.verdict)
  const noted = withTarget(tracking.status, done.verdict, now)
  const job = await writeStatus(world, view.job, noted, step)
  const error = await actions.release(tracking.release)
  const tracked = view.pods.filter(view.isTracked).map(({ metadata }) => metadata.uid ?? '')
  const settled = settle(noted, new Set(tracked))
  const ended =
    error === undefined && !tracking.isCut
      ? finish(settled, done.verdict, { terminating: done.counts.terminating, now })
      : undefined
  await writeStatus(world, job, ended ?? settled, step)
  if (ended !== undefined && done.verdict !== undefined) tellEnd(actions, done.verdict, view)
  if (error !== undefined) throw error
  return ended ?? settled
}

async function writeStatus(
  { client, written }: World,
  job: Job,
  status: JobStatus,
  { key, signal }: TrackingStep,
): Promise<Job> {
  if (isSame(withoutZeros(job.status ?? {}), withoutZeros(status))) return job
  const next = await client.updateStatus(jobResource, { ...job, status }, { signal })
  written.expectMade(key, next)
  return next
}

// The server may leave zeros out: they mean the same, but for the counts that are told even when there are none.
function withoutZeros(status: JobStatus): JobStatus {
  const { active = 0, succeeded = 0, failed = 0, completedIndexes = '', conditions = [] } = status
  const { uncountedTerminatedPods = {} } = status
  const read = { ...status, active, succeeded, failed, completedIndexes, conditions, uncountedTerminatedPods }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}

function tellEnd(actions: JobActions, { isSuccess, reason, message }: Verdict, { job, succeeded }: JobView) {
  if (!isSuccess) {
    actions.tell('Warning', reason, message)
    return
  }
  if (job.spec?.completions !== undefined && succeeded > job.spec.completions) {
    const text = 'Too many succeeded pods running after completion count reached'
    actions.tell('Warning', 'TooManySucceededPods', text)
  }
  actions.tell('Normal', 'Completed', 'Job completed')
}
