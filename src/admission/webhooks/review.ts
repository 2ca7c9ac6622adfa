// AdmissionReview: what a webhook is asked, and whether what it said can be used.
// Upstream: apiserver/pkg/admission/plugin/webhook/request.

import type { AdmissionRequest } from '../../api/contracts.ts'
import type { Json, KubeObject } from '../../api/object.ts'
import type { Invocation } from './match.ts'
import { namespaceOf } from './match.ts'

export interface ReviewParts {
  readonly uid: string
  readonly invocation: Invocation
  readonly request: AdmissionRequest
  /** As the invocation's version shows them. */
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

export interface Verdict {
  readonly isAllowed: boolean
  /** JSON patch, empty when there is none. */
  readonly patch: readonly Json[]
  readonly warnings: readonly string[]
  /** meta/v1 Status, of a denial. */
  readonly status: Readonly<Record<string, Json | undefined>> | undefined
}

export function reviewOf(parts: ReviewParts): Json {
  return {
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${parts.invocation.webhook.reviewVersion}`,
    request: {
      ...requestOf(parts),
      object: (parts.object ?? null) as Json,
      oldObject: (parts.old ?? null) as Json,
    },
  }
}

/** The request without the objects, as match conditions see it too. */
export function requestOf({ uid, invocation, request }: ReviewParts): Readonly<Record<string, Json>> {
  const { version } = invocation
  const { user, subresource } = request
  return {
    uid,
    kind: { ...version.kind },
    resource: { ...version.resource },
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: { ...request.kind },
    requestResource: { ...request.resource },
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(request.name === '' ? {} : { name: request.name }),
    ...(namespaceOf(request) === '' ? {} : { namespace: namespaceOf(request) }),
    operation: request.operation,
    userInfo: {
      username: user.name,
      ...(user.uid === undefined || user.uid === '' ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined || Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
    dryRun: request.isDryRun,
    options: request.options ?? null,
  }
}

const warningsMax = 100

/** Answers a text when the response cannot be used. */
export function readResponse(
  answer: Json,
  { uid, invocation, mayPatch }: { uid: string; invocation: Invocation; mayPatch: boolean },
): Verdict | string {
  const { reviewVersion } = invocation.webhook
  const review = fieldsOf(answer)
  const found = versionText(textOf(review['apiVersion']), textOf(review['kind']))
  const wanted = versionText(`admission.k8s.io/${reviewVersion}`, 'AdmissionReview')
  const isUnnamed = review['apiVersion'] === undefined && review['kind'] === undefined
  if (found !== wanted && !(isUnnamed && reviewVersion === 'v1beta1'))
    return `expected webhook response of ${wanted}, got ${found}`
  if (review['response'] === undefined || review['response'] === null) return 'webhook response was absent'
  const response = fieldsOf(review['response'])
  if (reviewVersion === 'v1' && response['uid'] !== uid)
    return `expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(textOf(response['uid']))}`
  const patch = readPatch(response, { mayPatch, isStrict: reviewVersion === 'v1' })
  if (typeof patch === 'string') return patch
  const warnings = Array.isArray(response['warnings']) ? response['warnings'] : []
  return {
    isAllowed: response['allowed'] === true,
    patch,
    warnings: warnings.filter((one) => typeof one === 'string').slice(0, warningsMax),
    status: response['status'] === undefined ? undefined : fieldsOf(response['status']),
  }
}

function readPatch(
  { patch, patchType }: Fields,
  { mayPatch, isStrict }: { mayPatch: boolean; isStrict: boolean },
): readonly Json[] | string {
  const text = textOf(patch)
  const hasType = patchType !== undefined && patchType !== null
  if (!mayPatch) {
    if (!isStrict) return []
    if (text !== '') return 'validating webhook may not return response.patch'
    return hasType ? 'validating webhook may not return response.patchType' : []
  }
  if (text === '') {
    return hasType && isStrict ? 'webhook returned response.patchType but not response.patch' : []
  }
  if (!hasType && isStrict) return 'webhook returned response.patch but not response.patchType'
  if (hasType && patchType !== 'JSONPatch')
    return `webhook returned invalid response.patchType of ${JSON.stringify(textOf(patchType))}`
  try {
    const operations: unknown = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
    return Array.isArray(operations)
      ? (operations as readonly Json[])
      : 'response.patch is not a list of operations'
  } catch {
    return 'response.patch is not base64 of a JSON patch'
  }
}

type Fields = Readonly<Record<string, Json | undefined>>

const fieldsOf = (value: Json | undefined): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : '')

/** As Go prints a GroupVersionKind. */
const versionText = (apiVersion: string, kind: string): string => `${apiVersion}, Kind=${kind}`
