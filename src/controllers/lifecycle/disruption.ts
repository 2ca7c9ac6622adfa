// Keeps the status of disruption budgets, by which evictions are judged: how many pods are healthy, how many must be.
// The counting is disruption-status.ts's; the eviction itself is the server's.

import type { Pod, PodDisruptionBudget } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import { type AnyObject, type Client, type ResourceRef, subresourceOf } from '../../client/client.ts'
import { isConflict } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/objects.ts'
import type { Recorder } from '../../client/recorder.ts'
import {
  deployments,
  podDisruptionBudgets,
  pods as podResource,
  replicaSets,
} from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context, ResourceLister } from '../context.ts'
import { controllerOf } from '../workloads/owners.ts'
import {
  budgetStatus,
  evictionTimeoutMs,
  failedStatus,
  needsScale,
  recheckInMs,
} from './disruption-status.ts'

const name = 'disruption-controller'

interface World {
  readonly client: Client
  readonly budgets: Informer<PodDisruptionBudget>
  readonly pods: Informer<Pod>
  readonly recorder: Recorder
  readonly resources: ResourceLister
  readonly clock: Clock
}

export function startDisruption(context: Context): Controller {
  const { clientFor, control, informers, recorderFor, clock, resources } = context
  const budgets = informers.of(podDisruptionBudgets)
  const pods = informers.of(podResource)
  const world = { client: clientFor(name), budgets, pods, recorder: recorderFor(name), resources, clock }
  return control({
    name,
    sources: [
      fromInformer(budgets),
      fromInformer(pods, ({ header }) =>
        budgets
          .list(header.namespace)
          .filter(({ spec }) => fromLabelSelectorObject(spec?.selector).matches(header.labels))
          .map(({ metadata }) => keyOf(metadata)),
      ),
    ],
    reconcile: (key, { signal }) => reconcile(world, key, signal),
  })
}

async function reconcile(
  world: World,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult | undefined> {
  const { client, budgets, pods, recorder, clock } = world
  const budget = budgets.version(key)?.object
  if (budget === undefined) return undefined
  const selector = fromLabelSelectorObject(budget.spec?.selector)
  const chosen = pods
    .versions(budget.metadata.namespace)
    .filter(({ header }) => selector.matches(header.labels))
    .map(({ object }) => object)
  if (chosen.length === 0) tell(recorder, budget, 'Normal', 'NoPods', 'No matching pods found')
  const nowMs = clock.now()
  const now = timeOf(nowMs)
  let status = budget.status
  try {
    const scale = needsScale(budget) ? await expectedScale(world, budget, { pods: chosen, signal }) : 0
    status = budgetStatus({ budget, pods: chosen, scale, nowMs, now })
    warnOfStaying(recorder, budget, { pods: chosen, nowMs })
  } catch (error) {
    if (isConflict(error) || signal.aborted) throw error
    const text = error instanceof Error ? error.message : String(error)
    const message = `Failed to calculate the number of expected pods: ${text}`
    tell(recorder, budget, 'Warning', 'CalculateExpectedPodCountFailed', message)
    status = failedStatus(budget, text, now)
  }
  if (status !== budget.status)
    await client.updateStatus(podDisruptionBudgets, { ...budget, status }, { signal })
  return { requeueAfterMs: recheckInMs(status ?? {}, nowMs) }
}

interface Asking {
  readonly pods: readonly Pod[]
  readonly signal: AbortSignal
}

/** The sum of what the controllers of the pods want; pods without one are told of and not counted. */
async function expectedScale(
  world: World,
  budget: PodDisruptionBudget,
  { pods, signal }: Asking,
): Promise<number> {
  const scales = new Map<string, number>()
  let unmanaged = 0
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (owner === undefined) {
      unmanaged += 1
      continue
    }
    if (scales.has(owner.uid)) continue
    const { uid, scale } = await scaleOf(world, pod, signal)
    scales.set(owner.uid, 0)
    scales.set(uid, scale)
  }
  if (unmanaged > 0) {
    const message =
      `${unmanaged} of the selected pods have no controller and are not counted; ` +
      'spec.minAvailable as a number counts them'
    tell(world.recorder, budget, 'Warning', 'UnmanagedPods', message)
  }
  return [...scales.values()].reduce((sum, scale) => sum + scale, 0)
}

interface Scale extends AnyObject {
  readonly spec?: { readonly replicas?: number | undefined } | undefined
}

async function scaleOf(
  { client, resources }: World,
  pod: Pod,
  signal: AbortSignal,
): Promise<{ readonly uid: string; readonly scale: number }> {
  const owner = controllerOf(pod)
  const { namespace } = pod.metadata
  const missing = new Error(`found no controllers for pod "${pod.metadata.name}"`)
  if (owner === undefined) throw missing
  if (owner.kind === 'ReplicaSet' && owner.apiVersion.startsWith('apps/')) {
    const set = await client.get(replicaSets, { namespace, name: owner.name }, { signal })
    if (set?.metadata.uid !== owner.uid) throw missing
    const parent = controllerOf(set)
    if (parent?.kind !== 'Deployment') return { uid: owner.uid, scale: set.spec?.replicas ?? 1 }
    const deployment = await client.get(deployments, { namespace, name: parent.name }, { signal })
    if (deployment?.metadata.uid !== parent.uid) throw missing
    return { uid: parent.uid, scale: deployment.spec?.replicas ?? 1 }
  }
  const resource = resources
    .list()
    .find(
      (one) =>
        one.kind === owner.kind &&
        (one.group === '' ? one.version : `${one.group}/${one.version}`) === owner.apiVersion,
    )
  if (resource === undefined) throw missing
  const plain: ResourceRef = resource
  const found = await client
    .get(subresourceOf<Scale>(plain, 'scale'), { namespace, name: owner.name }, { signal })
    .catch((cause: unknown) => {
      const text = `${resource.resource}.${resource.group} does not implement the scale subresource`
      throw new Error(text, { cause })
    })
  if (found === undefined) throw missing
  return { uid: owner.uid, scale: found.spec?.replicas ?? 0 }
}

function warnOfStaying(
  recorder: Recorder,
  { metadata, status }: PodDisruptionBudget,
  { pods, nowMs }: { readonly pods: readonly Pod[]; readonly nowMs: number },
): void {
  for (const pod of pods) {
    const since = Date.parse(status?.disruptedPods?.[pod.metadata.name ?? ''] ?? '')
    if (pod.metadata.deletionTimestamp !== undefined || !(since + evictionTimeoutMs < nowMs)) continue
    recorder.record({
      object: { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata },
      type: 'Warning',
      reason: 'NotDeleted',
      message: `Pod was expected by PDB ${metadata.namespace}/${metadata.name} to be deleted but it wasn't`,
    })
  }
}

function tell(
  recorder: Recorder,
  { metadata }: PodDisruptionBudget,
  ...[type, reason, message]: [type: 'Normal' | 'Warning', reason: string, message: string]
): void {
  const object = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata }
  recorder.record({ object, type, reason, message })
}
