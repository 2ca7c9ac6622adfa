// Nobody grants more than they hold: roles need the rights they name, or `escalate`; bindings those of their role, or `bind`.
// Upstream: pkg/registry/rbac/*/policybased, where this is part of the storage.

import { isDeepStrictEqual } from 'node:util'
import type {
  AdmissionPlugin,
  AdmissionRequest,
  Attributes,
  Authorizer,
  PolicyRule,
  Reader,
} from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { notFound } from '../api/status.ts'
import { refuse } from './refuse.ts'
import { describeRules, missingRules, quote } from './rule-coverage.ts'

const group = 'rbac.authorization.k8s.io'
const everything: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

export interface EscalationParts {
  readonly reader: Reader
  readonly authorizer: Authorizer
}

export function rbacEscalation({ reader, authorizer }: EscalationParts): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    validate: async (request) => {
      const { operation, resource, subresource, object, old, user } = request
      if (resource.group !== group || subresource !== '' || object === undefined) return
      if (operation !== 'CREATE' && operation !== 'UPDATE') return
      if (user.groups.includes('system:masters')) return
      if (old !== undefined && changesOnlyLifecycle(object, old)) return
      if (resource.resource === 'roles' || resource.resource === 'clusterroles') {
        judgeRole({ authorizer, request, role: object })
      }
      if (resource.resource === 'rolebindings' || resource.resource === 'clusterrolebindings') {
        judgeBinding({ authorizer, reader, request, binding: object })
      }
    },
  }
}

function judgeRole({
  authorizer,
  request,
  role,
}: {
  authorizer: Authorizer
  request: AdmissionRequest
  role: KubeObject
}): void {
  const { resource, operation, name } = request
  // As upstream: a create has no name in its path, so a right over one name does not count.
  const named = operation === 'CREATE' ? '' : name
  if (isAllowed(authorizer, request, { verb: 'escalate', resource: resource.resource, name: named })) return
  confirm({ authorizer, request, rules: rulesOf(role) })
  // What a rule gathers is not known now, and a gathered role can no longer be narrowed.
  if (!hasAggregation(role) && !(request.old !== undefined && hasAggregation(request.old))) return
  if (missingRules(ownRules(authorizer, request), everything).length === 0) return
  throw refuse(request, 'must have cluster-admin privileges to use the aggregationRule')
}

function judgeBinding({
  authorizer,
  reader,
  request,
  binding,
}: EscalationParts & { request: AdmissionRequest; binding: KubeObject }): void {
  const { kind = '', name = '' } = (binding['roleRef'] ?? {}) as { kind?: string; name?: string }
  if (kind !== 'Role' && kind !== 'ClusterRole') return
  const resource = kind === 'Role' ? 'roles' : 'clusterroles'
  if (isAllowed(authorizer, request, { verb: 'bind', resource, name })) return
  const role = reader.get({ group, resource }, kind === 'Role' ? request.namespace : '', name)
  if (role === undefined) throw notFound({ group, resource: kind.toLowerCase() }, name)
  confirm({ authorizer, request, rules: rulesOf(role.object) })
}

function confirm({
  authorizer,
  request,
  rules,
}: {
  authorizer: Authorizer
  request: AdmissionRequest
  rules: readonly PolicyRule[]
}): void {
  const missing = missingRules(ownRules(authorizer, request), rules)
  if (missing.length === 0) return
  const { name, groups } = request.user
  throw refuse(
    request,
    `user ${JSON.stringify(name)} (groups=${quote(groups)}) is attempting to grant RBAC permissions not currently held:\n${describeRules(missing)}`,
  )
}

function ownRules(authorizer: Authorizer, { user, namespace }: AdmissionRequest): readonly PolicyRule[] {
  const { resourceRules, nonResourceRules } = authorizer.rulesFor(user, namespace)
  return [...resourceRules, ...nonResourceRules]
}

function isAllowed(
  authorizer: Authorizer,
  { user, namespace }: AdmissionRequest,
  asked: Pick<Attributes, 'verb' | 'resource' | 'name'>,
): boolean {
  const attributes = {
    user,
    isResource: true,
    group,
    version: '*',
    subresource: '',
    namespace,
    path: '',
    ...asked,
  }
  return authorizer.authorize(attributes).allowed
}

const rulesOf = (role: KubeObject): readonly PolicyRule[] => (role['rules'] ?? []) as readonly PolicyRule[]

function hasAggregation(role: KubeObject): boolean {
  const rule = role['aggregationRule'] as
    | { readonly clusterRoleSelectors?: readonly unknown[] }
    | null
    | undefined
  return (rule?.clusterRoleSelectors?.length ?? 0) > 0
}

// What the garbage collector must be able to do with a role that it could not grant.
function changesOnlyLifecycle(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...fields }: KubeObject) => {
    const {
      ownerReferences: _,
      finalizers: __,
      managedFields: ___,
      resourceVersion: ____,
      ...meta
    } = metadata
    return { ...fields, metadata: meta }
  }
  return isDeepStrictEqual(rest(object), rest(old))
}
