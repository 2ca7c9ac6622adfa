// The authoriser: role-based access control over the roles and bindings that the plane holds.
// Upstream: kubernetes/plugin/pkg/auth/authorizer/rbac and pkg/registry/rbac/validation/rule.go.

import type { Attributes, Authorizer, Decision, PolicyRule, Reader, UserInfo } from '../api/contracts.ts'
import type { StoredObject } from '../api/stored.ts'
import { BindingIndex, describeGrant, type Grant, type RoleRef } from './bindings.ts'
import { ruleAllows } from './rules.ts'

const rbacGroup = 'rbac.authorization.k8s.io'
const superusers = 'system:masters'

// Indexes of namespaces that were asked last; one costs some kilobytes.
export const namespaceIndexesMax = 1024

/** Reads roles and bindings anew for each decision, through indexes that live as long as the Reader's lists. */
export function createRbacAuthorizer({ reader }: { readonly reader: Reader }): Authorizer {
  const resolver = new RuleResolver(reader)
  return {
    authorize: (attributes) => authorize(resolver, attributes),
    rulesFor: (user, namespace) => {
      const rules = [...resolver.grantsOf(user, namespace)].flatMap((grant) => resolver.rulesOf(grant) ?? [])
      return {
        resourceRules: rules.filter(({ resources }) => resources !== undefined && resources.length > 0),
        nonResourceRules: rules.filter(
          ({ nonResourceURLs }) => nonResourceURLs !== undefined && nonResourceURLs.length > 0,
        ),
      }
    },
  }
}

function authorize(resolver: RuleResolver, attributes: Attributes): Decision {
  const { user, namespace } = attributes
  // Nothing that is stored can lock the administrators out.
  if (user.groups.includes(superusers)) return { allowed: true, reason: '' }
  const missing = new Set<string>()
  for (const grant of resolver.grantsOf(user, namespace)) {
    const rules = resolver.rulesOf(grant)
    if (rules === undefined) missing.add(describeMissing(grant.binding.roleRef))
    if (rules?.some((rule) => ruleAllows(rule, attributes))) {
      return { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant)}` }
    }
  }
  return { allowed: false, reason: describeErrors([...missing]) }
}

class RuleResolver {
  readonly #reader: Reader
  readonly #rules = new WeakMap<StoredObject, readonly PolicyRule[]>()
  readonly #namespaces = new Map<string, BindingIndex>()
  #cluster = new BindingIndex([])

  constructor(reader: Reader) {
    this.#reader = reader
  }

  *grantsOf(user: UserInfo, namespace: string): Generator<Grant> {
    const clusterBindings = this.#reader.list({ group: rbacGroup, resource: 'clusterrolebindings' })
    if (!this.#cluster.isFor(clusterBindings)) this.#cluster = new BindingIndex(clusterBindings)
    yield* this.#cluster.grantsOf(user)
    if (namespace !== '') yield* this.#namespaceIndex(namespace).grantsOf(user)
  }

  /** Undefined when the role is not there. */
  rulesOf({ binding }: Grant): readonly PolicyRule[] | undefined {
    const { kind, name } = binding.roleRef
    const role =
      kind === 'ClusterRole'
        ? this.#reader.get({ group: rbacGroup, resource: 'clusterroles' }, '', name)
        : kind === 'Role' && binding.namespace !== ''
          ? this.#reader.get({ group: rbacGroup, resource: 'roles' }, binding.namespace, name)
          : undefined
    if (role === undefined) return undefined
    const known = this.#rules.get(role)
    if (known !== undefined) return known
    const rules = (role.object['rules'] ?? []) as readonly PolicyRule[]
    this.#rules.set(role, rules)
    return rules
  }

  #namespaceIndex(namespace: string): BindingIndex {
    const bindings = this.#reader.list({ group: rbacGroup, resource: 'rolebindings' }, namespace)
    const known = this.#namespaces.get(namespace)
    const index = known?.isFor(bindings) ? known : new BindingIndex(bindings)
    // Set again, so that the namespaces asked longest ago come first and go first.
    this.#namespaces.delete(namespace)
    if (this.#namespaces.size >= namespaceIndexesMax) {
      this.#namespaces.delete(this.#namespaces.keys().next().value ?? '')
    }
    this.#namespaces.set(namespace, index)
    return index
  }
}

function describeMissing({ kind, name }: RoleRef): string {
  if (kind !== 'Role' && kind !== 'ClusterRole')
    return `unsupported role reference kind: ${JSON.stringify(kind)}`
  return `${kind.toLowerCase()}.${rbacGroup} ${JSON.stringify(name)} not found`
}

function describeErrors(errors: readonly string[]): string {
  if (errors.length === 0) return ''
  return `RBAC: ${errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`}`
}
