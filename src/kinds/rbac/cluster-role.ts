// Cluster roles: what may be done anywhere, or a bundle of such roles found by their labels.

import type { LabelSelectorObject } from '../../api/select.ts'
import { type FieldError, fieldRequired } from '../../api/status.ts'
import { validateLabelSelector } from '../../api/validate/labels.ts'
import { nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { checkRoleRules } from './role-rules.ts'

export const clusterRole: Kind = defineKind({
  group: 'rbac.authorization.k8s.io',
  kind: 'ClusterRole',
  plural: 'clusterroles',
  isNamespaced: false,
  nameRule: 'path-segment',
  allowsCreateOnUpdate: true,
  columns: [nameColumn, { ...text('Created At'), type: 'date' }],
  cells: (object) => [nameOf(object), textOf(object.metadata.creationTimestamp)],
  validate: (object) => [
    ...checkRoleRules(object, { isNamespaced: false }),
    ...(isPresent(object['aggregationRule']) ? checkAggregation(fieldsOf(object['aggregationRule'])) : []),
  ],
})

function checkAggregation(rule: Fields): readonly FieldError[] {
  const selectors = itemsOf(rule['clusterRoleSelectors'])
  const field = 'aggregationRule.clusterRoleSelectors'
  if (selectors.length === 0)
    return [fieldRequired(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  return selectors.flatMap((selector, index) =>
    validateLabelSelector(selector as LabelSelectorObject, `${field}[${index}]`),
  )
}
