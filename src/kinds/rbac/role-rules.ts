// What roles grant: rules over resources, or over paths.
// Whether a caller may grant as much is authz's question.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { type Fields, itemsOf, listOf } from '../fields.ts'

const resourceLists = ['apiGroups', 'resources', 'resourceNames']

export function checkRoleRules(
  role: Fields,
  { isNamespaced }: { readonly isNamespaced: boolean },
): readonly FieldError[] {
  return itemsOf(role['rules']).flatMap((rule, index) => checkRule(rule, `rules[${index}]`, isNamespaced))
}

function checkRule(rule: Fields, path: string, isNamespaced: boolean): readonly FieldError[] {
  const has = (name: string): boolean => listOf(rule[name]).length > 0
  const paths = listOf(rule['nonResourceURLs'])
  const field = `${path}.nonResourceURLs`
  const errors: FieldError[] = []
  if (!has('verbs')) errors.push(fieldRequired(`${path}.verbs`, 'verbs must contain at least one value'))
  if (paths.length > 0) {
    if (isNamespaced)
      errors.push(fieldInvalid(field, paths, 'namespaced rules cannot apply to non-resource URLs'))
    if (resourceLists.some(has))
      errors.push(
        fieldInvalid(field, paths, 'rules cannot apply to both regular resources and non-resource URLs'),
      )
    return errors
  }
  if (!has('apiGroups'))
    errors.push(fieldRequired(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!has('resources'))
    errors.push(fieldRequired(`${path}.resources`, 'resource rules must supply at least one resource'))
  return errors
}
