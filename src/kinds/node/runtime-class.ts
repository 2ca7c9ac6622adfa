// Runtime classes: ways for a node to run pods. Which of them the host has, only its operator knows.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { validateLabels } from '../../api/validate/labels.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, isPresent, textOf } from '../fields.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'

export const runtimeClass: Kind = defineKind({
  group: 'node.k8s.io',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  notEnforced: "pods run in the runtime that the host's operator has chosen",
  isNamespaced: false,
  columns: [nameColumn, text('Handler'), ageColumn],
  cells: (object, now) => [nameOf(object), textOf(object['handler']), ageOf(object, now)],
  validate: (object) => [
    ...checkHandler(textOf(object['handler'])),
    ...(isPresent(at(object, 'scheduling', 'nodeSelector'))
      ? validateLabels(
          at(object, 'scheduling', 'nodeSelector') as Record<string, string>,
          'scheduling.nodeSelector',
        )
      : []),
  ],
  validateChange: (object, old) => immutableField('handler', object['handler'], old['handler']),
})

function checkHandler(handler: string): readonly FieldError[] {
  if (handler === '') return [fieldRequired('handler')]
  return dnsLabel(handler).map((problem) => fieldInvalid('handler', handler, problem))
}
