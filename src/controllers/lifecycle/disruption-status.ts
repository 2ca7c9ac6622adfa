// What a disruption budget says of the pods it selects: how many may be evicted now. Pure.
// Upstream: pkg/controller/disruption. Finding the pods' owners and writing the status is disruption.ts's.

import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { withCondition } from '../conditions.ts'
import { isReady, isTerminating } from '../workloads/pods.ts'
import { share } from '../workloads/rollout.ts'

/** An evicted pod that is not deleted after so long is taken for staying. */
export const evictionTimeoutMs = 120_000

/** Whether the owners of the pods must be asked how many pods there should be. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === 'string'
}

export interface BudgetWorld {
  readonly budget: PodDisruptionBudget
  readonly pods: readonly Pod[]
  /** How many pods their owners want; asked only when `needsScale`. */
  readonly scale: number
  readonly nowMs: number
  readonly now: string
}

/** The same status when nothing changes. */
export function budgetStatus(world: BudgetWorld): PodDisruptionBudgetStatus {
  const { budget, pods, nowMs } = world
  const { expectedPods, desiredHealthy } = expectation(world)
  const disruptedPods = pendingEvictions(budget, pods, nowMs)
  const isCounted = (pod: Pod) =>
    !isTerminating(pod) && isReady(pod) && disruptedPods[pod.metadata.name ?? ''] === undefined
  const currentHealthy = pods.filter(isCounted).length
  // A budget without pods allows nothing: it is safe when its first pods appear.
  const disruptionsAllowed = expectedPods <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy)
  const observedGeneration = budget.metadata.generation ?? 0
  return settled(budget, {
    observedGeneration,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    disruptionsAllowed,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    conditions: withCondition(budget.status?.conditions ?? [], {
      ...allowedCondition(disruptionsAllowed > 0),
      observedGeneration,
      lastTransitionTime: world.now,
    }),
  })
}

/** When nothing can be counted, nothing may be evicted. */
export function failedStatus(
  budget: PodDisruptionBudget,
  message: string,
  now: string,
): PodDisruptionBudgetStatus {
  const conditions = withCondition(budget.status?.conditions ?? [], {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    observedGeneration: budget.status?.observedGeneration ?? 0,
    lastTransitionTime: now,
  })
  return settled(budget, { ...budget.status, disruptionsAllowed: 0, conditions })
}

function settled(budget: PodDisruptionBudget, next: PodDisruptionBudgetStatus): PodDisruptionBudgetStatus {
  return budget.status !== undefined && isSame(withZeros(budget.status), withZeros(next))
    ? budget.status
    : next
}

function withZeros(status: PodDisruptionBudgetStatus): PodDisruptionBudgetStatus {
  const { disruptionsAllowed = 0, currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = status
  const { disruptedPods = {}, observedGeneration = 0 } = status
  const counts = { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods }
  return { ...status, ...counts, disruptedPods, observedGeneration }
}

const allowedCondition = (isAllowed: boolean) => ({
  type: 'DisruptionAllowed',
  status: isAllowed ? 'True' : 'False',
  reason: isAllowed ? 'SufficientPods' : 'InsufficientPods',
  message: '',
})

function expectation({ budget, pods, scale }: BudgetWorld) {
  const { maxUnavailable, minAvailable } = budget.spec ?? {}
  if (maxUnavailable !== undefined) {
    const unavailable = share(maxUnavailable, scale, Math.ceil)
    return { expectedPods: scale, desiredHealthy: Math.max(0, scale - unavailable) }
  }
  if (typeof minAvailable === 'string')
    return { expectedPods: scale, desiredHealthy: share(minAvailable, scale, Math.ceil) }
  return { expectedPods: minAvailable === undefined ? 0 : pods.length, desiredHealthy: minAvailable ?? 0 }
}

/** Pods whose eviction was allowed and that are still there. */
function pendingEvictions(
  { status }: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): Readonly<Record<string, string>> {
  const staying = new Set(pods.filter((pod) => !isTerminating(pod)).map(({ metadata }) => metadata.name))
  return Object.fromEntries(
    Object.entries(status?.disruptedPods ?? {}).filter(
      ([name, since]) => staying.has(name) && Date.parse(since) + evictionTimeoutMs >= nowMs,
    ),
  )
}

/** When the first of the pending evictions is given up; undefined when none is pending. */
export function recheckInMs({ disruptedPods }: PodDisruptionBudgetStatus, nowMs: number): number | undefined {
  const times = Object.values(disruptedPods ?? {}).map((since) => Date.parse(since))
  return times.length === 0 ? undefined : Math.max(1, Math.min(...times) + evictionTimeoutMs + 1 - nowMs)
}
