// Whether disruption budgets let a pod be evicted; a budget that does is charged before the pod goes.
// Upstream: pkg/registry/core/pod/storage/eviction.go. What a budget allows, its controller counts.

import type { PodDisruptionBudget } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import { type ApiError, forbidden, timeout, tooManyRequests } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { formatTime } from '../../api/time.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { Spine } from '../spine.ts'

/** Evictions that no controller has confirmed yet. */
const pendingMax = 2_000
const attemptsMax = 20

const violation = "Cannot evict pod as it would violate the pod's disruption budget."
export const manyBudgets =
  'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'

type Budget = PodDisruptionBudget & KubeObject

/** The budgets whose selector matches a pod. */
export function budgetsOf(spine: Spine, pod: KubeObject): readonly string[] {
  const kind = budgetKind(spine)
  if (kind === undefined) return []
  return spine.catalog.cache
    .list(spine.catalog.prefix(kind, pod.metadata.namespace ?? ''))
    .filter((stored) => {
      const selector = fromLabelSelectorObject((stored.object as Budget).spec?.selector)
      return selector.matches(pod.metadata.labels)
    })
    .map(({ header }) => header.name)
}

function budgetKind({ catalog }: Spine): Kind | undefined {
  return catalog.find({ group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' })
}

/** Pods that do not serve need no protection, as long as those that do are enough. */
export function sparesUnready(spine: Spine, pod: KubeObject, name: string): boolean {
  const stored = read(spine, pod, name)
  if (stored === undefined) return true
  const { spec, status } = stored.object as Budget
  if (spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

/** Charges the budget for the eviction of a pod; throws 429 when it allows none. */
export async function charge(
  spine: Spine,
  pod: KubeObject,
  { name, isDryRun }: { readonly name: string; readonly isDryRun: boolean },
): Promise<void> {
  const kind = budgetKind(spine)
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const stored = read(spine, pod, name)
    if (kind === undefined || stored === undefined) return
    const budget = stored.object as Budget
    const refusal = refusalOf(budget)
    if (refusal !== undefined) throw refusal
    if (isDryRun) return
    const charged = withCharge(budget, pod.metadata.name ?? '', formatTime(spine.clock.now()))
    const result = await spine.catalog.put(kind, charged, stored.revision)
    if (result.ok) return
  }
  throw timeout(`couldn't update PodDisruptionBudget ${JSON.stringify(name)} due to conflicts`, 10)
}

function read(spine: Spine, pod: KubeObject, name: string): StoredObject | undefined {
  const kind = budgetKind(spine)
  return kind === undefined ? undefined : spine.catalog.get(kind, pod.metadata.namespace ?? '', name)
}

/** The controller has not counted yet: ask again. */
export function notCounted(name: string): ApiError {
  const message = `The disruption budget ${name} is still being processed by the server.`
  return tooManyRequests(violation, 10, [{ reason: 'DisruptionBudget', message }])
}

function refusalOf({ metadata, status = {} }: Budget): ApiError | undefined {
  const name = metadata.name ?? ''
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return notCounted(name)
  const allowed = status.disruptionsAllowed ?? 0
  const about = { group: 'policy', resource: 'poddisruptionbudget' }
  if (allowed < 0) return forbidden(about, name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > pendingMax) {
    const detail = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'
    return forbidden(about, name, detail)
  }
  if (allowed > 0) return undefined
  return tooManyRequests(violation, 0, [{ reason: 'DisruptionBudget', message: whyNone(name, status) }])
}

function whyNone(name: string, status: NonNullable<PodDisruptionBudget['status']>): string {
  const { currentHealthy = 0, desiredHealthy = 0 } = status
  const condition = status.conditions?.find(
    (one) => one.type === 'DisruptionAllowed' && one.status === 'False' && one.message !== '',
  )
  const text = `The disruption budget ${name}`
  if (condition?.reason === 'SyncFailed')
    return `${text} does not allow evicting pods currently because it failed sync: ${condition.message}`
  if (currentHealthy <= desiredHealthy)
    return `${text} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  if (condition === undefined) return `${text} does not allow evicting pods currently`
  return `${text} does not allow evicting pods currently (${condition.reason}): ${condition.message}`
}

function withCharge(budget: Budget, podName: string, now: string): KubeObject {
  const { status = {} } = budget
  const disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1
  const conditions =
    disruptionsAllowed > 0
      ? status.conditions
      : status.conditions?.map((one) =>
          one.type === 'DisruptionAllowed' && one.status === 'True'
            ? { ...one, status: 'False', reason: 'InsufficientPods', message: '', lastTransitionTime: now }
            : one,
        )
  const disruptedPods = { ...status.disruptedPods, [podName]: now }
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed,
      disruptedPods,
      ...(conditions === undefined ? {} : { conditions }),
    },
  }
}
