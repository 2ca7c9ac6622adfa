// Whether some rules of RBAC give all that others give, and what is missing, in upstream's words.
// Upstream: component-helpers/auth/rbac/validation and pkg/registry/rbac/validation.

import type { PolicyRule } from '../api/contracts.ts'

/** What of `wanted` is not covered by `owned`, taken apart into single rules; empty when all is. */
export function missingRules(
  owned: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted
    .flatMap((rule) => [...takeApart(rule)])
    .filter((single) => !owned.some((rule) => covers(rule, single)))
}

/** One line for each missing thing, the verbs of one resource together. */
export function describeRules(rules: readonly PolicyRule[]): string {
  return [...new Set(compact(rules).map(describe))].sort().join('\n')
}

function* takeApart(rule: PolicyRule): Generator<PolicyRule> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const single = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (resourceNames.length === 0) yield single
        for (const name of resourceNames) yield { ...single, resourceNames: [name] }
      }
    }
  }
  for (const url of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [url], verbs: [verb] }
}

/** `single` has at most one of everything. */
function covers(rule: PolicyRule, single: PolicyRule): boolean {
  const [name] = single.resourceNames ?? []
  const names = rule.resourceNames ?? []
  return (
    hasAll(rule.verbs, single.verbs) &&
    hasAll(rule.apiGroups, single.apiGroups) &&
    (single.resources ?? []).every((resource) => coversResource(rule.resources ?? [], resource)) &&
    (single.nonResourceURLs ?? []).every((url) => coversPath(rule.nonResourceURLs ?? [], url)) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  )
}

function hasAll(have: readonly string[] | undefined, asked: readonly string[] | undefined): boolean {
  if (asked === undefined) return true
  return have?.includes('*') || asked.every((one) => have?.includes(one))
}

function coversResource(have: readonly string[], resource: string): boolean {
  if (have.includes('*') || have.includes(resource)) return true
  const slash = resource.indexOf('/')
  return slash >= 0 && have.includes(`*${resource.slice(slash)}`)
}

function coversPath(have: readonly string[], path: string): boolean {
  return have.some((one) => one === path || (one.endsWith('*') && path.startsWith(one.replace(/\*+$/, ''))))
}

function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>()
  const rest: PolicyRule[] = []
  for (const rule of rules) {
    if (rule.nonResourceURLs !== undefined) {
      rest.push(rule)
      continue
    }
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames])
    const known = byTarget.get(key)
    byTarget.set(key, known === undefined ? rule : { ...known, verbs: [...known.verbs, ...rule.verbs] })
  }
  return [...rest, ...byTarget.values()]
}

function describe(rule: PolicyRule): string {
  const parts = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const
  return `{${parts.flatMap(([name, list]) => (list && list.length > 0 ? [`${name}:${quote(list)}`] : [])).join(', ')}}`
}

/** Go's `%q` of a list. */
export const quote = (texts: readonly string[]): string =>
  `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`
