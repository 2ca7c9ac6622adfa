// What a definition's conditions say about the approval that groups of the Kubernetes community need.
// Upstream: apiextensions-apiserver/pkg/apihelpers and controller/apiapproval.

import type { CustomResourceDefinitionCondition } from '../../api/models.ts'

const annotation = 'api-approved.kubernetes.io'
const link = 'see https://github.com/kubernetes/enhancements/pull/1111'
const needed = `protected groups must have approval annotation "${annotation}"`

type ApprovalState = 'missing' | 'bypassed' | 'approved' | 'invalid'

interface Approval {
  readonly state: ApprovalState
  readonly reason: string
}

type Annotations = Readonly<Record<string, string>> | undefined

/** Undefined for groups that need no approval. */
function approvalOf(group: string, annotations: Annotations): Approval | undefined {
  const isProtected = ['k8s.io', 'kubernetes.io'].some(
    (domain) => group === domain || group.endsWith(`.${domain}`),
  )
  if (!isProtected) return undefined
  const given = annotations?.[annotation] ?? ''
  if (given === '') return { state: 'missing', reason: `${needed}, ${link}` }
  if (given.startsWith('unapproved'))
    return { state: 'bypassed', reason: `not approved: ${JSON.stringify(given)}` }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/\s]+/.test(given))
    return { state: 'approved', reason: `approved in ${given}` }
  return {
    state: 'invalid',
    reason: `${needed} with either a URL or a reason starting with "unapproved", ${link}`,
  }
}

const reasons: Readonly<Record<ApprovalState, string>> = {
  missing: 'MissingAnnotation',
  bypassed: 'UnapprovedAnnotation',
  approved: 'ApprovedAnnotation',
  invalid: 'InvalidAnnotation',
}

export function approvalCondition(
  group: string,
  annotations: Annotations,
): CustomResourceDefinitionCondition | undefined {
  const approval = approvalOf(group, annotations)
  if (approval === undefined) return undefined
  return {
    type: 'KubernetesAPIApprovalPolicyConformant',
    status: approval.state === 'approved' ? 'True' : 'False',
    reason: reasons[approval.state],
    message: approval.reason,
  }
}
