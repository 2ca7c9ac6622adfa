// What controllers ask about a pod, and how one is made from a template.
// Upstream: pkg/api/v1/pod and pkg/controller/controller_utils.go.

import type { OwnerReference, Pod, PodCondition, PodTemplateSpec } from '../../api/models.ts'

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Neither finished nor being deleted: counts as a replica. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod)
}

export function readyCondition(pod: Pod): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === 'Ready')
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True'
}

/** How long until a ready pod has been so for `minReadySeconds`: 0 when it has, undefined when it is not ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const condition = readyCondition(pod)
  if (condition?.status !== 'True') return undefined
  if (minReadySeconds === 0) return 0
  const sinceMs = Date.parse(condition.lastTransitionTime ?? '')
  if (Number.isNaN(sinceMs)) return undefined
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs)
}

export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  return availableInMs(pod, minReadySeconds, nowMs) === 0
}

/** The pod of a template. Its owner is its controller and waits for it when deleted in the foreground. */
export function podOf(
  template: PodTemplateSpec,
  named: {
    readonly namespace: string | undefined
    readonly owner: OwnerReference
    readonly generateName?: string | undefined
    readonly name?: string | undefined
  },
): Pod {
  const { labels = {}, annotations = {}, finalizers } = template.metadata ?? {}
  const { namespace, owner, generateName, name } = named
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(name === undefined ? { generateName } : { name }),
      namespace,
      labels,
      annotations,
      ...(finalizers === undefined ? {} : { finalizers }),
      ownerReferences: [owner],
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  }
}
