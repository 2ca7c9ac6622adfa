// Takes the fields of a set out of an object.
// Upstream: structured-merge-diff's typed/remove.go.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { type Draft, isList, isObject, type JsonObject, setField } from '../value.ts'
import { type FieldSet, fieldElement, isEmptyFields } from './fields.ts'
import { fieldSchema, isAtomic, itemElement } from './shape.ts'

export function removeFields(object: JsonObject, fields: FieldSet, schema: Schema | undefined): JsonObject {
  const rest = removeFrom(object, fields, schema)
  return isObject(rest) ? rest : {}
}

/** Undefined when nothing is left: a map or list that loses its last field goes itself. */
function removeFrom(value: Json, fields: FieldSet, schema: Schema | undefined): Json | undefined {
  if (isEmptyFields(fields)) return value
  if (isList(value)) return isAtomic(schema, 'list') ? undefined : removeFromList(value, fields, schema)
  if (isObject(value)) return isAtomic(schema, 'map') ? undefined : removeFromMap(value, fields, schema)
  return value
}

function removeFromMap(
  map: JsonObject,
  fields: FieldSet,
  schema: Schema | undefined,
): JsonObject | undefined {
  let draft: Draft | undefined
  for (const [name, value] of Object.entries(map)) {
    const element = fieldElement(name)
    const below = fields.children.get(element)
    let rest: Json | undefined = value
    if (fields.members.has(element)) rest = undefined
    else if (below !== undefined) rest = removeFrom(value, below, fieldSchema(schema, name))
    if (rest === value) continue
    draft ??= { ...map }
    if (rest === undefined) delete draft[name]
    else setField(draft, name, rest)
  }
  if (draft === undefined) return map
  return Object.keys(draft).length === 0 ? undefined : draft
}

function removeFromList(
  list: readonly Json[],
  fields: FieldSet,
  schema: Schema | undefined,
): readonly Json[] | undefined {
  const rest = list.flatMap((item) => {
    const found = itemElement(schema, item)
    if ('problem' in found) return [item]
    if (fields.members.has(found.element)) return []
    const below = fields.children.get(found.element)
    if (below === undefined) return [item]
    const left = removeFrom(item, below, schema?.items)
    return left === undefined ? [] : [left]
  })
  return rest.length === 0 && list.length > 0 ? undefined : rest
}
