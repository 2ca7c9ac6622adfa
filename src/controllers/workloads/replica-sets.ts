// Keeps as many pods as a ReplicaSet or ReplicationController asks for: takes in and lets go, makes and removes, tells.
// Which pods go is replica-plan.ts's, what is told replica-status.ts's.

import type { Pod, ReplicaSet, ReplicaSetStatus } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import type { AnyObject, Client, ResourceRef } from '../../client/client.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/objects.ts'
import type { Occurrence, Recorder } from '../../client/recorder.ts'
import { pods as podResource, replicaSets } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'
import { Expectations } from './expectations.ts'
import {
  candidatesOf,
  claim,
  controllerIndex,
  controllerOf,
  controllerReference,
  indexByController,
  type OwnerKind,
} from './owners.ts'
import { podOwners } from './pod-owners.ts'
import { availableInMs, isActive, podOf } from './pods.ts'
import { planReplicas, type ReplicaPlan } from './replica-plan.ts'
import { replicaStatus } from './replica-status.ts'
import { slowStart } from './slow-start.ts'

/** What differs between the kinds that keep a number of pods; upstream runs both with one controller, too. */
export interface ReplicaKind<T extends AnyObject> {
  readonly name: string
  readonly ownerKind: OwnerKind
  /** Of the owner's kind, for pods that name it. */
  readonly group: string
  readonly resource: ResourceRef<T>
  readonly toSet: (object: T) => ReplicaSet
  readonly withStatus: (object: T, status: ReplicaSetStatus) => T
}

const replicaSetKind: ReplicaKind<ReplicaSet> = {
  name: 'replicaset-controller',
  ownerKind: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  group: 'apps',
  resource: replicaSets,
  toSet: (set) => set,
  withStatus: (set, status) => ({ ...set, status }),
}

interface World {
  readonly client: Client
  readonly ownerKind: OwnerKind
  /** Sets of the same controller, by its uid. */
  readonly siblings: (uid: string) => readonly ReplicaSet[]
  readonly pods: Informer<Pod>
  readonly recorder: Recorder
  readonly expectations: Expectations<Pod>
  readonly clock: Clock
}

export function startReplicaSets(context: Context): Controller {
  return startReplicas(context, replicaSetKind)
}

export function startReplicas<T extends AnyObject>(
  { clientFor, control, informers, recorderFor, clock }: Context,
  kind: ReplicaKind<T>,
): Controller {
  const { name, ownerKind, group, resource } = kind
  const objects = informers.of(resource)
  const pods = informers.of(podResource)
  const expectations = new Expectations(pods, clock)
  const client = clientFor(name)
  const siblings = (uid: string) => objects.byIndex(controllerIndex, uid).map(kind.toSet)
  const world = { client, ownerKind, siblings, pods, recorder: recorderFor(name), expectations, clock }
  objects.addIndex(controllerIndex, indexByController)
  pods.addIndex(controllerIndex, indexByController)
  return control({
    name,
    sources: [fromInformer(objects), fromInformer(pods, podOwners(objects, ownerKind.kind, { group }))],
    workers: 5,
    reconcile: async (key, { signal }) => {
      const object = objects.version(key)?.object
      if (object === undefined) {
        expectations.forget(key)
        return undefined
      }
      return await reconcile(world, kind, { object, key, signal })
    },
  })
}

async function reconcile<T extends AnyObject>(
  world: World,
  { resource, toSet, withStatus }: ReplicaKind<T>,
  { object, key, signal }: { readonly object: T; readonly key: string; readonly signal: AbortSignal },
): Promise<ReconcileResult | undefined> {
  const { client, ownerKind, pods, expectations, clock } = world
  const set = toSet(object)
  // The world that the next decision needs is on its way; its arrival wakes this key again.
  if (!expectations.areMet(key)) return { requeueAfterMs: 30_000 }
  const owned = await claim({
    client,
    resource: podResource,
    owner: object,
    ownerKind,
    readOwner: () => client.get(resource, splitKey(key), { signal }),
    selector: fromLabelSelectorObject(set.spec?.selector),
    candidates: candidatesOf(pods, set),
    signal,
  })
  const isDeleting = set.metadata.deletionTimestamp !== undefined
  const plan = isDeleting ? { create: 0, remove: [] } : planOf(world, set, owned)
  const done = await carryOut(world, { set, key, plan, signal })
  const nowMs = clock.now()
  const seen = [...owned, ...done.made].filter((pod) => !done.removed.has(pod.metadata.uid ?? ''))
  const status = replicaStatus({ set, pods: seen, failure: done.failure, nowMs, now: timeOf(nowMs) })
  if (status !== set.status) await client.updateStatus(resource, withStatus(object, status), { signal })
  if (done.error !== undefined) throw done.error
  return { requeueAfterMs: nextAvailableMs(set, owned, nowMs) }
}

function planOf(
  { siblings: siblingsOf, pods, clock }: World,
  set: ReplicaSet,
  owned: readonly Pod[],
): ReplicaPlan {
  const have = owned.filter(isActive)
  const want = set.spec?.replicas ?? 1
  if (have.length <= want) return planReplicas({ want, have, related: [], nowMs: 0 })
  const deployment = controllerOf(set)
  const siblings = deployment === undefined ? [set] : siblingsOf(deployment.uid)
  const related = siblings
    .flatMap(({ metadata }) => pods.byIndex(controllerIndex, metadata.uid ?? ''))
    .filter(isActive)
  return planReplicas({ want, have, related, nowMs: clock.now() })
}

interface Doing {
  readonly set: ReplicaSet
  readonly key: string
  readonly plan: ReplicaPlan
  readonly signal: AbortSignal
}

interface Done {
  readonly made: readonly Pod[]
  readonly removed: ReadonlySet<string>
  readonly error?: unknown
  readonly failure?: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string }
}

async function carryOut(world: World, doing: Doing): Promise<Done> {
  const made: Pod[] = []
  const removed = new Set<string>()
  try {
    await slowStart(doing.plan.create, async () => {
      const pod = await makePod(world, doing)
      if (pod !== undefined) made.push(pod)
    })
  } catch (error) {
    return { made, removed, error, failure: { reason: 'FailedCreate', message: textOf(error) } }
  }
  try {
    await Promise.all(
      doing.plan.remove.map(async (pod) => {
        await removePod(world, doing, pod)
        removed.add(pod.metadata.uid ?? '')
      }),
    )
  } catch (error) {
    return { made, removed, error, failure: { reason: 'FailedDelete', message: textOf(error) } }
  }
  return { made, removed }
}

async function makePod(
  { client, ownerKind, expectations, recorder }: World,
  { set, key, signal }: Doing,
): Promise<Pod | undefined> {
  const { namespace, name: setName } = set.metadata
  const owner = controllerReference(ownerKind, set)
  try {
    const wanted = podOf(set.spec?.template ?? {}, { namespace, owner, generateName: `${setName}-` })
    const pod = await client.create(podResource, wanted, { signal })
    expectations.expectMade(key, pod)
    recorder.record(event(ownerKind, set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`))
    return pod
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    recorder.record(event(ownerKind, set, 'Warning', 'FailedCreate', `Error creating: ${textOf(error)}`))
    throw error
  }
}

async function removePod(
  { client, ownerKind, expectations, recorder }: World,
  { set, key, signal }: Doing,
  pod: Pod,
): Promise<void> {
  const { namespace, name: podName = '', uid = '' } = pod.metadata
  try {
    await client.delete(podResource, { namespace, name: podName }, { preconditions: { uid }, signal })
    expectations.expectRemoved(key, keyOf(pod.metadata), uid)
    recorder.record(event(ownerKind, set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${podName}`))
  } catch (error) {
    if (isNotFound(error)) return
    recorder.record(event(ownerKind, set, 'Warning', 'FailedDelete', `Error deleting: ${textOf(error)}`))
    throw error
  }
}

function event(
  ownerKind: OwnerKind,
  { metadata }: ReplicaSet,
  ...[type, reason, message]: [type: Occurrence['type'], reason: string, message: string]
): Occurrence {
  return { object: { ...ownerKind, metadata }, type, reason, message }
}

/** When the first ready pod becomes available: nothing else will say so. */
function nextAvailableMs(set: ReplicaSet, owned: readonly Pod[], nowMs: number): number | undefined {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const waits = owned
    .filter(isActive)
    .map((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? 0)
    .filter((waitMs) => waitMs > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
