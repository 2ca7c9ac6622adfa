// In which order objects are applied, and in reverse removed: what others need comes first.
// Helm's order of kinds, with definitions right after namespaces and webhooks at the end, so that none meets its own app.

import type { KubeObject } from '../api/object.ts'

const first = [
  'PriorityClass',
  'Namespace',
  'CustomResourceDefinition',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
] as const

const last = [
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
] as const

const rankOfUnknown = first.length

// A custom resource may be called like a built-in kind: a Service of Knative is none of ours.
const builtInGroup = /^(v1|apps\/|batch\/|policy\/|autoscaling\/|[a-z.]+\.k8s\.io\/)/

function rankOf({ apiVersion = '', kind = '' }: KubeObject): number {
  if (!builtInGroup.test(apiVersion)) return rankOfUnknown
  const early = first.indexOf(kind as (typeof first)[number])
  if (early !== -1) return early
  const late = last.indexOf(kind as (typeof last)[number])
  return late === -1 ? rankOfUnknown : first.length + 1 + late
}

/** Stable: among equals the given order holds. */
export function applyOrder<T>(items: readonly T[], objectOf: (item: T) => KubeObject): T[] {
  return items
    .map((item, index) => ({ item, index, rank: rankOf(objectOf(item)) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .map(({ item }) => item)
}
