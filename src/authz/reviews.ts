// Answers the reviews: may they, what may I, who am I, whose token is this. Nothing of them is stored.
// Upstream: kubernetes/pkg/registry/authorization and registry/authentication. Who may ask is the door's to decide.

import type { Attributes, Authenticator, Authorizer, UserInfo } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import {
  badRequest,
  type FieldError,
  fieldInvalid,
  fieldRequired,
  internalError,
  invalid,
} from '../api/status.ts'

export interface Review {
  readonly kind: string
  /** As submitted; a LocalSubjectAccessReview carries the namespace of its path. */
  readonly object: KubeObject
  /** Who asks. */
  readonly user: UserInfo
  readonly authorizer: Authorizer
  readonly authenticator: Authenticator
}

type Fields = Readonly<Record<string, unknown>>

/** The object with its status filled in. Throws `invalid(…)` or `badRequest(…)` for a question that cannot be answered. */
export async function answerReview(review: Review): Promise<KubeObject> {
  const { kind, object, user } = review
  switch (kind) {
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview':
      return answerAccess(review, askedUser(specOf(object)))
    case 'SelfSubjectAccessReview':
      return answerAccess(review, user)
    case 'SelfSubjectRulesReview':
      return answerRules(review)
    case 'SelfSubjectReview':
      return { ...object, status: { userInfo: userInfoOf(user) } }
    case 'TokenReview':
      return answerToken(review)
    default:
      throw internalError(`${kind} is no review`)
  }
}

function answerAccess({ kind, object, authorizer }: Review, user: UserInfo): KubeObject {
  const spec = specOf(object)
  const errors = accessErrors(kind, object, spec)
  if (errors.length > 0) throw invalid({ group: 'authorization.k8s.io', kind }, '', errors)
  const { allowed, reason } = authorizer.authorize(askedAttributes(user, spec))
  return { ...object, status: { allowed, ...(reason === '' ? {} : { reason }) } }
}

function accessErrors(kind: string, { metadata }: KubeObject, spec: Fields): readonly FieldError[] {
  const [resource, path] = [recordOf(spec['resourceAttributes']), recordOf(spec['nonResourceAttributes'])]
  const isLocal = kind === 'LocalSubjectAccessReview'
  const errors: FieldError[] = []
  if (resource !== undefined && path !== undefined) {
    errors.push(
      fieldInvalid(
        'spec.nonResourceAttributes',
        path,
        'cannot be specified in combination with resourceAttributes',
      ),
    )
  }
  if (resource === undefined && path === undefined) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    errors.push(fieldInvalid('spec.resourceAttributes', null, detail))
  }
  if (kind !== 'SelfSubjectAccessReview' && text(spec['user']) === '' && texts(spec['groups']).length === 0) {
    errors.push(fieldInvalid('spec.user', '', 'at least one of user or group must be specified'))
  }
  errors.push(...selectorErrors(resource))
  if (!isBare(metadata, isLocal)) {
    errors.push(
      fieldInvalid('metadata', metadata, isLocal ? 'must be empty except for namespace' : 'must be empty'),
    )
  }
  if (!isLocal) return errors
  const namespace = text(resource?.['namespace'])
  if (resource !== undefined && namespace !== (metadata.namespace ?? '')) {
    errors.push(fieldInvalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace'))
  }
  if (path !== undefined) {
    errors.push(fieldInvalid('spec.nonResourceAttributes', path, 'disallowed on this kind of request'))
  }
  return errors
}

function selectorErrors(resource: Fields | undefined): readonly FieldError[] {
  return (['fieldSelector', 'labelSelector'] as const).flatMap((name) => {
    const field = `spec.resourceAttributes.${name}`
    const selector = recordOf(resource?.[name])
    if (selector === undefined) return []
    const raw = text(selector['rawSelector'])
    const hasRequirements = Array.isArray(selector['requirements']) && selector['requirements'].length > 0
    if (raw !== '' && hasRequirements) {
      return [fieldInvalid(`${field}.rawSelector`, raw, 'may not specified at the same time as requirements')]
    }
    if (raw !== '' || hasRequirements) return []
    return [
      fieldRequired(
        `${field}.requirements`,
        `when ${field} is specified, requirements or rawSelector is required`,
      ),
    ]
  })
}

// A review has no identity. What the server itself put in (an empty creation time, managed fields) does not count.
function isBare(metadata: KubeObject['metadata'], isLocal: boolean): boolean {
  const allowed = new Set(['managedFields', ...(isLocal ? ['namespace'] : [])])
  return Object.entries(metadata).every(
    ([field, value]) => allowed.has(field) || value === null || value === undefined || value === '',
  )
}

function askedUser(spec: Fields): UserInfo {
  return {
    name: text(spec['user']),
    uid: text(spec['uid']),
    groups: texts(spec['groups']),
    extra: (recordOf(spec['extra']) ?? {}) as NonNullable<UserInfo['extra']>,
  }
}

function askedAttributes(user: UserInfo, spec: Fields): Attributes {
  const resource = recordOf(spec['resourceAttributes'])
  const path = recordOf(spec['nonResourceAttributes'])
  return {
    user,
    verb: text((resource ?? path)?.['verb']),
    isResource: resource !== undefined,
    group: text(resource?.['group']),
    version: text(resource?.['version']) || '*',
    resource: text(resource?.['resource']),
    subresource: text(resource?.['subresource']),
    namespace: text(resource?.['namespace']),
    name: text(resource?.['name']),
    path: text(path?.['path']),
  }
}

function answerRules({ object, user, authorizer }: Review): KubeObject {
  const namespace = text(specOf(object)['namespace'])
  if (namespace === '') throw badRequest('no namespace on request')
  const { resourceRules, nonResourceRules } = authorizer.rulesFor(user, namespace)
  // Upstream answers without the question.
  const { apiVersion, kind } = object
  return {
    apiVersion,
    kind,
    metadata: { creationTimestamp: null },
    spec: {},
    status: {
      resourceRules: resourceRules.map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined || resourceNames.length === 0 ? {} : { resourceNames }),
      })),
      nonResourceRules: nonResourceRules.map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
      incomplete: false,
    },
  }
}

async function answerToken({ object, authenticator }: Review): Promise<KubeObject> {
  const spec = specOf(object)
  const token = text(spec['token'])
  if (token === '') throw badRequest('token is required for TokenReview in authentication')
  const verdict = await authenticator.reviewToken?.(token, texts(spec['audiences']))
  if (verdict?.ok) {
    const { user, audiences } = verdict
    return { ...object, status: { authenticated: true, user: userInfoOf(user), audiences } }
  }
  const error = verdict === undefined || verdict.error === '' ? 'invalid bearer token' : verdict.error
  return { ...object, status: { user: {}, error } }
}

function userInfoOf({ name, uid = '', groups, extra = {} }: UserInfo): Fields {
  return {
    username: name,
    ...(uid === '' ? {} : { uid }),
    groups,
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

const specOf = (object: KubeObject): Fields => recordOf(object['spec']) ?? {}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []

function recordOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null ? (value as Fields) : undefined
}
