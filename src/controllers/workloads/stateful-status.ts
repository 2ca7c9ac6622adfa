// What a stateful set says of its pods and revisions. Pure.
// Upstream: pkg/controller/statefulset/stateful_set_control.go, updateStatus and completeRollingUpdate.

import type { Pod, StatefulSet, StatefulSetStatus } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { isAvailable, isTerminating } from './pods.ts'
import { isUp, revisionOf } from './stateful-plan.ts'

export interface StatefulStatusWorld {
  readonly set: StatefulSet
  /** The pods after what was just done: made ones included, removed ones as being deleted. */
  readonly pods: readonly Pod[]
  readonly currentRevision: string
  readonly updateRevision: string
  readonly collisionCount: number
  readonly nowMs: number
}

/** The same status when nothing changes. */
export function statefulStatus(world: StatefulStatusWorld): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, collisionCount, nowMs } = world
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const staying = pods.filter((pod) => !isTerminating(pod))
  const up = pods.filter(isUp)
  const status: StatefulSetStatus = {
    ...set.status,
    observedGeneration: set.metadata.generation,
    replicas: pods.length,
    readyReplicas: up.length,
    availableReplicas: up.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    currentReplicas: staying.filter((pod) => revisionOf(pod) === currentRevision).length,
    updatedReplicas: staying.filter((pod) => revisionOf(pod) === updateRevision).length,
    currentRevision,
    updateRevision,
    collisionCount,
  }
  const next = isRolledOut(set, status)
    ? { ...status, currentReplicas: status.updatedReplicas, currentRevision: updateRevision }
    : status
  const before = set.status ?? { replicas: 0 }
  return isSame(withoutZeros(before), withoutZeros(next)) ? before : next
}

function isRolledOut(
  { spec }: StatefulSet,
  { replicas, readyReplicas, updatedReplicas }: StatefulSetStatus,
): boolean {
  const { type = 'RollingUpdate' } = spec?.updateStrategy ?? {}
  return type === 'RollingUpdate' && updatedReplicas === replicas && readyReplicas === replicas
}

function withoutZeros(status: StatefulSetStatus): unknown {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== undefined))
}
