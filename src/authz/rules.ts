// Whether a rule of RBAC allows a request.
// Upstream: kubernetes/pkg/apis/rbac/v1 evaluation_helpers.go. Which rules a user has is bindings.ts's.

import type { Attributes, PolicyRule } from '../api/contracts.ts'
import { resourceOf } from './forbidden.ts'

export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false
  if (!attributes.isResource) return pathMatches(rule.nonResourceURLs, attributes.path)
  return (
    hasOrAll(rule.apiGroups, attributes.group) &&
    resourceMatches(rule.resources, attributes) &&
    nameMatches(rule.resourceNames, attributes.name)
  )
}

function hasOrAll(allowed: readonly string[] | undefined, asked: string): boolean {
  return allowed?.some((one) => one === '*' || one === asked) ?? false
}

// `*` is every resource with its subresources; `pods` is not `pods/exec`; `*/scale` is scale of everything.
function resourceMatches(allowed: readonly string[] | undefined, attributes: Attributes): boolean {
  const { subresource } = attributes
  if (hasOrAll(allowed, resourceOf(attributes))) return true
  return subresource !== '' && (allowed?.includes(`*/${subresource}`) ?? false)
}

// A request without a name (list, create) is not covered by a rule that gives names.
function nameMatches(allowed: readonly string[] | undefined, name: string): boolean {
  return allowed === undefined || allowed.length === 0 || allowed.includes(name)
}

function pathMatches(allowed: readonly string[] | undefined, path: string): boolean {
  return (
    allowed?.some(
      (one) => one === '*' || one === path || (one.endsWith('*') && path.startsWith(one.replace(/\*+$/, ''))),
    ) ?? false
  )
}
