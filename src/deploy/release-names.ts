// What the objects of a release are called on the host, and the labels by which they are found.
// The objects themselves are host/manifests.ts's.

import { labelProblem } from './name-rule.ts'

export const releaseLabel = 'k3v.dev/release'
export const partLabel = 'k3v.dev/part'
/** The port of the plane in its pod; its Service has 443. */
export const planePort = 7443

export const parts = ['root', 'plane', 'program', 'package', 'kubeconfig', 'expose'] as const
export type Part = (typeof parts)[number]

export interface ReleaseNames {
  readonly release: string
  /** The root ConfigMap, the StatefulSet, the Service, the plane's ServiceAccount, Role and RoleBinding. */
  readonly root: string
  readonly pod: string
  readonly claim: string
  /** Of synced pods: has no rights. */
  readonly workloadAccount: string
  readonly kubeconfigSecret: string
}

/** Throws an error for a person when the name cannot be a release's. */
export function namesOf(release: string): ReleaseNames {
  const problem = labelProblem(release)
  if (problem !== undefined)
    throw new Error(`${JSON.stringify(release)} is no name for a release: ${problem}`)
  const root = `k3v-${release}`
  return {
    release,
    root,
    pod: `${root}-0`,
    claim: `data-${root}-0`,
    workloadAccount: `${root}-workload`,
    kubeconfigSecret: `${root}-kubeconfig`,
  }
}

export const labelsOf = (release: string, part: Part): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/managed-by': 'k3v',
  'app.kubernetes.io/name': 'k3v',
  'app.kubernetes.io/instance': release,
  [releaseLabel]: release,
  [partLabel]: part,
})
