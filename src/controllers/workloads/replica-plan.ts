// How many pods a set makes or removes, and which ones go first. Pure.
// Upstream: pkg/controller/controller_utils.go, ActivePodsWithRanks; pkg/controller/replicaset.

import type { Pod } from '../../api/models.ts'
import { isReady, readyCondition } from './pods.ts'

/** Pods made or removed in one look at a set. */
export const burstMax = 500

export interface ReplicaPlan {
  readonly create: number
  readonly remove: readonly Pod[]
}

export interface Replicas {
  readonly want: number
  /** Active pods of the set. */
  readonly have: readonly Pod[]
  /** Active pods that stand for the same work, for example those of all sets of one deployment. */
  readonly related: readonly Pod[]
  readonly nowMs: number
}

export function planReplicas({ want, have, related, nowMs }: Replicas): ReplicaPlan {
  const missing = want - have.length
  if (missing >= 0) return { create: Math.min(missing, burstMax), remove: [] }
  const count = Math.min(-missing, burstMax)
  return { create: 0, remove: count === have.length ? have : firstToGo(have, related, nowMs).slice(0, count) }
}

/** In the order in which they go. */
export function firstToGo(pods: readonly Pod[], related: readonly Pod[], nowMs: number): readonly Pod[] {
  const perNode = new Map<string, number>()
  for (const { spec } of related) {
    const node = spec?.nodeName ?? ''
    perNode.set(node, (perNode.get(node) ?? 0) + 1)
  }
  const ranked = pods.map((pod) => rank(pod, perNode.get(pod.spec?.nodeName ?? '') ?? 0, nowMs))
  return ranked.sort(compare).map(({ pod }) => pod)
}

interface Ranked {
  readonly pod: Pod
  /** Smaller goes first; compared from left to right. */
  readonly order: readonly number[]
}

const phases = ['Pending', 'Unknown', 'Running']

function rank(pod: Pod, onSameNode: number, nowMs: number): Ranked {
  const isAssigned = (pod.spec?.nodeName ?? '') !== ''
  const isUp = isReady(pod)
  return {
    pod,
    order: [
      Number(isAssigned),
      phases.indexOf(pod.status?.phase ?? 'Pending'),
      Number(isUp),
      deletionCost(pod),
      -onSameNode,
      isUp ? ageBucket(readyCondition(pod)?.lastTransitionTime, nowMs) : 0,
      -restarts(pod),
      ageBucket(pod.metadata.creationTimestamp, nowMs),
    ],
  }
}

function compare(left: Ranked, right: Ranked): number {
  for (const [index, value] of left.order.entries()) {
    const difference = value - (right.order[index] ?? 0)
    if (difference !== 0) return difference
  }
  // Within a bucket of age the choice is arbitrary but stable.
  return (left.pod.metadata.uid ?? '') < (right.pod.metadata.uid ?? '') ? -1 : 1
}

function deletionCost({ metadata }: Pod): number {
  const text = metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? '0'
  return /^-?(0|[1-9][0-9]{0,9})$/.test(text) ? Number(text) : 0
}

// Ages are compared by their order of magnitude, so that not always the same pods go: KEP-2185. Young goes first.
function ageBucket(since: string | null | undefined, nowMs: number): number {
  const sinceMs = Date.parse(since ?? '')
  if (Number.isNaN(sinceMs)) return -1
  const seconds = Math.max(0, (nowMs - sinceMs) / 1000)
  return seconds < 1 ? 0 : Math.floor(Math.log2(seconds)) + 1
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount))
}
