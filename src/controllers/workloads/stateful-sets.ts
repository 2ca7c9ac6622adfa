// Keeps the numbered pods of a StatefulSet and their claims. Level-based: reads, decides one step, does it, tells.
// The order is stateful-plan.ts's, how pods and claims look stateful-identity.ts's, past templates revisions.ts's.

import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet } from '../../api/models.ts'
import { fromLabelSelectorObject, type LabelSelector } from '../../api/select.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/objects.ts'
import type { Recorder } from '../../client/recorder.ts'
import {
  controllerRevisions,
  persistentVolumeClaims,
  pods as podResource,
  statefulSets,
} from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer, toController } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'
import { Expectations } from './expectations.ts'
import { candidatesOf, claim, controllerIndex, indexByController } from './owners.ts'
import { podOwners } from './pod-owners.ts'
import { availableInMs } from './pods.ts'
import { isSameData, planRevision, revisionsToForget, templateOf } from './revisions.ts'
import {
  claimOwners,
  claimsOf,
  isClaimOfEarlierPod,
  ordinalOf,
  podNameOf,
  type Revision,
  statefulPod,
  statefulSetKind,
} from './stateful-identity.ts'
import { planStateful, revisionOf, type StatefulAction } from './stateful-plan.ts'
import { statefulStatus } from './stateful-status.ts'

const name = 'statefulset-controller'

interface World {
  readonly client: Client
  readonly sets: Informer<StatefulSet>
  readonly pods: Informer<Pod>
  readonly claims: Informer<PersistentVolumeClaim>
  readonly revisions: Informer<ControllerRevision>
  readonly expectations: Expectations<Pod>
  readonly recorder: Recorder
  readonly clock: Clock
}

/** One look at one set. */
interface Look extends World {
  readonly set: StatefulSet
  readonly key: string
  readonly signal: AbortSignal
}

export function startStatefulSets({
  clientFor,
  control,
  informers,
  recorderFor,
  clock,
}: Context): Controller {
  const sets = informers.of(statefulSets)
  const pods = informers.of(podResource)
  const claims = informers.of(persistentVolumeClaims)
  const revisions = informers.of(controllerRevisions)
  pods.addIndex(controllerIndex, indexByController)
  revisions.addIndex(controllerIndex, indexByController)
  const expectations = new Expectations(pods, clock)
  const world = {
    client: clientFor(name),
    sets,
    pods,
    claims,
    revisions,
    expectations,
    recorder: recorderFor(name),
    clock,
  }
  return control({
    name,
    sources: [
      fromInformer(sets),
      fromInformer(pods, podOwners(sets, 'StatefulSet')),
      fromInformer(revisions, toController('apps/v1', 'StatefulSet')),
      // Nothing is woken by claims, but they must be known before one is said to be missing.
      fromInformer(claims, () => []),
    ],
    workers: 5,
    reconcile: async (key, { signal }) => {
      const set = sets.version(key)?.object
      if (set === undefined) {
        expectations.forget(key)
        return undefined
      }
      // What a set that is going makes anew, the garbage collector takes again: revisions as fast as both can.
      if (set.metadata.deletionTimestamp !== undefined) return undefined
      if (!expectations.areMet(key)) return { requeueAfterMs: 30_000 }
      return await reconcile({ ...world, set, key, signal })
    },
  })
}

async function reconcile(look: Look): Promise<ReconcileResult> {
  const { set, clock } = look
  const selector = fromLabelSelectorObject(set.spec?.selector)
  const owned = await claimPods(look, selector)
  const known = await claimRevisions(look, selector)
  const { update, collisionCount } = await settleRevision(look, known)
  const current = known.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
  const nowMs = clock.now()
  const actions = planStateful({
    set,
    pods: owned,
    current: asRevision(current),
    update: asRevision(update),
    nowMs,
  })
  // Before any pod goes: the claims of one that is scaled down go with it only when they belong to it.
  await keepRetention(look, owned)
  const done = await carryOut(look, actions)
  const status = statefulStatus({
    set,
    pods: afterwards(owned, done, timeOf(nowMs)),
    currentRevision: current.metadata.name ?? '',
    updateRevision: update.metadata.name ?? '',
    collisionCount,
    nowMs,
  })
  if (status !== set.status)
    await look.client.updateStatus(statefulSets, { ...set, status }, { signal: look.signal })
  if (done.error !== undefined) throw done.error
  await forgetRevisions(look, known, [...owned.map(revisionOf), current.metadata.name, update.metadata.name])
  return { requeueAfterMs: nextAvailableMs(set, owned, nowMs) }
}

const asRevision = (revision: ControllerRevision): Revision => ({
  name: revision.metadata.name ?? '',
  template: templateOf(revision),
})

async function claimPods(look: Look, selector: LabelSelector): Promise<readonly Pod[]> {
  const { client, set, pods, key, signal } = look
  const candidates = candidatesOf(pods, set).filter((pod) => ordinalOf(set, pod) !== undefined)
  const readOwner = () => client.get(statefulSets, splitKey(key), { signal })
  return await claim({
    client,
    resource: podResource,
    owner: set,
    ownerKind: statefulSetKind,
    readOwner,
    selector,
    candidates,
    signal,
  })
}

async function claimRevisions(look: Look, selector: LabelSelector): Promise<readonly ControllerRevision[]> {
  const { client, set, revisions, key, signal } = look
  const candidates = candidatesOf(revisions, set)
  const readOwner = () => client.get(statefulSets, splitKey(key), { signal })
  return await claim({
    client,
    resource: controllerRevisions,
    owner: set,
    ownerKind: statefulSetKind,
    readOwner,
    selector,
    candidates,
    signal,
  })
}

interface Settled {
  readonly update: ControllerRevision
  readonly collisionCount: number
}

async function settleRevision(
  { client, set, signal }: Look,
  known: readonly ControllerRevision[],
): Promise<Settled> {
  const { update, change } = planRevision(set, statefulSetKind, known)
  const collisionCount = set.status?.collisionCount ?? 0
  if (change === 'none') return { update, collisionCount }
  if (change === 'raise')
    return { update: await client.update(controllerRevisions, update, { signal }), collisionCount }
  try {
    return { update: await client.create(controllerRevisions, update, { signal }), collisionCount }
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const { namespace, name: revisionName = '' } = update.metadata
    const present = await client.get(controllerRevisions, { namespace, name: revisionName }, { signal })
    if (present !== undefined && isSameData(present, update)) return { update: present, collisionCount }
    // Another template has the same hash: the next look hashes the count in.
    const status = { replicas: 0, ...set.status, collisionCount: collisionCount + 1 }
    await client.updateStatus(statefulSets, { ...set, status }, { signal })
    throw error
  }
}

interface Done {
  readonly made: Pod[]
  readonly removed: Set<string | undefined>
  error?: unknown
}

async function carryOut(look: Look, actions: readonly StatefulAction[]): Promise<Done> {
  const done: Done = { made: [], removed: new Set() }
  try {
    for (const action of actions) {
      if (action.type === 'delete') {
        await removePod(look, action.pod)
        done.removed.add(action.pod.metadata.uid)
        continue
      }
      await ensureClaims(look, action.ordinal)
      if (action.type === 'create') done.made.push(await makePod(look, action.ordinal, action.revision))
    }
  } catch (error) {
    done.error = error
  }
  return done
}

function afterwards(owned: readonly Pod[], { made, removed }: Done, now: string): readonly Pod[] {
  const staying = owned.map((pod) =>
    removed.has(pod.metadata.uid) ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: now } } : pod,
  )
  return [...staying, ...made]
}

async function makePod(look: Look, ordinal: number, revision: Revision): Promise<Pod> {
  const { client, set, key, signal, expectations } = look
  const wanted = statefulPod(set, revision, ordinal)
  try {
    const pod = await client.create(podResource, wanted, { signal })
    expectations.expectMade(key, pod)
    tell(
      look,
      'Normal',
      'SuccessfulCreate',
      `create Pod ${wanted.metadata.name} in StatefulSet ${set.metadata.name} successful`,
    )
    return pod
  } catch (error) {
    tell(
      look,
      'Warning',
      'FailedCreate',
      `create Pod ${wanted.metadata.name} in StatefulSet ${set.metadata.name} failed error: ${textOf(error)}`,
    )
    throw error
  }
}

async function removePod(look: Look, { metadata }: Pod): Promise<void> {
  const { client, set, key, signal, expectations } = look
  const { namespace, name: podName = '', uid = '' } = metadata
  try {
    await client.delete(podResource, { namespace, name: podName }, { preconditions: { uid }, signal })
    expectations.expectRemoved(key, keyOf(metadata), uid)
    tell(
      look,
      'Normal',
      'SuccessfulDelete',
      `delete Pod ${podName} in StatefulSet ${set.metadata.name} successful`,
    )
  } catch (error) {
    if (isNotFound(error)) return
    tell(
      look,
      'Warning',
      'FailedDelete',
      `delete Pod ${podName} in StatefulSet ${set.metadata.name} failed error: ${textOf(error)}`,
    )
    throw error
  }
}

async function ensureClaims(look: Look, ordinal: number): Promise<void> {
  const { client, set, claims, pods, signal } = look
  const podName = podNameOf(set, ordinal)
  const pod = pods.get(set.metadata.namespace ?? '', podName)
  for (const wanted of claimsOf(set, ordinal)) {
    const present = claims.version(keyOf(wanted.metadata))?.header
    if (present !== undefined) {
      const isStale = present.isDeleting || isClaimOfEarlierPod(present.ownerReferences, podName, pod)
      if (isStale && pod === undefined)
        throw new Error(`the claim ${present.name} of an earlier pod is still there`)
      continue
    }
    const about = `create Claim ${wanted.metadata.name} Pod ${podName} in StatefulSet ${set.metadata.name}`
    try {
      const ownerReferences = claimOwners([], { set, ordinal, pod })
      const metadata =
        ownerReferences.length === 0 ? wanted.metadata : { ...wanted.metadata, ownerReferences }
      await client.create(persistentVolumeClaims, { ...wanted, metadata }, { signal })
      tell(look, 'Normal', 'SuccessfulCreate', `${about} success`)
    } catch (error) {
      if (isAlreadyExists(error)) continue
      tell(look, 'Warning', 'FailedCreate', `${about} failed error: ${textOf(error)}`)
      throw error
    }
  }
}

/** Claims belong to whom the retention policy says, also when the policy or the size changed after they were made. */
async function keepRetention({ client, set, claims, signal }: Look, owned: readonly Pod[]): Promise<void> {
  if (set.metadata.deletionTimestamp !== undefined) return
  for (const pod of owned) {
    const ordinal = ordinalOf(set, pod)
    if (ordinal === undefined) continue
    for (const { metadata } of claimsOf(set, ordinal)) {
      const present = claims.version(keyOf(metadata))?.object
      if (present === undefined) continue
      const before = present.metadata.ownerReferences ?? []
      const ownerReferences = claimOwners(before, { set, ordinal, pod })
      if (ownerReferences === before) continue
      await client.update(
        persistentVolumeClaims,
        { ...present, metadata: { ...present.metadata, ownerReferences } },
        { signal },
      )
    }
  }
}

async function forgetRevisions(
  { client, set, signal }: Look,
  known: readonly ControllerRevision[],
  used: readonly (string | undefined)[],
): Promise<void> {
  const limit = set.spec?.revisionHistoryLimit ?? 10
  for (const { metadata } of revisionsToForget(known, new Set(used), limit)) {
    const { namespace, name: revisionName = '', uid } = metadata
    try {
      await client.delete(
        controllerRevisions,
        { namespace, name: revisionName },
        { preconditions: { uid }, signal },
      )
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

function nextAvailableMs(set: StatefulSet, owned: readonly Pod[], nowMs: number): number | undefined {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const waits = owned
    .map((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? 0)
    .filter((waitMs) => waitMs > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}

function tell({ recorder, set }: Look, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recorder.record({ object: { ...statefulSetKind, metadata: set.metadata }, type, reason, message })
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
