// The numbers of a rollout: how far above and below its size a deployment may go, and how its sets share it. Pure.
// Upstream: pkg/controller/deployment/util. Which set is which is deployment-sets.ts's.

import type { Deployment, ReplicaSet } from '../../api/models.ts'

export interface Scaling {
  readonly set: ReplicaSet
  readonly to: number
}

/** The sets of a deployment; `current` has the deployment's template. */
export interface Sets {
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

export const sizeOf = (set: ReplicaSet): number => set.spec?.replicas ?? 1
export const availableOf = (set: ReplicaSet): number => set.status?.availableReplicas ?? 0
export const wantedOf = ({ spec }: Deployment): number => spec?.replicas ?? 1
export const allOf = ({ current, old }: Sets): readonly ReplicaSet[] =>
  current === undefined ? old : [...old, current]

export const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

const totalSize = (sets: readonly ReplicaSet[]): number => sum(sets.map(sizeOf))
const createdMs = ({ metadata }: ReplicaSet): number => Date.parse(metadata.creationTimestamp ?? '') || 0
export const oldestFirst = (left: ReplicaSet, right: ReplicaSet): number =>
  createdMs(left) - createdMs(right) || ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1)

export const isRecreate = ({ spec }: Deployment): boolean => spec?.strategy?.type === 'Recreate'

/** Percentages of surge are rounded up, of unavailability down; both zero would never move, so one may be missing. */
export function fencesOf(deployment: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (isRecreate(deployment)) return { surge: 0, unavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const wanted = wantedOf(deployment)
  const surge = share(maxSurge, wanted, Math.ceil)
  const unavailable = share(maxUnavailable, wanted, Math.floor)
  if (surge === 0 && unavailable === 0) return { surge, unavailable: 1 }
  return { surge, unavailable }
}

/** How many may be missing at most, never more than there are. */
export function maxUnavailableOf(deployment: Deployment): number {
  const wanted = wantedOf(deployment)
  if (isRecreate(deployment) || wanted === 0) return 0
  return Math.min(fencesOf(deployment).unavailable, wanted)
}

export function share(value: number | string, of: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value
  const percent = Number(value.replace(/%$/, ''))
  return value.endsWith('%') ? round((percent * of) / 100) : percent
}

/** How large the current set may become now. */
export function nextCurrentSize(deployment: Deployment, { current, old }: Sets): number {
  const wanted = wantedOf(deployment)
  if (isRecreate(deployment)) return wanted
  const size = current === undefined ? 0 : sizeOf(current)
  const room = wanted + fencesOf(deployment).surge - totalSize(old) - size
  return room <= 0 ? size : size + Math.min(room, wanted - size)
}

/** One step of a rolling update: the current set grows first; only when it cannot, old ones shrink. */
export function planRolling(deployment: Deployment, sets: Sets): readonly Scaling[] {
  const { current, old } = sets
  if (current === undefined) return []
  const wanted = wantedOf(deployment)
  const to = sizeOf(current) > wanted ? wanted : nextCurrentSize(deployment, sets)
  if (to !== sizeOf(current)) return [{ set: current, to }]
  return shrinkOld(deployment, current, old)
}

function shrinkOld(
  deployment: Deployment,
  current: ReplicaSet,
  old: readonly ReplicaSet[],
): readonly Scaling[] {
  if (totalSize(old) === 0) return []
  const minAvailable = wantedOf(deployment) - maxUnavailableOf(deployment)
  const missingInCurrent = sizeOf(current) - availableOf(current)
  const most = totalSize(old) + sizeOf(current) - minAvailable - missingInCurrent
  if (most <= 0) return []
  const sorted = [...old].sort(oldestFirst)
  // Replicas that serve nobody go first: they cannot be missed, and would block the rollout.
  const sizes = new Map(sorted.map((set) => [set, sizeOf(set)]))
  take(sizes, most, (set, size) => size - availableOf(set))
  const available = sum(sorted.map(availableOf)) + availableOf(current)
  take(sizes, available - minAvailable, (_, size) => size)
  return [...sizes].filter(([set, to]) => to !== sizeOf(set)).map(([set, to]) => ({ set, to }))
}

/** Takes up to `most` off, from the first on, from each as much as `spare` allows. */
function take(
  sizes: Map<ReplicaSet, number>,
  most: number,
  spare: (set: ReplicaSet, size: number) => number,
): void {
  let left = most
  for (const [set, size] of sizes) {
    const taken = Math.max(0, Math.min(left, size, spare(set, size)))
    sizes.set(set, size - taken)
    left -= taken
  }
}

/** After the deployment's size changed in mid-rollout, or while it is paused: sets grow and shrink in proportion. */
export function planScaling(deployment: Deployment, sets: Sets): readonly Scaling[] {
  const wanted = wantedOf(deployment)
  const active = allOf(sets).filter((set) => sizeOf(set) > 0)
  if (active.length <= 1) {
    const only = active[0] ?? sets.current ?? newest(sets.old)
    // Listed even at its size: it may still name the size that the deployment had before.
    return only === undefined ? [] : [{ set: only, to: wanted }]
  }
  if (isSaturated(deployment, sets.current)) {
    return sets.old.filter((set) => sizeOf(set) > 0).map((set) => ({ set, to: 0 }))
  }
  if (isRecreate(deployment)) return []
  return inProportion(deployment, active)
}

function newest(sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...sets].sort(oldestFirst).at(-1)
}

/** The current set alone is all that is wanted. */
function isSaturated(deployment: Deployment, current: ReplicaSet | undefined): boolean {
  if (current === undefined) return false
  const desired = numberIn(current, desiredReplicas)
  const wanted = wantedOf(deployment)
  return sizeOf(current) === wanted && desired === wanted && availableOf(current) === wanted
}

export const desiredReplicas = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicas = 'deployment.kubernetes.io/max-replicas'

export function numberIn({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

function inProportion(deployment: Deployment, active: readonly ReplicaSet[]): readonly Scaling[] {
  const wanted = wantedOf(deployment)
  const allowed = wanted > 0 ? wanted + fencesOf(deployment).surge : 0
  const toAdd = allowed - totalSize(active)
  const newerFirst = toAdd > 0 ? -1 : 1
  const sorted = [...active].sort(
    (left, right) => sizeOf(right) - sizeOf(left) || newerFirst * oldestFirst(left, right),
  )
  let added = 0
  const shares = sorted.map((set) => {
    const part = toAdd === 0 ? 0 : within(portion(deployment, set), toAdd - added)
    added += part
    return { set, to: sizeOf(set) + part }
  })
  // What rounding left over goes to the largest. A set whose size stays is listed too: its annotations may be old.
  return shares.map(({ set, to }, index) => ({ set, to: Math.max(0, index === 0 ? to + toAdd - added : to) }))
}

function within(part: number, room: number): number {
  if (room === 0) return 0
  return room > 0 ? Math.min(part, room) : Math.max(part, room)
}

function portion(deployment: Deployment, set: ReplicaSet): number {
  const size = sizeOf(set)
  if (wantedOf(deployment) === 0) return -size
  const before = numberIn(set, maxReplicas) || deployment.status?.replicas || 0
  if (before === 0) return 0
  const allowed = wantedOf(deployment) + fencesOf(deployment).surge
  return Math.round((size * allowed) / before) - size
}

/** One step of a recreation: all old pods go before the first new one comes. */
export function planRecreate(deployment: Deployment, sets: Sets): readonly Scaling[] {
  const shrink = sets.old.filter((set) => sizeOf(set) > 0).map((set) => ({ set, to: 0 }))
  if (shrink.length > 0) return shrink
  const { current } = sets
  if (current === undefined || sizeOf(current) === wantedOf(deployment)) return []
  return [{ set: current, to: wantedOf(deployment) }]
}
