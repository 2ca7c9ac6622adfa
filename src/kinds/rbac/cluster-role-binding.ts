// Cluster role bindings: who has a role everywhere.

import { defineKind } from '../define.ts'
import type { Kind } from '../kind.ts'
import {
  bindingCells,
  bindingColumns,
  defaultBinding,
  validateBinding,
  validateBindingChange,
} from './binding-rules.ts'

export const clusterRoleBinding: Kind = defineKind({
  group: 'rbac.authorization.k8s.io',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  isNamespaced: false,
  nameRule: 'path-segment',
  allowsCreateOnUpdate: true,
  columns: bindingColumns,
  cells: bindingCells,
  defaults: defaultBinding,
  validate: (object) => validateBinding(object, { roleKinds: ['ClusterRole'], isNamespaced: false }),
  validateChange: validateBindingChange,
})
