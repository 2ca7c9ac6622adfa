// Role bindings: who has a role in one namespace.

import { defineKind } from '../define.ts'
import type { Kind } from '../kind.ts'
import {
  bindingCells,
  bindingColumns,
  defaultBinding,
  validateBinding,
  validateBindingChange,
} from './binding-rules.ts'

export const roleBinding: Kind = defineKind({
  group: 'rbac.authorization.k8s.io',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  nameRule: 'path-segment',
  allowsCreateOnUpdate: true,
  columns: bindingColumns,
  cells: bindingCells,
  defaults: defaultBinding,
  validate: (object) => validateBinding(object, { roleKinds: ['ClusterRole', 'Role'], isNamespaced: true }),
  validateChange: validateBindingChange,
})
