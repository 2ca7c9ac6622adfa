// One rule for each built-in kind that kstatus knows, by group and kind without a version.
// Upstream: cli-utils pkg/kstatus/status/core.go. An undefined answer leaves the judgement to the generic rules.

import type { KubeObject } from '../../api/object.ts'
import { type Condition, field, listAt, numberAt, textAt } from './fields.ts'
import { failed as broken, current, type Verdict, inProgress as waiting } from './verdict.ts'

export interface RuleInput {
  readonly object: KubeObject
  readonly conditions: readonly Condition[]
  readonly nowMs: number
}

type Rule = (input: RuleInput) => Verdict

/** Younger than this, an unschedulable pod may yet find a node. */
const scheduleWindowMs = 15_000
const noDeadline = 2_147_483_647

const isTrue = (conditions: readonly Condition[], wanted: string): boolean =>
  conditions.some(({ type, status }) => type === wanted && status === 'True')

const always: Rule = () => current('the object is always ready')

const service: Rule = ({ object }) =>
  textAt(object, 'spec', 'type') === 'LoadBalancer' && textAt(object, 'spec', 'clusterIP') === ''
    ? waiting('NoIPAssigned', 'no cluster IP is assigned')
    : current('the service is ready')

const claim: Rule = ({ object }) => {
  const phase = textAt(object, 'status', 'phase')
  return phase === 'Bound'
    ? current('the claim is bound')
    : waiting('NotBound', `the claim is not bound: its phase is ${phase || 'unknown'}`)
}

const pod: Rule = ({ object, conditions, nowMs }) => {
  const phase = textAt(object, 'status', 'phase')
  switch (phase) {
    case 'Succeeded':
      return current('the pod has completed')
    case 'Failed':
      return current('the pod has completed, but not successfully')
    case 'Running':
      return runningPod(object, conditions)
    case 'Pending':
      return pendingPod(object, conditions, nowMs)
    default:
      return waiting(
        'PodNotObserved',
        phase === '' ? 'the pod has no phase yet' : `the pod is in phase ${phase}`,
      )
  }
}

function runningPod(object: KubeObject, conditions: readonly Condition[]): Verdict {
  if (isTrue(conditions, 'Ready')) return current('the pod is ready')
  const crashing = listAt(object, 'status', 'containerStatuses')
    .filter((container) => textAt(container, 'state', 'waiting', 'reason') === 'CrashLoopBackOff')
    .map((container) => textAt(container, 'name'))
  if (crashing.length > 0)
    return broken('ContainerCrashLooping', `these containers crash again and again: ${crashing.join(', ')}`)
  return waiting('PodRunningNotReady', 'the pod runs and is not ready')
}

function pendingPod(object: KubeObject, conditions: readonly Condition[], nowMs: number): Verdict {
  const scheduled = conditions.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable')
    return waiting('PodPending', 'the pod is pending')
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? '')
  if (Number.isNaN(createdMs) || nowMs - createdMs < scheduleWindowMs)
    return waiting('PodNotScheduled', 'the pod is not scheduled yet')
  return broken('PodUnschedulable', scheduled.message === '' ? 'no node takes the pod' : scheduled.message)
}

interface Counts {
  readonly wanted: number
  readonly replicas: number
  readonly updated: number
  readonly ready: number
  readonly available: number
}

function countsOf(object: KubeObject): Counts {
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0
  return {
    wanted: numberAt(object, 'spec', 'replicas') ?? 1,
    replicas: count('replicas'),
    updated: count('updatedReplicas'),
    ready: count('readyReplicas'),
    available: count('availableReplicas'),
  }
}

const deployment: Rule = ({ object, conditions }) => {
  const deadline = numberAt(object, 'spec', 'progressDeadlineSeconds')
  let hasProgressed = deadline === undefined || deadline === noDeadline
  for (const { type, status, reason, message } of conditions) {
    if (type !== 'Progressing') continue
    if (reason === 'ProgressDeadlineExceeded')
      return broken('ProgressDeadlineExceeded', message || 'the rollout took too long')
    if (status === 'True' && reason === 'NewReplicaSetAvailable') hasProgressed = true
  }
  const { wanted, replicas, updated, ready, available } = countsOf(object)
  if (wanted > replicas)
    return waiting('LessReplicas', `${replicas} of ${wanted} replicas exist${whyNot(conditions)}`)
  if (wanted > updated) return waiting('LessUpdated', `${updated} of ${wanted} replicas are updated`)
  if (replicas > wanted) return waiting('ExtraPods', `${replicas - wanted} replicas are left to remove`)
  if (updated > available)
    return waiting('LessAvailable', `${available} of ${updated} replicas are available`)
  if (wanted > ready) return waiting('LessReady', `${ready} of ${wanted} replicas are ready`)
  if (!hasProgressed) return waiting('ReplicaSetNotAvailable', 'the new replica set is not available')
  if (!isTrue(conditions, 'Available'))
    return waiting('DeploymentNotAvailable', 'the deployment is not available')
  return current(`${replicas} replicas are available`)
}

// kstatus leaves this out: without it nobody learns that pods are refused.
function whyNot(conditions: readonly Condition[]): string {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  return failure === undefined ? '' : `: ${failure.message}`
}

const statefulSet: Rule = ({ object }) => {
  if (textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete')
    return current('updated only when pods are deleted')
  const { wanted, replicas, updated, ready } = countsOf(object)
  if (wanted > replicas) return waiting('LessReplicas', `${replicas} of ${wanted} replicas exist`)
  if (wanted > ready) return waiting('LessReady', `${ready} of ${wanted} replicas are ready`)
  if (replicas > wanted) return waiting('ExtraPods', `${replicas - wanted} replicas are left to remove`)
  const partition = numberAt(object, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? -1
  if (partition !== -1) {
    if (updated < wanted - partition)
      return waiting('PartitionRollout', `${updated} of ${wanted - partition} replicas are updated`)
    return current('the partitioned rollout is complete')
  }
  const atCurrent = numberAt(object, 'status', 'currentReplicas') ?? 0
  if (wanted > atCurrent)
    return waiting('LessCurrent', `${atCurrent} of ${wanted} replicas have the current revision`)
  if (textAt(object, 'status', 'currentRevision') !== textAt(object, 'status', 'updateRevision')) {
    return waiting('RevisionMismatch', 'replicas of an old revision are left')
  }
  return current(`${replicas} replicas are ready`)
}

const daemonSet: Rule = ({ object }) => {
  if (object.metadata.generation === undefined) return waiting('NoGeneration', 'the generation is not set')
  if (numberAt(object, 'status', 'observedGeneration') === undefined)
    return waiting('NoObservedGeneration', 'no controller has seen it')
  const count = (name: string): number => numberAt(object, 'status', name) ?? 0
  const desired = numberAt(object, 'status', 'desiredNumberScheduled') ?? -1
  if (desired === -1) return waiting('NoDesiredNumber', 'the number of nodes is not known yet')
  if (desired > count('currentNumberScheduled'))
    return waiting('LessCurrent', `${count('currentNumberScheduled')} of ${desired} pods are scheduled`)
  if (desired > count('updatedNumberScheduled'))
    return waiting('LessUpdated', `${count('updatedNumberScheduled')} of ${desired} pods are updated`)
  if (desired > count('numberAvailable'))
    return waiting('LessAvailable', `${count('numberAvailable')} of ${desired} pods are available`)
  if (desired > count('numberReady'))
    return waiting('LessReady', `${count('numberReady')} of ${desired} pods are ready`)
  return current(`all ${desired} pods are ready`)
}

const replicaSet: Rule = ({ object, conditions }) => {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  if (failure !== undefined) return waiting('ReplicaFailure', failure.message || 'replicas cannot be made')
  const { wanted, replicas, ready, available } = countsOf(object)
  const labelled = numberAt(object, 'status', 'fullyLabeledReplicas') ?? 0
  if (wanted > labelled) return waiting('LessLabelled', `${labelled} of ${wanted} replicas are labelled`)
  if (wanted > available) return waiting('LessAvailable', `${available} of ${wanted} replicas are available`)
  if (wanted > ready) return waiting('LessReady', `${ready} of ${wanted} replicas are ready`)
  if (replicas > wanted) return waiting('ExtraPods', `${replicas - wanted} replicas are left to remove`)
  return current(`${replicas} replicas are available`)
}

const job: Rule = ({ object, conditions }) => {
  for (const { type, status, message } of conditions) {
    if (status !== 'True') continue
    if (type === 'Complete') return current('the job is complete')
    if (type === 'Suspended' && field(object, 'spec', 'suspend') === true)
      return current('the job is suspended')
    if (type === 'Failed') return broken('JobFailed', message || 'the job failed')
  }
  if (textAt(object, 'status', 'startTime') === '') return waiting('JobNotStarted', 'the job has not started')
  return current('the job runs')
}

const definition: Rule = ({ conditions }) => {
  for (const { type, status, reason, message } of conditions) {
    if (type === 'NamesAccepted' && status === 'False') return broken(reason, message)
    if (type === 'Established' && status === 'False' && reason !== 'Installing')
      return broken(reason, message)
    if (type === 'Established' && status === 'True') return current('the definition is established')
  }
  return waiting('Installing', 'the definition is being installed')
}

export const kindRules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['ConfigMap', always],
  ['Secret', always],
  ['batch/CronJob', always],
  ['policy/PodDisruptionBudget', always],
  ['Service', service],
  ['PersistentVolumeClaim', claim],
  ['Pod', pod],
  ['apps/Deployment', deployment],
  ['extensions/Deployment', deployment],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['extensions/DaemonSet', daemonSet],
  ['apps/ReplicaSet', replicaSet],
  ['extensions/ReplicaSet', replicaSet],
  ['batch/Job', job],
  ['apiextensions.k8s.io/CustomResourceDefinition', definition],
])
