// Tells from one object alone whether it is as its spec wants it: a pure answer, the same that Flux, Helm 4 and Zarf give.
// Upstream: cli-utils pkg/kstatus/status. What is added to it stands in additions.ts; who polls is apply/wait.ts's.

import type { KubeObject } from '../../api/object.ts'
import { parseApiVersion } from '../../api/object.ts'
import { type Condition, conditionsOf, numberAt } from './fields.ts'
import { kindRules } from './kinds.ts'
import { current, failed, inProgress, type Verdict } from './verdict.ts'

export interface ComputeOptions {
  /** Wall time, for pods that cannot be scheduled. */
  readonly nowMs: number
}

/** The first rule that decides wins: deletion, generation, standard conditions, the kind's rule, the Ready condition. */
export function compute(object: KubeObject, options: ComputeOptions): Verdict {
  if (object.metadata.deletionTimestamp !== undefined) {
    return { status: 'Terminating', reason: 'Terminating', message: 'the object is being deleted' }
  }
  const conditions = conditionsOf(object)
  return (
    judgeGeneration(object) ??
    judgeStandardConditions(conditions) ??
    judgeKind(object, conditions, options) ??
    judgeReady(conditions) ??
    current()
  )
}

function judgeGeneration(object: KubeObject): Verdict | undefined {
  const wanted = object.metadata.generation
  const observed = numberAt(object, 'status', 'observedGeneration')
  if (wanted === undefined || observed === undefined || wanted === observed) return undefined
  return inProgress(
    'LatestGenerationNotObserved',
    `generation is ${wanted}, but the controller has seen ${observed}`,
  )
}

function judgeStandardConditions(conditions: readonly Condition[]): Verdict | undefined {
  for (const { type, status, reason, message } of conditions) {
    if (type === 'Reconciling' && status === 'True') return inProgress(reason, message)
    if (type === 'Stalled' && status === 'True') return failed(reason, message)
  }
  return undefined
}

function judgeKind(
  object: KubeObject,
  conditions: readonly Condition[],
  { nowMs }: ComputeOptions,
): Verdict | undefined {
  const { group } = parseApiVersion(object.apiVersion ?? '')
  const key = group === '' ? (object.kind ?? '') : `${group}/${object.kind}`
  return kindRules.get(key)?.({ object, conditions, nowMs })
}

function judgeReady(conditions: readonly Condition[]): Verdict | undefined {
  const ready = conditions.find(({ type }) => type === 'Ready')
  if (ready === undefined) return undefined
  if (ready.status === 'True') return current()
  return inProgress(
    ready.reason === '' ? 'NotReady' : ready.reason,
    ready.message === '' ? 'condition Ready is not true' : ready.message,
  )
}
