// The next step of a stateful set: which pods to make and which to remove, one after the other or all at once. Pure.
// Upstream: pkg/controller/statefulset/stateful_set_control.go. How a pod looks is stateful-identity.ts's.

import type { Pod, StatefulSet } from '../../api/models.ts'
import { isAvailable, isFinished, isReady, isTerminating } from './pods.ts'
import { share } from './rollout.ts'
import { ordinalOf, ordinalsOf, type Revision, revisionLabel } from './stateful-identity.ts'

export type StatefulAction =
  | { readonly type: 'create'; readonly ordinal: number; readonly revision: Revision }
  | { readonly type: 'delete'; readonly pod: Pod; readonly why: 'failed' | 'condemned' | 'outdated' }
  /** A pod that waits may wait for a claim that somebody deleted. */
  | { readonly type: 'claims'; readonly ordinal: number }

export interface StatefulWorld {
  readonly set: StatefulSet
  /** Pods of the set. */
  readonly pods: readonly Pod[]
  readonly current: Revision
  readonly update: Revision
  readonly nowMs: number
}

export function planStateful(world: StatefulWorld): readonly StatefulAction[] {
  const { set } = world
  if (set.metadata.deletionTimestamp !== undefined) return []
  const isOrdered = set.spec?.podManagementPolicy !== 'Parallel'
  const actions: StatefulAction[] = []
  for (const step of [...fill(world), ...shrink(world)]) {
    actions.push(...step.actions)
    // In order means: nothing happens beyond a pod that is not there or not up yet.
    if (isOrdered && step.isBlocking) return actions
  }
  return [...actions, ...planUpdate(world)]
}

interface Step {
  readonly actions: readonly StatefulAction[]
  readonly isBlocking: boolean
}

export function revisionOf(pod: Pod): string | undefined {
  return pod.metadata.labels?.[revisionLabel]
}

export const isUp = (pod: Pod): boolean => pod.status?.phase === 'Running' && isReady(pod)

function isUpLongEnough({ set, nowMs }: StatefulWorld, pod: Pod): boolean {
  return isUp(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
}

function* fill(world: StatefulWorld): Generator<Step> {
  const { start, end } = ordinalsOf(world.set)
  const present = byOrdinal(world)
  for (let ordinal = start; ordinal < end; ordinal += 1) yield placeStep(world, ordinal, present.get(ordinal))
}

function placeStep(world: StatefulWorld, ordinal: number, pod: Pod | undefined): Step {
  if (pod === undefined) {
    return { actions: [{ type: 'create', ordinal, revision: revisionFor(world, ordinal) }], isBlocking: true }
  }
  if (isFinished(pod)) {
    return { actions: isTerminating(pod) ? [] : [{ type: 'delete', pod, why: 'failed' }], isBlocking: true }
  }
  const isPending = (pod.status?.phase ?? 'Pending') === 'Pending' && !isTerminating(pod)
  const isBlocking = isTerminating(pod) || !isUpLongEnough(world, pod)
  return { actions: isPending ? [{ type: 'claims', ordinal }] : [], isBlocking }
}

/** Below the partition a missing pod comes back as it was. */
function revisionFor({ set, current, update }: StatefulWorld, ordinal: number): Revision {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type !== 'RollingUpdate') return update
  const { start } = ordinalsOf(set)
  const kept =
    rollingUpdate === undefined ? (set.status?.currentReplicas ?? 0) : (rollingUpdate.partition ?? 0)
  return ordinal < start + kept ? current : update
}

function* shrink(world: StatefulWorld): Generator<Step> {
  const { start, end } = ordinalsOf(world.set)
  const present = byOrdinal(world)
  const condemned = [...present].filter(([ordinal]) => ordinal < start || ordinal >= end)
  const firstUnhealthy = firstUnhealthyPod(world, present)
  for (const [, pod] of condemned.sort(([left], [right]) => right - left)) {
    if (isTerminating(pod)) {
      yield { actions: [], isBlocking: true }
      continue
    }
    // An unhealthy pod holds up the others, but never its own removal.
    const waits = !isUpLongEnough(world, pod) && pod !== firstUnhealthy
    const isOrdered = world.set.spec?.podManagementPolicy !== 'Parallel'
    const actions = waits && isOrdered ? [] : [{ type: 'delete', pod, why: 'condemned' } as const]
    yield { actions, isBlocking: true }
  }
}

function firstUnhealthyPod({ set }: StatefulWorld, present: ReadonlyMap<number, Pod>): Pod | undefined {
  const { start, end } = ordinalsOf(set)
  const isCondemned = (ordinal: number) => ordinal < start || ordinal >= end
  const sorted = [...present].sort(
    ([left], [right]) => Number(isCondemned(left)) - Number(isCondemned(right)) || left - right,
  )
  return sorted.find(([, pod]) => !isUp(pod) || isTerminating(pod))?.[1]
}

/** From the last ordinal down to the partition: one pod at a time, or as many as may be missing. */
function planUpdate(world: StatefulWorld): readonly StatefulAction[] {
  const { set, update } = world
  const { type = 'RollingUpdate', rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return []
  const { start, end } = ordinalsOf(set)
  const present = byOrdinal(world)
  const places = Array.from({ length: end - start }, (_, index) => present.get(end - 1 - index))
  const first = end - start - (rollingUpdate?.partition ?? 0)
  const updated = places.slice(0, Math.max(0, first))
  const isOutdated = (pod: Pod) => revisionOf(pod) !== update.name && !isTerminating(pod)
  if (rollingUpdate?.maxUnavailable !== undefined) {
    const most = Math.max(1, share(rollingUpdate.maxUnavailable, set.spec?.replicas ?? 1, Math.ceil))
    const missing = places.filter(
      (pod) => pod === undefined || isTerminating(pod) || !isUpLongEnough(world, pod),
    )
    const outdated = updated.filter((pod) => pod !== undefined).filter(isOutdated)
    return outdated
      .slice(0, Math.max(0, most - missing.length))
      .map((pod) => ({ type: 'delete', pod, why: 'outdated' }))
  }
  for (const pod of updated) {
    if (pod === undefined) return []
    if (isOutdated(pod)) return [{ type: 'delete', pod, why: 'outdated' }]
    if (!isUp(pod) || isTerminating(pod)) return []
  }
  return []
}

function byOrdinal({ set, pods }: StatefulWorld): ReadonlyMap<number, Pod> {
  return new Map(
    pods.flatMap((pod) => {
      const ordinal = ordinalOf(set, pod)
      return ordinal === undefined ? [] : [[ordinal, pod] as const]
    }),
  )
}
