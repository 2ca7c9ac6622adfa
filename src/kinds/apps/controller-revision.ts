// Controller revisions: what a stateful or daemon set looked like once. Their data never changes.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldRequired } from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { isFields, isPresent, numberOf } from '../fields.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkNotNegative } from '../rules.ts'

export const controllerRevision: Kind = defineKind({
  group: 'apps',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  columns: [nameColumn, text('Controller'), text('Revision'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    controllerOf(object),
    numberOf(object['revision']),
    ageOf(object, now),
  ],
  validate: (object) => checkNotNegative(object['revision'], 'revision'),
  validateNew: checkData,
  validateChange: (object, old) => immutableField('data', object['data'], old['data']),
})

function controllerOf(object: KubeObject): string {
  const owner = object.metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return '<none>'
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${owner.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${owner.name}`
}

function checkData(object: KubeObject): readonly FieldError[] {
  if (!isPresent(object['data'])) return [fieldRequired('data', 'data is mandatory')]
  return isFields(object['data']) ? [] : [fieldRequired('data', 'data must be a valid JSON object')]
}
