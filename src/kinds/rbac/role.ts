// Roles: what may be done in one namespace.

import { nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { checkRoleRules } from './role-rules.ts'

export const role: Kind = defineKind({
  group: 'rbac.authorization.k8s.io',
  kind: 'Role',
  plural: 'roles',
  nameRule: 'path-segment',
  allowsCreateOnUpdate: true,
  columns: [nameColumn, { ...text('Created At'), type: 'date' }],
  cells: (object) => [nameOf(object), textOf(object.metadata.creationTimestamp)],
  validate: (object) => checkRoleRules(object, { isNamespaced: true }),
})
