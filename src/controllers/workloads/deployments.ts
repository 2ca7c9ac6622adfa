// Rolls a deployment's template out over its ReplicaSets. Level-based: reads, claims, decides one step, does it, tells.
// The numbers are rollout.ts's, the sets' look deployment-sets.ts's, what is told deployment-status.ts's.

import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf, splitKey } from '../../client/objects.ts'
import type { Recorder } from '../../client/recorder.ts'
import {
  deployments as deploymentResource,
  pods as podResource,
  replicaSets,
} from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Controller, ReconcileResult } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import {
  deploymentKind,
  hasTemplateOf,
  isResized,
  newSet,
  refreshedSet,
  resizedSet,
  revisionAnnotation,
  setsToForget,
  sortSets,
} from './deployment-sets.ts'
import {
  baseStatus,
  deadlineSecondsOf,
  isComplete,
  isSameStatus,
  nextLookMs,
  pauseConditions,
  progressing,
  rolloutStatus,
  setCondition,
} from './deployment-status.ts'
import {
  candidatesOf,
  claim,
  controllerIndex,
  controllerOf,
  indexByController,
  isControlledBy,
} from './owners.ts'
import { podOwners } from './pod-owners.ts'
import { isFinished } from './pods.ts'
import {
  isRecreate,
  planRecreate,
  planRolling,
  planScaling,
  type Scaling,
  type Sets,
  sizeOf,
} from './rollout.ts'

const name = 'deployment-controller'

interface World {
  readonly client: Client
  readonly deployments: Informer<Deployment>
  readonly sets: Informer<ReplicaSet>
  readonly pods: Informer<Pod>
  readonly recorder: Recorder
  readonly clock: Clock
  readonly signal: AbortSignal
}

export function startDeployments({ clientFor, control, informers, recorderFor, clock }: Context): Controller {
  const deployments = informers.of(deploymentResource)
  const sets = informers.of(replicaSets)
  const pods = informers.of(podResource)
  sets.addIndex(controllerIndex, indexByController)
  pods.addIndex(controllerIndex, indexByController)
  const world = { client: clientFor(name), deployments, sets, pods, recorder: recorderFor(name), clock }
  return control({
    name,
    sources: [
      fromInformer(deployments),
      fromInformer(sets, podOwners(deployments, 'Deployment')),
      // A recreation waits for the last old pod to go.
      fromInformer(pods, ({ header }) => deploymentOf(sets, header)),
    ],
    workers: 5,
    reconcile: (key, { signal }) => reconcile({ ...world, signal }, key),
  })
}

function deploymentOf(
  sets: Informer<ReplicaSet>,
  header: Parameters<typeof controllerOf>[0]['metadata'],
): string[] {
  const { namespace } = header
  const owner = controllerOf({ metadata: header })
  if (owner?.kind !== 'ReplicaSet') return []
  const set = sets.version(keyOf({ namespace, name: owner.name }))
  const deployment = set === undefined ? undefined : controllerOf({ metadata: set.header })
  return deployment === undefined ? [] : [keyOf({ namespace, name: deployment.name })]
}

async function reconcile(world: World, key: string): Promise<ReconcileResult | undefined> {
  const { client, deployments, sets, signal, clock } = world
  const found = deployments.version(key)?.object
  if (found === undefined) return undefined
  const selector = fromLabelSelectorObject(found.spec?.selector)
  if (selector.isEmpty) return await refuseAll(world, found)
  const owned = await claim({
    client,
    resource: replicaSets,
    owner: found,
    ownerKind: deploymentKind,
    readOwner: () => client.get(deploymentResource, splitKey(key), { signal }),
    selector,
    candidates: candidatesOf(sets, found),
    signal,
  })
  if (found.metadata.deletionTimestamp !== undefined) {
    const status = baseStatus(found, sortSets(found, owned), clock.now())
    await writeStatus(world, found, status)
    return undefined
  }
  const deployment = await notePause(world, found)
  if (deployment.spec?.paused === true || isResized(deployment, owned))
    return await rescale(world, deployment, owned)
  return isRecreate(deployment)
    ? await recreate(world, deployment, owned)
    : await roll(world, deployment, owned)
}

async function roll(world: World, found: Deployment, owned: readonly ReplicaSet[]): Promise<ReconcileResult> {
  const { deployment, sets } = await ensureCurrent(world, found, owned)
  const plan = planRolling(deployment, sets)
  if (plan.length > 0) return await told(world, deployment, await carryOut(world, deployment, sets, plan))
  return await finish(world, deployment, sets)
}

async function recreate(
  world: World,
  found: Deployment,
  owned: readonly ReplicaSet[],
): Promise<ReconcileResult> {
  const before = sortSets(found, owned)
  const shrink = before.old.some((set) => sizeOf(set) > 0)
  if (shrink) {
    const noted = await noteCurrent(world, found, before)
    const after = await carryOut(world, noted.deployment, noted.sets, planRecreate(found, noted.sets))
    return await told(world, noted.deployment, after)
  }
  if (hasOldPods(world, before)) return await told(world, found, before)
  const { deployment, sets } = await ensureCurrent(world, found, owned)
  const after = await carryOut(world, deployment, sets, planRecreate(deployment, sets))
  return await finish(world, deployment, after)
}

function hasOldPods({ pods }: World, { old }: Sets): boolean {
  return old.some(
    ({ metadata, status }) =>
      (status?.replicas ?? 0) > 0 ||
      pods.byIndex(controllerIndex, metadata.uid ?? '').some((pod) => !isFinished(pod)),
  )
}

/** The size changed in mid-rollout, or the rollout is paused: the sets are resized, none is made. */
async function rescale(
  world: World,
  found: Deployment,
  owned: readonly ReplicaSet[],
): Promise<ReconcileResult> {
  const { deployment, sets } = await noteCurrent(world, found, sortSets(found, owned))
  const after = await carryOut(world, deployment, sets, planScaling(deployment, sets))
  if (deployment.spec?.paused === true) await forgetOld(world, deployment, after)
  await writeStatus(world, deployment, baseStatus(deployment, after, world.clock.now()))
  return {}
}

async function finish(world: World, deployment: Deployment, sets: Sets): Promise<ReconcileResult> {
  const status = rolloutStatus(deployment, sets, world.clock.now())
  if (isComplete(deployment, status)) await forgetOld(world, deployment, sets)
  return await told(world, deployment, sets)
}

async function told(world: World, deployment: Deployment, sets: Sets): Promise<ReconcileResult> {
  const nowMs = world.clock.now()
  const status = rolloutStatus(deployment, sets, nowMs)
  await writeStatus(world, deployment, status)
  return { requeueAfterMs: nextLookMs(deployment, status, nowMs) }
}

interface Current {
  readonly deployment: Deployment
  readonly sets: Sets
}

/** The set with the deployment's template exists afterwards, and says what it has to. */
async function ensureCurrent(
  world: World,
  deployment: Deployment,
  owned: readonly ReplicaSet[],
): Promise<Current> {
  const sets = sortSets(deployment, owned)
  if (sets.current !== undefined) return await noteCurrent(world, deployment, sets)
  const current = await makeSet(world, deployment, sets)
  const made = { current, old: sets.old }
  const change = progressing(
    'True',
    'NewReplicaSetCreated',
    `Created new replica set ${JSON.stringify(current.metadata.name)}`,
  )
  return { deployment: await noteRevision(world, deployment, made, change), sets: made }
}

async function noteCurrent(world: World, deployment: Deployment, sets: Sets): Promise<Current> {
  const { current, old } = sets
  if (current === undefined) return { deployment, sets }
  const wanted = refreshedSet(deployment, { current, old })
  const fresh =
    wanted === current ? current : await world.client.update(replicaSets, wanted, { signal: world.signal })
  const after = { current: fresh, old }
  const isSaid = deployment.status?.conditions?.some((condition) => condition.type === 'Progressing') === true
  const change = progressing(
    'True',
    'FoundNewReplicaSet',
    `Found new replica set ${JSON.stringify(current.metadata.name)}`,
  )
  return {
    deployment: await noteRevision(world, deployment, after, isSaid ? undefined : change),
    sets: after,
  }
}

/** The deployment carries its current set's revision, and says that it found or made one. */
async function noteRevision(
  world: World,
  deployment: Deployment,
  { current }: Sets,
  change: ReturnType<typeof progressing> | undefined,
): Promise<Deployment> {
  const { client, signal, clock } = world
  const revision = current?.metadata.annotations?.[revisionAnnotation]
  const { annotations } = deployment.metadata
  const isSaid = revision === undefined || annotations?.[revisionAnnotation] === revision
  const before = deployment.status?.conditions ?? []
  const isTold = change === undefined || deadlineSecondsOf(deployment) === undefined
  const conditions = isTold ? before : setCondition(before, change, clock.now())
  if (isSaid && conditions === before) return deployment
  const metadata = isSaid
    ? deployment.metadata
    : { ...deployment.metadata, annotations: { ...annotations, [revisionAnnotation]: revision } }
  // A write of the status may change annotations too, and does not count as a new generation.
  const next = { ...deployment, metadata, status: { ...deployment.status, conditions } }
  return await client.updateStatus(deploymentResource, next, { signal })
}

async function makeSet(world: World, deployment: Deployment, sets: Sets): Promise<ReplicaSet> {
  const { client, signal, recorder, clock } = world
  const wanted = newSet(deployment, sets)
  const { name: setName = '', namespace } = wanted.metadata
  try {
    const made = await client.create(replicaSets, wanted, { signal })
    const message = `Scaled up replica set ${setName} from 0 to ${sizeOf(made)}`
    if (sizeOf(made) > 0)
      recorder.record({ ...about(deployment), type: 'Normal', reason: 'ScalingReplicaSet', message })
    return made
  } catch (error) {
    if (!isAlreadyExists(error)) {
      if (isNamespaceTerminating(error)) throw error
      const text = error instanceof Error ? error.message : String(error)
      const message = `Failed to create new replica set ${JSON.stringify(setName)}: ${text}`
      const conditions = setCondition(
        deployment.status?.conditions ?? [],
        progressing('False', 'ReplicaSetCreateError', message),
        clock.now(),
      )
      await writeStatus(world, deployment, { ...deployment.status, conditions })
      throw error
    }
    const present = await client.get(replicaSets, { namespace, name: setName }, { signal })
    if (present !== undefined && isControlledBy(present, deployment) && hasTemplateOf(present, deployment))
      return present
    // Another template has the same hash: the next look hashes the count in.
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
    await writeStatus(world, deployment, { ...deployment.status, collisionCount })
    throw error
  }
}

/** Answers the sets as they are afterwards. */
async function carryOut(
  world: World,
  deployment: Deployment,
  sets: Sets,
  plan: readonly Scaling[],
): Promise<Sets> {
  const { client, signal, recorder } = world
  const after = new Map<ReplicaSet, ReplicaSet>()
  for (const { set, to } of plan) {
    const wanted = resizedSet(deployment, set, to)
    if (wanted === set) continue
    after.set(set, await client.update(replicaSets, wanted, { signal }))
    const from = sizeOf(set)
    if (from === to) continue
    const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${set.metadata.name} from ${from} to ${to}`
    recorder.record({ ...about(deployment), type: 'Normal', reason: 'ScalingReplicaSet', message })
  }
  const newer = (set: ReplicaSet) => after.get(set) ?? set
  return { current: sets.current === undefined ? undefined : newer(sets.current), old: sets.old.map(newer) }
}

async function forgetOld({ client, signal }: World, deployment: Deployment, sets: Sets): Promise<void> {
  for (const { metadata } of setsToForget(deployment, sets)) {
    const { namespace, name: setName = '', uid } = metadata
    try {
      await client.delete(replicaSets, { namespace, name: setName }, { preconditions: { uid }, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

async function notePause(world: World, deployment: Deployment): Promise<Deployment> {
  const conditions = pauseConditions(deployment, world.clock.now())
  if (conditions === deployment.status?.conditions || conditions.length === 0) return deployment
  return await writeStatus(world, deployment, { ...deployment.status, conditions })
}

async function writeStatus(
  { client, signal }: World,
  deployment: Deployment,
  status: DeploymentStatus,
): Promise<Deployment> {
  if (isSameStatus(deployment.status, status)) return deployment
  return await client.updateStatus(deploymentResource, { ...deployment, status }, { signal })
}

async function refuseAll(world: World, deployment: Deployment): Promise<undefined> {
  const message = 'This deployment is selecting all pods. A non-empty selector is required.'
  world.recorder.record({ ...about(deployment), type: 'Warning', reason: 'SelectingAll', message })
  const { generation } = deployment.metadata
  await writeStatus(world, deployment, { ...deployment.status, observedGeneration: generation })
  return undefined
}

const about = ({ metadata }: Deployment) => ({ object: { ...deploymentKind, metadata } })
