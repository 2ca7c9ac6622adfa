// Gathers the rules of an aggregated ClusterRole from the roles that its selectors match.
// Upstream: pkg/controller/clusterroleaggregation. What rules allow is authz/'s.

import type { ClusterRole, PolicyRule } from '../../api/models.ts'
import { fromLabelSelectorObject } from '../../api/select.ts'
import { isSame } from '../../api/value.ts'
import { clusterRoles } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'

const name = 'clusterrole-aggregation-controller'

export function startClusterRoleAggregation({ clientFor, control, informers }: Context): Controller {
  const client = clientFor(name)
  const roles = informers.of(clusterRoles)
  const aggregated = () => roles.list().filter((role) => role.aggregationRule !== undefined)
  return control({
    name,
    // Any role may be part of any aggregated one, and there are few of those.
    sources: [fromInformer(roles, () => aggregated().map(({ metadata }) => metadata.name ?? ''))],
    reconcile: async (key, { signal }) => {
      const role = roles.version(key)?.object
      if (role === undefined) return undefined
      const rules = gatheredRules(role, roles.list())
      if (rules === undefined || isSame(rules, role.rules ?? [])) return undefined
      await client.update(clusterRoles, { ...role, rules }, { signal })
      return undefined
    },
  })
}

/** In the order of the selectors and of names, each rule once. Undefined for a role that gathers nothing. */
export function gatheredRules(
  role: ClusterRole,
  all: readonly ClusterRole[],
): readonly PolicyRule[] | undefined {
  if (role.aggregationRule === undefined) return undefined
  const sorted = [...all].sort((left, right) =>
    (left.metadata.name ?? '') < (right.metadata.name ?? '') ? -1 : 1,
  )
  const gathered: PolicyRule[] = []
  for (const object of role.aggregationRule.clusterRoleSelectors ?? []) {
    const selector = fromLabelSelectorObject(object)
    for (const { metadata, rules = [] } of sorted) {
      if (metadata.name === role.metadata.name || !selector.matches(metadata.labels)) continue
      for (const rule of rules) if (!gathered.some((known) => isSame(known, rule))) gathered.push(rule)
    }
  }
  return gathered
}
