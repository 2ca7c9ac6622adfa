// What a daemon set says of its pods and nodes. Pure.
// Upstream: updateDaemonSetStatus in pkg/controller/daemon.

import type { DaemonSetCondition, DaemonSetStatus, Node, Pod } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { withCondition, withoutCondition } from '../conditions.ts'
import { availableInMs, isAvailable, isReady } from '../workloads/pods.ts'
import { type DaemonWorld, podsByNode } from './daemon-plan.ts'
import { daemonSpec, isUpdated, oldestFirst } from './daemon-pods.ts'
import { fitOf } from './node-fit.ts'

const virtualNodeLabel = 'k3v.dev/virtual-node'

export const notPerNode = {
  type: 'NotPerNode',
  status: 'True',
  reason: 'NodesBelongToHost',
  message:
    "the nodes of this plane stand for the host, which places pods by itself: not every host's node has a pod",
}

/** Nodes that sync made: they are not one each for the host's nodes. */
export const areVirtual = (nodes: readonly Node[]): boolean =>
  nodes.some(({ metadata }) => metadata.labels?.[virtualNodeLabel] !== undefined)

/** The same status when nothing changes. */
export function daemonStatus(
  { set, nodes, pods, hash, nowMs }: DaemonWorld,
  { now, collisionCount }: { readonly now: string; readonly collisionCount: number },
): DaemonSetStatus {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const spec = daemonSpec(set.spec?.template)
  const byNode = podsByNode(pods)
  const wanted: (Pod | undefined)[] = []
  let misscheduled = 0
  for (const node of nodes) {
    const here = [...(byNode.get(node.metadata.name ?? '') ?? [])].sort(oldestFirst)
    if (fitOf(node, spec).shouldRun) wanted.push(here[0])
    else if (here.length > 0) misscheduled += 1
  }
  const first = wanted.filter((pod) => pod !== undefined)
  const available = first.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length
  const before = set.status ?? noStatus
  const next: DaemonSetStatus = {
    ...before,
    currentNumberScheduled: first.length,
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: wanted.length,
    numberReady: first.filter(isReady).length,
    observedGeneration: set.metadata.generation,
    updatedNumberScheduled: first.filter((pod) => isUpdated(pod, hash)).length,
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    collisionCount,
    conditions: conditionsOf(before.conditions ?? [], nodes, now),
  }
  return isSame(withoutZeros(before), withoutZeros(next)) ? before : next
}

const noStatus: DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
}

function conditionsOf(
  known: readonly DaemonSetCondition[],
  nodes: readonly Node[],
  now: string,
): readonly DaemonSetCondition[] {
  return areVirtual(nodes)
    ? withCondition(known, { ...notPerNode, lastTransitionTime: now })
    : withoutCondition(known, notPerNode.type)
}

function withoutZeros(status: DaemonSetStatus): unknown {
  const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0
  return Object.fromEntries(
    Object.entries(status).filter(([, value]) => value !== 0 && value !== undefined && !isEmpty(value)),
  )
}

/** When the next ready pod becomes available: nothing else will say so. */
export function nextAvailableMs({ set, pods, nowMs }: DaemonWorld): number | undefined {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const waits = pods
    .map((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? 0)
    .filter((waitMs) => waitMs > 0)
  return waits.length === 0 ? undefined : Math.min(...waits)
}
