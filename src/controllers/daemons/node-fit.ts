// Whether the pods of a daemon set belong on a node: its selectors, and the taints that they tolerate. Pure.
// Upstream: NodeShouldRunDaemonPod in pkg/controller/daemon. Placing other pods is the host's.

import type {
  Node,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodSpec,
  Taint,
  Toleration,
} from '../../api/models.ts'

export interface Fit {
  readonly shouldRun: boolean
  /** One that runs there already may stay. */
  readonly mayStay: boolean
}

const never: Fit = { shouldRun: false, mayStay: false }

/** `spec` has the tolerations that every daemon's pod gets. */
export function fitOf(node: Node, spec: PodSpec): Fit {
  if ((spec.nodeName ?? '') !== '' && spec.nodeName !== node.metadata.name) return never
  if (!isSelected(node, spec)) return never
  const untolerated = (node.spec?.taints ?? []).filter(
    (taint) => !spec.tolerations?.some((toleration) => tolerates(toleration, taint)),
  )
  const isKept = !untolerated.some(({ effect }) => effect === 'NoExecute')
  return { shouldRun: isKept && !untolerated.some(({ effect }) => effect === 'NoSchedule'), mayStay: isKept }
}

export function tolerates(
  { key = '', operator = 'Equal', value = '', effect = '' }: Toleration,
  taint: Taint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false
  if (key !== '' && key !== taint.key) return false
  if (operator === 'Exists') return true
  const [wanted, given] = [Number(value), Number(taint.value)]
  if (operator === 'Gt') return given > wanted
  if (operator === 'Lt') return given < wanted
  return key !== '' && value === (taint.value ?? '')
}

function isSelected(node: Node, { nodeSelector = {}, affinity }: PodSpec): boolean {
  const labels = node.metadata.labels ?? {}
  const isEqual = Object.entries(nodeSelector).every(([key, value]) => labels[key] === value)
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return isEqual && (required === undefined || required.nodeSelectorTerms.some((term) => isMet(term, node)))
}

function isMet({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  return (
    matchExpressions.every((one) => holds(one, metadata.labels?.[one.key])) &&
    matchFields.every((one) => holds(one, one.key === 'metadata.name' ? metadata.name : undefined))
  )
}

function holds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
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
      return value !== undefined && Number(value) > Number(values[0])
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0])
    default:
      return false
  }
}
