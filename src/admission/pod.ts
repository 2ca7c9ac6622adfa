// The parts of a pod that plugins read and change; changes copy the path.

import type { KubeObject } from '../api/object.ts'

export interface VolumeMount {
  readonly name?: string
  readonly mountPath?: string
  readonly readOnly?: boolean
}

export interface Container {
  readonly volumeMounts?: readonly VolumeMount[] | null
}

export interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly effect?: string
  readonly tolerationSeconds?: number
}

export interface PodSpec {
  readonly serviceAccountName?: string
  /** The name that serviceAccountName had before; the two are kept equal. */
  readonly serviceAccount?: string
  readonly automountServiceAccountToken?: boolean | null
  readonly imagePullSecrets?: readonly unknown[] | null
  readonly containers?: readonly Container[] | null
  readonly initContainers?: readonly Container[] | null
  readonly volumes?: readonly { readonly name?: string; readonly projected?: unknown }[] | null
  readonly tolerations?: readonly Toleration[] | null
  readonly priorityClassName?: string
  readonly priority?: number | null
  readonly preemptionPolicy?: string | null
}

export const podSpecOf = (pod: KubeObject): PodSpec => (pod['spec'] ?? {}) as PodSpec

export function withSpec(object: KubeObject, change: Readonly<Record<string, unknown>>): KubeObject {
  return { ...object, spec: { ...(object['spec'] as object | undefined), ...change } }
}

/** A pod that a kubelet runs from a file and only shows here. */
export const isMirrorPod = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
