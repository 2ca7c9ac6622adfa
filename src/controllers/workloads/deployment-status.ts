// What a deployment says of its rollout, in upstream's words: kubectl rollout status and kstatus read them. Pure.
// Upstream: pkg/controller/deployment/progress.go and util/deployment_util.go.

import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { findCondition, timeOf, withoutCondition } from '../conditions.ts'
import { allOf, availableOf, maxUnavailableOf, type Sets, sizeOf, sum, wantedOf } from './rollout.ts'

const noDeadline = 2 ** 31 - 1

export function deadlineSecondsOf({ spec }: Deployment): number | undefined {
  const { progressDeadlineSeconds } = spec ?? {}
  return progressDeadlineSeconds === noDeadline ? undefined : progressDeadlineSeconds
}

type Conditions = readonly DeploymentCondition[]
type Change = Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>

/** The last update's time moves whenever status or reason change, the transition's with the status alone. */
export function setCondition(conditions: Conditions, change: Change, nowMs: number): Conditions {
  const present = findCondition(conditions, change.type)
  if (present?.status === change.status && present.reason === change.reason) return conditions
  const now = timeOf(nowMs)
  const lastTransitionTime = present?.status === change.status ? present.lastTransitionTime : now
  const rest = withoutCondition(conditions, change.type)
  return [...rest, { ...change, lastUpdateTime: now, lastTransitionTime }]
}

export const progressing = (
  status: 'False' | 'True' | 'Unknown',
  reason: string,
  message: string,
): Change => ({
  type: 'Progressing',
  status,
  reason,
  message,
})

/** Numbers and availability; progress and failures are added below. */
export function baseStatus(deployment: Deployment, sets: Sets, nowMs: number): DeploymentStatus {
  const all = allOf(sets)
  const count = (of: (status: NonNullable<ReplicaSet['status']>) => number | undefined) =>
    sum(all.map(({ status }) => (status === undefined ? 0 : (of(status) ?? 0))))
  const available = sum(all.map(availableOf))
  const isAvailable = available >= wantedOf(deployment) - maxUnavailableOf(deployment)
  const change: Change = isAvailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  return {
    ...deployment.status,
    observedGeneration: deployment.metadata.generation,
    replicas: count((status) => status.replicas),
    updatedReplicas: sets.current?.status?.replicas ?? 0,
    readyReplicas: count((status) => status.readyReplicas),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all.map(sizeOf)) - available),
    terminatingReplicas: count((status) => status.terminatingReplicas),
    conditions: setCondition(deployment.status?.conditions ?? [], change, nowMs),
  }
}

/** The status during a rollout, with its progress. */
export function rolloutStatus(deployment: Deployment, sets: Sets, nowMs: number): DeploymentStatus {
  const status = baseStatus(deployment, sets, nowMs)
  const known = status.conditions ?? []
  const conditions =
    deadlineSecondsOf(deployment) === undefined
      ? withoutCondition(known, 'Progressing')
      : withProgress({ deployment, current: sets.current, status, conditions: known, nowMs })
  return { ...status, conditions: withFailures(conditions, sets, nowMs) }
}

interface Progress {
  readonly deployment: Deployment
  readonly current: ReplicaSet | undefined
  readonly status: DeploymentStatus
  readonly conditions: Conditions
  readonly nowMs: number
}

function withProgress({ deployment, current, status, conditions, nowMs }: Progress): Conditions {
  const present = findCondition(conditions, 'Progressing')
  // A rollout that has ended stays ended: pods that come and go afterwards are no progress.
  const hasEnded =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && present?.reason === 'NewReplicaSetAvailable'
  if (hasEnded) return conditions
  const subject =
    current === undefined
      ? `Deployment ${JSON.stringify(deployment.metadata.name)}`
      : `ReplicaSet ${JSON.stringify(current.metadata.name)}`
  if (isComplete(deployment, status)) {
    const change = progressing('True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`)
    return setCondition(conditions, change, nowMs)
  }
  if (hasProgressed(deployment.status ?? {}, status)) {
    const change = progressing('True', 'ReplicaSetUpdated', `${subject} is progressing.`)
    return renewed(conditions, change, nowMs)
  }
  if (hasTimedOut(deployment, conditions, nowMs)) {
    const change = progressing('False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`)
    return setCondition(conditions, change, nowMs)
  }
  return conditions
}

/** As `setCondition`, but each progress moves the update's time, so that the deadline counts from the last one. */
function renewed(conditions: Conditions, change: Change, nowMs: number): Conditions {
  const present = findCondition(conditions, change.type)
  const next = setCondition(withoutCondition(conditions, change.type), change, nowMs)
  if (present?.status !== change.status) return next
  const { lastTransitionTime } = present
  return next.map((condition) =>
    condition.type === change.type ? { ...condition, lastTransitionTime } : condition,
  )
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = wantedOf(deployment)
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  )
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const oldPods = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(after) < oldPods(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(deployment: Deployment, conditions: Conditions, nowMs: number): boolean {
  const present = findCondition(conditions, 'Progressing')
  if (present === undefined || present.reason === 'NewReplicaSetAvailable') return false
  if (present.reason === 'ProgressDeadlineExceeded') return true
  const leftMs = deadlineLeftMs(deployment, present, nowMs)
  return leftMs !== undefined && leftMs < 0
}

function deadlineLeftMs(
  deployment: Deployment,
  condition: DeploymentCondition,
  nowMs: number,
): number | undefined {
  const seconds = deadlineSecondsOf(deployment)
  const sinceMs = Date.parse(condition.lastUpdateTime ?? '')
  if (seconds === undefined || Number.isNaN(sinceMs)) return undefined
  return sinceMs + seconds * 1000 - nowMs
}

/** When a stuck rollout has to be looked at again, since nothing else will say so. */
export function nextLookMs(
  deployment: Deployment,
  status: DeploymentStatus,
  nowMs: number,
): number | undefined {
  const present = findCondition(status.conditions, 'Progressing')
  if (present === undefined || deployment.spec?.paused === true) return undefined
  if (isComplete(deployment, status) || present.reason === 'ProgressDeadlineExceeded') return undefined
  if (present.reason === 'NewReplicaSetAvailable') return undefined
  const leftMs = deadlineLeftMs(deployment, present, nowMs)
  return leftMs === undefined ? undefined : Math.max(0, leftMs) + 1_000
}

/** A set that cannot make its pods says why; its deployment repeats it. */
function withFailures(conditions: Conditions, sets: Sets, nowMs: number): Conditions {
  const ordered = sets.current === undefined ? sets.old : [sets.current, ...sets.old]
  const failures = ordered.flatMap(({ status }) => findCondition(status?.conditions, 'ReplicaFailure') ?? [])
  const [failure] = failures
  if (failure === undefined) return withoutCondition(conditions, 'ReplicaFailure')
  const { type, status, reason, message } = failure
  return setCondition(conditions, { type, status, reason, message }, nowMs)
}

/** A pause stops the deadline's clock, a resumption starts it anew. */
export function pauseConditions(deployment: Deployment, nowMs: number): Conditions {
  const conditions = deployment.status?.conditions ?? []
  const present = findCondition(conditions, 'Progressing')
  if (deadlineSecondsOf(deployment) === undefined || present?.reason === 'ProgressDeadlineExceeded')
    return conditions
  const isSaidPaused = present?.reason === 'DeploymentPaused'
  const isPaused = deployment.spec?.paused === true
  if (isPaused && !isSaidPaused) {
    return setCondition(conditions, progressing('Unknown', 'DeploymentPaused', 'Deployment is paused'), nowMs)
  }
  if (!isPaused && isSaidPaused) {
    return setCondition(
      conditions,
      progressing('Unknown', 'DeploymentResumed', 'Deployment is resumed'),
      nowMs,
    )
  }
  return conditions
}

/** Zeros and what is absent mean the same; the order of conditions does not matter. */
export function isSameStatus(left: DeploymentStatus | undefined, right: DeploymentStatus): boolean {
  return isSame(comparable(left ?? {}), comparable(right))
}

function comparable(status: DeploymentStatus): unknown {
  const numbers = Object.entries(status).filter(([, value]) => typeof value === 'number' && value !== 0)
  const conditions = [...(status.conditions ?? [])].sort((left, right) => (left.type < right.type ? -1 : 1))
  return { ...Object.fromEntries(numbers), conditions }
}
