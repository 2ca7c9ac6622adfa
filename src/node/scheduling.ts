// Whether a pod may run on the one node there is; pure. The embedded host has no other scheduler.
// Upstream: pkg/scheduler. Resources are not counted: nothing is limited here.

import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../api/models.ts'

export type Verdict =
  | { readonly type: 'bind' }
  /** Not this scheduler's, gated, or going away. */
  | { readonly type: 'leave' }
  | { readonly type: 'refuse'; readonly message: string }

export interface SchedulingInput {
  readonly pod: Pod
  readonly nodeName: string
  readonly nodeLabels: Readonly<Record<string, string>>
  readonly isCordoned: boolean
  /** What is known of a claim of the pod's namespace. */
  readonly claim: (name: string) => 'bound' | 'pending' | 'missing'
}

const schedulerName = 'default-scheduler'

export function judge({ pod, nodeName, nodeLabels, isCordoned, claim }: SchedulingInput): Verdict {
  const { metadata, spec, status } = pod
  const isBound = spec?.nodeName !== undefined && spec.nodeName !== ''
  if (
    isBound ||
    metadata.deletionTimestamp !== undefined ||
    status?.phase === 'Succeeded' ||
    status?.phase === 'Failed'
  )
    return { type: 'leave' }
  if ((spec?.schedulingGates?.length ?? 0) > 0 || (spec?.schedulerName ?? schedulerName) !== schedulerName)
    return { type: 'leave' }
  const claims = (spec?.volumes ?? []).flatMap(
    ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
  )
  const missing = claims.find((name) => claim(name) === 'missing')
  if (missing !== undefined) return refuse(`persistentvolumeclaim ${JSON.stringify(missing)} not found`)
  if (claims.some((name) => claim(name) === 'pending'))
    return refuse('pod has unbound immediate PersistentVolumeClaims')
  const isTolerated = spec?.tolerations?.some(
    ({ key, operator }) =>
      key === 'node.kubernetes.io/unschedulable' || (key === undefined && operator === 'Exists'),
  )
  if (isCordoned && isTolerated !== true) return refuse('1 node(s) were unschedulable')
  if (!isSelected(pod, { nodeName, nodeLabels }))
    return refuse("1 node(s) didn't match Pod's node affinity/selector")
  return { type: 'bind' }
}

const refuse = (reason: string): Verdict => ({
  type: 'refuse',
  message: `0/1 nodes are available: ${reason}.`,
})

interface NodeFacts {
  readonly nodeName: string
  readonly nodeLabels: Readonly<Record<string, string>>
}

function isSelected({ spec }: Pod, node: NodeFacts): boolean {
  const isEqual = Object.entries(spec?.nodeSelector ?? {}).every(
    ([key, value]) => node.nodeLabels[key] === value,
  )
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return (
    isEqual && (required === undefined || required.nodeSelectorTerms.some((term) => isTermMet(term, node)))
  )
}

function isTermMet(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  { nodeName, nodeLabels }: NodeFacts,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((one) => isMet(one, nodeLabels[one.key])) &&
    matchFields.every((one) => isMet(one, one.key === 'metadata.name' ? nodeName : undefined))
  )
}

function isMet({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return Number(value) > Number(values[0])
    case 'Lt':
      return Number(value) < Number(values[0])
    default:
      return false
  }
}
