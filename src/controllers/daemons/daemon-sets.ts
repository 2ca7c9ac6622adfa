// Keeps a pod of each DaemonSet on every node that it belongs on. Level-based: reads, decides, does, tells.
// Which pods is daemon-plan.ts's; who binds and runs them is the host's or the node actor's.

import type { ControllerRevision, DaemonSet, Node, Pod } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import type { AnyObject, Client, ResourceRef } from '../../client/client.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/objects.ts'
import type { Occurrence, Recorder } from '../../client/recorder.ts'
import {
  controllerRevisions,
  daemonSets,
  nodes as nodeResource,
  pods as podResource,
} from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer, toController } from '../../reconcile/source.ts'
import { findCondition, timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'
import { Expectations } from '../workloads/expectations.ts'
import { candidatesOf, claim, controllerIndex, indexByController } from '../workloads/owners.ts'
import { podOwners } from '../workloads/pod-owners.ts'
import { slowStart } from '../workloads/slow-start.ts'
import { type DaemonWorld, hasEnded, planDaemons } from './daemon-plan.ts'
import { daemonPod, daemonSetKind, hashLabel, nodeOf } from './daemon-pods.ts'
import { daemonStatus, nextAvailableMs, notPerNode } from './daemon-status.ts'
import { EndedPods } from './ended-pods.ts'
import { forgetRevisions, settleRevision } from './history.ts'

const name = 'daemon-set-controller'

interface World {
  readonly client: Client
  readonly sets: Informer<DaemonSet>
  readonly pods: Informer<Pod>
  readonly nodes: Informer<Node>
  readonly revisions: Informer<ControllerRevision>
  readonly expectations: Expectations<Pod>
  readonly ended: EndedPods
  readonly recorder: Recorder
  readonly clock: Clock
}

interface Look extends World {
  readonly set: DaemonSet
  readonly key: string
  readonly signal: AbortSignal
}

export function startDaemonSets({ clientFor, control, informers, recorderFor, clock }: Context): Controller {
  const sets = informers.of(daemonSets)
  const pods = informers.of(podResource)
  const nodes = informers.of(nodeResource)
  const revisions = informers.of(controllerRevisions)
  pods.addIndex(controllerIndex, indexByController)
  revisions.addIndex(controllerIndex, indexByController)
  const world: World = {
    client: clientFor(name),
    sets,
    pods,
    nodes,
    revisions,
    expectations: new Expectations(pods, clock),
    ended: new EndedPods(),
    recorder: recorderFor(name),
    clock,
  }
  return control({
    name,
    sources: [
      fromInformer(sets),
      fromInformer(pods, podOwners(sets, 'DaemonSet')),
      fromInformer(revisions, toController('apps/v1', 'DaemonSet')),
      fromInformer(nodes, () => sets.keys()),
    ],
    reconcile: async (key, { signal }) => {
      const set = sets.version(key)?.object
      if (set === undefined) {
        world.expectations.forget(key)
        world.ended.forget(key)
        return undefined
      }
      if (set.metadata.deletionTimestamp !== undefined) return undefined
      if (!world.expectations.areMet(key)) return { requeueAfterMs: 30_000 }
      return await reconcile({ ...world, set, key, signal })
    },
  })
}

async function reconcile(look: Look): Promise<ReconcileResult> {
  const { client, set, pods, revisions, nodes, clock, signal } = look
  const owned = await claimOwn(look, podResource, pods)
  const known = await claimOwn(look, controllerRevisions, revisions)
  const { update, collisionCount } = await settleRevision({ client, set, known, signal })
  const hash = update.metadata.labels?.[hashLabel] ?? ''
  const nowMs = clock.now()
  const world: DaemonWorld = { set, nodes: nodes.list(), pods: owned, hash, nowMs }
  const done = await carryOut(look, world)
  const now = timeOf(nowMs)
  const status = daemonStatus(
    { ...world, pods: [...afterwards(owned, done.removed, now), ...done.made] },
    { now, collisionCount },
  )
  tellNotPerNode(look, status.conditions)
  if (status !== set.status) await client.updateStatus(daemonSets, { ...set, status }, { signal })
  if (done.error !== undefined) throw done.error
  await forgetRevisions({ client, set, known, signal }, [
    hash,
    ...owned.map(({ metadata }) => metadata.labels?.[hashLabel]),
  ])
  const waits = [nextAvailableMs(world), done.waitMs].filter((waitMs) => waitMs !== undefined)
  return { requeueAfterMs: waits.length === 0 ? undefined : Math.min(...waits) }
}

async function claimOwn<T extends AnyObject>(
  { client, set, key, signal }: Look,
  resource: ResourceRef<T>,
  informer: Informer<T>,
): Promise<readonly T[]> {
  return await claim({
    client,
    resource,
    owner: set,
    ownerKind: daemonSetKind,
    readOwner: () => client.get(daemonSets, splitKey(key), { signal }),
    selector: fromLabelSelectorObject(set.spec?.selector),
    candidates: candidatesOf(informer, set),
    signal,
  })
}

interface Done {
  readonly made: readonly Pod[]
  readonly removed: ReadonlySet<string>
  readonly waitMs?: number | undefined
  readonly error?: unknown
}

async function carryOut(look: Look, world: DaemonWorld): Promise<Done> {
  const { ended, key } = look
  const plan = planDaemons(world)
  const made: Pod[] = []
  const removed = new Set<string>()
  let waitMs: number | undefined
  try {
    const left = plan.create.values()
    await slowStart(plan.create.length, async () => {
      const pod = await makePod(look, left.next().value ?? '', world.hash)
      if (pod !== undefined) made.push(pod)
    })
    for (const pod of plan.remove) {
      // A pod that fails on its node at once would be made and removed as fast as both can.
      const heldMs = pod.status?.phase === 'Failed' ? ended.holdMs(key, nodeOf(pod) ?? '', world.nowMs) : 0
      if (heldMs > 0) {
        waitMs = Math.min(heldMs, waitMs ?? heldMs)
        continue
      }
      await removePod(look, pod)
      removed.add(pod.metadata.uid ?? '')
    }
  } catch (error) {
    return { made, removed, waitMs, error }
  }
  return { made, removed, waitMs }
}

function afterwards(owned: readonly Pod[], removed: ReadonlySet<string>, now: string): readonly Pod[] {
  return owned.map((pod) =>
    removed.has(pod.metadata.uid ?? '')
      ? { ...pod, metadata: { ...pod.metadata, deletionTimestamp: now } }
      : pod,
  )
}

async function makePod(look: Look, nodeName: string, hash: string): Promise<Pod | undefined> {
  const { client, set, key, expectations, signal } = look
  try {
    const pod = await client.create(podResource, daemonPod(set, { nodeName, hash }), { signal })
    expectations.expectMade(key, pod)
    tell(look, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
    return pod
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined
    tell(look, 'Warning', 'FailedCreate', `Error creating: ${textOf(error)}`)
    throw error
  }
}

async function removePod(look: Look, pod: Pod): Promise<void> {
  const { client, key, expectations, signal } = look
  const { namespace, name: podName = '', uid = '' } = pod.metadata
  if (hasEnded(pod)) tellEnded(look, pod)
  try {
    await client.delete(podResource, { namespace, name: podName }, { preconditions: { uid }, signal })
    expectations.expectRemoved(key, keyOf(pod.metadata), uid)
    tell(look, 'Normal', 'SuccessfulDelete', `Deleted pod: ${podName}`)
  } catch (error) {
    if (isNotFound(error)) return
    tell(look, 'Warning', 'FailedDelete', `Error deleting: ${textOf(error)}`)
    throw error
  }
}

function tellEnded(look: Look, pod: Pod): void {
  const where = `${pod.metadata.namespace}/${pod.metadata.name} on node ${nodeOf(pod)}`
  if (pod.status?.phase === 'Failed')
    tell(look, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${where}, will try to kill it`)
  else
    tell(look, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${where}, will try to delete it`)
}

function tellNotPerNode(look: Look, conditions: Parameters<typeof findCondition>[0]): void {
  const isNews = findCondition(look.set.status?.conditions, notPerNode.type) === undefined
  if (isNews && findCondition(conditions, notPerNode.type) !== undefined)
    tell(look, 'Warning', notPerNode.type, notPerNode.message)
}

function tell(
  { recorder, set }: Look,
  type: Occurrence['type'],
  ...[reason, message]: [reason: string, message: string]
): void {
  recorder.record({ object: { ...daemonSetKind, metadata: set.metadata }, type, reason, message })
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
