// What a ReplicaSet says of its pods. Pure.
// Upstream: pkg/controller/replicaset/replica_set_utils.go.

import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { withCondition, withoutCondition } from '../conditions.ts'
import { isActive, isAvailable, isReady, isTerminating } from './pods.ts'

export interface ReplicaWorld {
  readonly set: ReplicaSet
  /** All pods of the set. */
  readonly pods: readonly Pod[]
  /** Why pods could not be made or removed, when that failed. */
  readonly failure: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string } | undefined
  readonly nowMs: number
  readonly now: string
}

/** The same status when nothing changes. */
export function replicaStatus({ set, pods, failure, nowMs, now }: ReplicaWorld): ReplicaSetStatus {
  const before = set.status ?? { replicas: 0 }
  const active = pods.filter(isActive)
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const templateLabels = Object.entries(set.spec?.template?.metadata?.labels ?? {})
  const isFullyLabeled = ({ metadata }: Pod) =>
    templateLabels.every(([label, value]) => metadata.labels?.[label] === value)
  const known = before.conditions ?? []
  const conditions =
    failure === undefined
      ? withoutCondition(known, 'ReplicaFailure')
      : withFailure(known, { type: 'ReplicaFailure', status: 'True', ...failure, lastTransitionTime: now })
  const next: ReplicaSetStatus = {
    ...before,
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isFullyLabeled).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, minReadySeconds, nowMs)).length,
    terminatingReplicas: pods.filter(isTerminating).length,
    observedGeneration: set.metadata.generation,
    conditions,
  }
  return isSame(withZeros(before), withZeros(next)) ? before : next
}

/**
 * The first message of a failure stays while its reason does: the next one may differ in the name of the pod alone, and
 * a status that changes with each attempt brings the next attempt at once.
 */
function withFailure(
  known: readonly ReplicaSetCondition[],
  wanted: ReplicaSetCondition & { readonly lastTransitionTime: string },
): readonly ReplicaSetCondition[] {
  const present = known.find(({ type }) => type === wanted.type)
  const isKnown = present?.status === wanted.status && present.reason === wanted.reason
  return isKnown ? known : withCondition(known, wanted)
}

// The server may leave zeros and empty lists out: both mean the same.
function withZeros(status: ReplicaSetStatus): ReplicaSetStatus {
  const { fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  const { terminatingReplicas = 0, observedGeneration = 0, conditions = [] } = status
  return {
    ...status,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    terminatingReplicas,
    observedGeneration,
    conditions,
  }
}
