// Where workloads hold the pods that they will make, and which changes of a pod matter to its security.
// Upstream: pod-security-admission/admission (DefaultPodSpecExtractor, isSignificantPodUpdate).

import type { KubeObject } from '../api/object.ts'

export interface PodPart {
  readonly metadata?: KubeObject['metadata'] | undefined
  readonly spec?: unknown
}

/** By resource, the way to the template. */
const templates: Readonly<Record<string, readonly string[]>> = {
  '/podtemplates': ['template'],
  '/replicationcontrollers': ['spec', 'template'],
  'apps/daemonsets': ['spec', 'template'],
  'apps/deployments': ['spec', 'template'],
  'apps/replicasets': ['spec', 'template'],
  'apps/statefulsets': ['spec', 'template'],
  'batch/cronjobs': ['spec', 'jobTemplate', 'spec', 'template'],
  'batch/jobs': ['spec', 'template'],
}

type Resource = { readonly group: string; readonly resource: string }

export const isTemplateOf = ({ group, resource }: Resource): boolean => `${group}/${resource}` in templates

export function templateIn(object: KubeObject, { group, resource }: Resource): PodPart | undefined {
  let found: unknown = object
  for (const step of templates[`${group}/${resource}`] ?? ['']) {
    found = (found as Readonly<Record<string, unknown>> | null | undefined)?.[step]
  }
  if (typeof found !== 'object' || found === null) return undefined
  return { metadata: {}, ...found }
}

const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const
type Spec = { readonly [list in (typeof lists)[number]]?: readonly { readonly image?: string }[] | null }

/** Other images, other containers beside, or other annotations that name profiles. */
export function isSignificantChange(pod: KubeObject, old: KubeObject): boolean {
  const seen = (one: KubeObject): string => {
    const spec = (one['spec'] ?? {}) as Spec
    const annotations = Object.entries(one.metadata.annotations ?? {})
    return JSON.stringify([
      ...lists.map((list) => (spec[list] ?? []).map(({ image }) => image)),
      annotations.filter(([key]) => /^(container\.apparmor|(container\.)?seccomp)\./.test(key)).sort(),
    ])
  }
  return seen(pod) !== seen(old)
}
