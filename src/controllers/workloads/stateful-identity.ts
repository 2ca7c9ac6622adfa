// The fixed identity of a stateful set's pods: ordinal, name, host name, claims. Pure.
// Upstream: pkg/controller/statefulset/stateful_set_utils.go. When a pod is made is stateful-plan.ts's.

import type {
  OwnerReference,
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
} from '../../api/models.ts'
import { controllerReference } from './owners.ts'
import { podOf } from './pods.ts'

export const statefulSetKind = { apiVersion: 'apps/v1', kind: 'StatefulSet' }
export const revisionLabel = 'controller-revision-hash'
export const podNameLabel = 'statefulset.kubernetes.io/pod-name'
export const podIndexLabel = 'apps.kubernetes.io/pod-index'

export const podNameOf = ({ metadata }: StatefulSet, ordinal: number): string => `${metadata.name}-${ordinal}`

/** Undefined for a pod that has no place in the set. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = /^(.*)-([0-9]+)$/.exec(pod.metadata.name ?? '')
  if (match?.[1] !== set.metadata.name) return undefined
  const ordinal = Number(match?.[2])
  return podNameOf(set, ordinal) === pod.metadata.name ? ordinal : undefined
}

/** The first ordinal, and the first one beyond the last. */
export function ordinalsOf({ spec }: StatefulSet): { readonly start: number; readonly end: number } {
  const start = spec?.ordinals?.start ?? 0
  return { start, end: start + (spec?.replicas ?? 1) }
}

/** A template with the name under which the pod's label knows it. */
export interface Revision {
  readonly name: string
  readonly template: PodTemplateSpec
}

export function statefulPod(set: StatefulSet, { name: revision, template }: Revision, ordinal: number): Pod {
  const name = podNameOf(set, ordinal)
  const { namespace } = set.metadata
  const pod = podOf(template, { namespace, name, owner: controllerReference(statefulSetKind, set) })
  const claims = set.spec?.volumeClaimTemplates ?? []
  const claimed = new Set(claims.map(({ metadata }) => metadata.name))
  const volumes = [
    ...claims.map((claim) => ({
      name: claim.metadata.name ?? '',
      persistentVolumeClaim: { claimName: claimNameOf(set, claim, ordinal) },
    })),
    ...(pod.spec?.volumes ?? []).filter((volume) => !claimed.has(volume.name)),
  ]
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: {
        ...pod.metadata.labels,
        [revisionLabel]: revision,
        [podNameLabel]: name,
        [podIndexLabel]: String(ordinal),
      },
    },
    spec: {
      containers: [],
      ...pod.spec,
      hostname: name,
      subdomain: set.spec?.serviceName ?? '',
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  }
}

export function claimNameOf(set: StatefulSet, { metadata }: PersistentVolumeClaim, ordinal: number): string {
  return `${metadata.name}-${podNameOf(set, ordinal)}`
}

/** The claims of one pod, as they are made when they are missing. */
export function claimsOf(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...(template.metadata.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      name: claimNameOf(set, template, ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec?.selector.matchLabels },
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  }))
}

export interface ClaimOwners {
  readonly set: StatefulSet
  readonly ordinal: number
  /** The pod that uses the claim, when there is one. */
  readonly pod: Pod | undefined
}

/**
 * Who owns a claim follows from the retention policy: the set when claims end with it, the pod when they end with a
 * scaling down that the pod does not survive. The same list when nothing changes.
 */
export function claimOwners(
  present: readonly OwnerReference[],
  { set, ordinal, pod }: ClaimOwners,
): readonly OwnerReference[] {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } =
    set.spec?.persistentVolumeClaimRetentionPolicy ?? {}
  const { start, end } = ordinalsOf(set)
  const isScaledDown = ordinal < start || ordinal >= end
  const podOwns = whenScaled === 'Delete' && isScaledDown && pod !== undefined
  const setOwns = whenDeleted === 'Delete' && !podOwns
  const wanted = [
    ...(setOwns ? [referenceTo(statefulSetKind, set)] : []),
    ...(podOwns ? [referenceTo({ apiVersion: 'v1', kind: 'Pod' }, pod)] : []),
  ]
  const managed = new Set([set.metadata.uid, pod?.metadata.uid])
  const others = present.filter((owner) => !managed.has(owner.uid))
  const managedNow = present.filter((owner) => managed.has(owner.uid)).map((owner) => owner.uid)
  const isSame =
    wanted.length === managedNow.length && wanted.every((owner) => managedNow.includes(owner.uid))
  return isSame ? present : [...others, ...wanted]
}

function referenceTo(
  kind: { readonly apiVersion: string; readonly kind: string },
  { metadata }: StatefulSet | Pod,
): OwnerReference {
  return { ...kind, name: metadata.name ?? '', uid: metadata.uid ?? '' }
}

/** A claim that belongs to an earlier pod of this name goes away with it: a new pod must not take it. */
export function isClaimOfEarlierPod(
  owners: readonly OwnerReference[],
  podName: string,
  pod: Pod | undefined,
): boolean {
  return owners.some(
    (owner) => owner.kind === 'Pod' && owner.name === podName && owner.uid !== pod?.metadata.uid,
  )
}
