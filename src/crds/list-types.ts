// Lists that say they are sets or maps may not hold an element twice. Upstream: schema/listtype.
// Merging such lists is api/apply's.

import type { Schema } from '../api/schema.ts'
import { type FieldError, fieldDuplicate, fieldInvalid } from '../api/status.ts'
import { type Fields, isFields } from '../kinds/fields.ts'
import { canonicalJson } from './copy.ts'
import { join } from './prune.ts'
import { isObjectMeta } from './structural.ts'

export function validateListTypes(
  value: unknown,
  schema: Schema | undefined,
  path = '',
): readonly FieldError[] {
  if (schema === undefined || isObjectMeta(schema)) return []
  if (Array.isArray(value)) return validateList(value, schema, path)
  if (!isFields(value)) return []
  const errors: FieldError[] = []
  for (const [key, inner] of Object.entries(value)) {
    const property = schema.properties?.get(key)
    errors.push(...validateListTypes(inner, schema.additionalProperties, `${path}[${key}]`))
    errors.push(...validateListTypes(inner, property, join(path, key)))
  }
  return errors
}

function validateList(list: readonly unknown[], schema: Schema, path: string): readonly FieldError[] {
  const { items } = schema
  const own =
    schema.listType === 'set'
      ? repeated(list).map((index) => fieldDuplicate(`${path}[${index}]`, list[index]))
      : schema.listType === 'map'
        ? validateMap(list, schema.listMapKeys ?? [], path)
        : []
  if (items === undefined) return own
  return [...own, ...list.flatMap((item, index) => validateListTypes(item, items, `${path}[${index}]`))]
}

function validateMap(
  list: readonly unknown[],
  keyFields: readonly string[],
  path: string,
): readonly FieldError[] {
  const stray = list.findIndex((item) => item !== null && !isFields(item))
  if (stray !== -1) {
    return [fieldInvalid(`${path}[${stray}]`, list[stray], 'must be an object for an array of list-type map')]
  }
  const keys = list.map((item) => listMapKey(item as Fields | null, keyFields))
  return repeated(keys).map((index) => fieldDuplicate(`${path}[${index}]`, keys[index]))
}

/** The fields that tell an item of a map list from the others. */
function listMapKey(item: Fields | null, keyFields: readonly string[]): Fields {
  if (item === null) return {}
  return Object.fromEntries(
    keyFields.filter((field) => Object.hasOwn(item, field)).map((field) => [field, item[field]]),
  )
}

/** Where a value stands for the second time; the third time is not told. */
function repeated(values: readonly unknown[]): readonly number[] {
  const times = new Map<string, number>()
  const indices: number[] = []
  for (const [index, value] of values.entries()) {
    const text = canonicalJson(value)
    const count = (times.get(text) ?? 0) + 1
    times.set(text, count)
    if (count === 2) indices.push(index)
  }
  return indices
}
