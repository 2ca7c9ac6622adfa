// What ConfigMaps and Secrets share: keys that can be file names, one size limit, and the immutable flag.
// What the data means is theirs.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden, fieldInvalid } from '../../api/status.ts'
import { configMapKeyRule } from '../../api/validate/names.ts'
import { fieldsOf, isEqual, textOf } from '../fields.ts'

/** Of all values together, decoded. */
export const dataBytesMax = 1024 * 1024

export function checkKeys(object: KubeObject, field: string): readonly FieldError[] {
  return Object.keys(fieldsOf(object[field])).flatMap((key) =>
    configMapKeyRule(key).map((problem) => fieldInvalid(`${field}[${key}]`, key, problem)),
  )
}

export function textBytes(values: unknown): number {
  return Object.values(fieldsOf(values)).reduce<number>(
    (sum, value) => sum + Buffer.byteLength(textOf(value)),
    0,
  )
}

export function base64Bytes(values: unknown): number {
  return Object.values(fieldsOf(values)).reduce<number>(
    (sum, value) => sum + Buffer.byteLength(textOf(value), 'base64'),
    0,
  )
}

/** Nothing in these fields may change once `immutable` is true, nor may the flag itself. */
export function checkImmutable(
  object: KubeObject,
  old: KubeObject,
  fields: readonly string[],
): readonly FieldError[] {
  if (old['immutable'] !== true) return []
  const detail = 'field is immutable when `immutable` is set'
  return [
    ...(object['immutable'] === true ? [] : [fieldForbidden('immutable', detail)]),
    ...fields
      .filter((field) => !isEqual(object[field], old[field]))
      .map((field) => fieldForbidden(field, detail)),
  ]
}
