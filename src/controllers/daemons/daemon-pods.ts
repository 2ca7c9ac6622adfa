// The pods of a daemon set: how one is made for a node, and for which node one was made. Pure.
// Upstream: pkg/controller/daemon/util.

import type { DaemonSet, Pod, PodSpec, PodTemplateSpec, Toleration } from '../../api/models.ts'
import { controllerReference } from '../workloads/owners.ts'
import { podOf } from '../workloads/pods.ts'

export const daemonSetKind = { apiVersion: 'apps/v1', kind: 'DaemonSet' }
export const hashLabel = 'controller-revision-hash'

// Daemons stay on nodes in trouble: they may be what mends them.
const kept: readonly Toleration[] = [
  ...['not-ready', 'unreachable'].map((name) => toleration(name, 'NoExecute')),
  ...['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((name) =>
    toleration(name, 'NoSchedule'),
  ),
]

function toleration(name: string, effect: string): Toleration {
  return { key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }
}

/** The template's spec, with the tolerations that every daemon has. */
export function daemonSpec(template: PodTemplateSpec | undefined): PodSpec {
  const spec = template?.spec ?? { containers: [] }
  const own = spec.hostNetwork === true ? [...kept, toleration('network-unavailable', 'NoSchedule')] : kept
  const isOwn = (one: Toleration) =>
    own.some(({ key, effect }) => key === one.key && effect === one.effect && one.operator === 'Exists')
  return { ...spec, tolerations: [...(spec.tolerations ?? []).filter((one) => !isOwn(one)), ...own] }
}

/** The scheduler binds it to the node that its affinity names. */
export function daemonPod(
  set: DaemonSet,
  { nodeName, hash }: { readonly nodeName: string; readonly hash: string },
): Pod {
  const { namespace, name } = set.metadata
  const { template } = set.spec ?? {}
  const spec = daemonSpec(template)
  const { labels } = template?.metadata ?? {}
  const only = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [only] },
  }
  const placed: PodTemplateSpec = {
    metadata: { ...template?.metadata, labels: { ...labels, [hashLabel]: hash } },
    spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity } },
  }
  const owner = controllerReference(daemonSetKind, set)
  return podOf(placed, { namespace, owner, generateName: `${name}-` })
}

/**
 * The node that a pod was made for. A host that places pods by itself may have put it elsewhere: it stands for this
 * node all the same, or another one would be made for it again and again.
 */
export function nodeOf({ spec }: Pod): string | undefined {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const fields = required?.nodeSelectorTerms.flatMap(({ matchFields = [] }) => matchFields) ?? []
  const named = fields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')?.values?.[0]
  const bound = spec?.nodeName === '' ? undefined : spec?.nodeName
  return named ?? bound
}

export const isUpdated = ({ metadata }: Pod, hash: string): boolean => metadata.labels?.[hashLabel] === hash

/** Placed before others, then the oldest. */
export function oldestFirst(left: Pod, right: Pod): number {
  const isPlaced = ({ spec }: Pod) => Number((spec?.nodeName ?? '') !== '')
  const createdMs = ({ metadata }: Pod) => Date.parse(metadata.creationTimestamp ?? '') || 0
  return (
    isPlaced(right) - isPlaced(left) ||
    createdMs(left) - createdMs(right) ||
    ((left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1)
  )
}
