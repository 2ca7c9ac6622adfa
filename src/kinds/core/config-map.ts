// ConfigMaps: text and binary values under keys that can be file names.
// How they reach a container is the node's and sync's work.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldTooLong } from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { fieldsOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { base64Bytes, checkImmutable, checkKeys, dataBytesMax, textBytes } from './data-keys.ts'

export const configMap: Kind = defineKind({
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  columns: [nameColumn, text('Data'), ageColumn],
  cells: (object, now) => [nameOf(object), countOf(object), ageOf(object, now)],
  validate: (object) => [
    ...checkKeys(object, 'data'),
    ...checkTwice(object),
    ...checkKeys(object, 'binaryData'),
    ...(textBytes(object['data']) + base64Bytes(object['binaryData']) > dataBytesMax
      ? [fieldTooLong('[]', dataBytesMax)]
      : []),
  ],
  validateChange: (object, old) => checkImmutable(object, old, ['data', 'binaryData']),
})

function countOf(object: KubeObject): number {
  return Object.keys(fieldsOf(object['data'])).length + Object.keys(fieldsOf(object['binaryData'])).length
}

function checkTwice(object: KubeObject): readonly FieldError[] {
  const binary = fieldsOf(object['binaryData'])
  return Object.keys(fieldsOf(object['data']))
    .filter((key) => key in binary)
    .map((key) => fieldInvalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
}
