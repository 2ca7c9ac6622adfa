// Takes the fields of a set out of an object.
// Upstream: structured-merge-diff's typed/remove.go.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { type Draft, fieldOf, isList, isObject, type JsonObject, setField } from '../value.ts'
import { type FieldSet, fieldElement, isEmptyFields } from './fields.ts'
import { fieldSchema, isAtomic, itemElement } from './shape.ts'

export function removeFields(object: JsonObject, fields: FieldSet, schema: Schema | undefined): JsonObject {
  const rest = removeFrom(object, fields, schema)
  return isObject(rest) ? rest : {}
}

/** Null when nothing is left: it matters to ownership that the map or list is not gone, only emptied. */
function removeFrom(value: Json, fields: FieldSet, schema: Schema | undefined): Json {
  if (isEmptyFields(fields)) return value
  if (isList(value)) return isAtomic(schema, 'list') ? null : removeFromList(value, fields, schema)
  if (isObject(value)) return isAtomic(schema, 'map') ? null : removeFromMap(value, fields, schema)
  return value
}

function removeFromMap(map: JsonObject, fields: FieldSet, schema: Schema | undefined): JsonObject | null {
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
  return Object.keys(draft).length === 0 ? null : draft
}

function removeFromList(
  list: readonly Json[],
  fields: FieldSet,
  schema: Schema | undefined,
): readonly Json[] | null {
  const rest = list.flatMap((item) => {
    const found = itemElement(schema, item)
    if ('problem' in found) return [item]
    if (fields.members.has(found.element)) return []
    const below = fields.children.get(found.element)
    if (below === undefined) return [item]
    const left = removeFrom(item, below, schema?.items)
    return left === null ? [] : [left]
  })
  return rest.length === 0 && list.length > 0 ? null : rest
}

/** Drops the fields that removing has left null: an emptied map or list goes itself in the end. */
export function withoutEmptied(object: JsonObject, before: JsonObject): JsonObject {
  let draft: Draft | undefined
  for (const [name, value] of Object.entries(object)) {
    const known = fieldOf(before, name)
    if (value === known) continue
    const isEmptied = value === null && known !== undefined
    const next = isEmptied ? undefined : cleaned(value, known)
    if (next === value) continue
    draft ??= { ...object }
    if (next === undefined) delete draft[name]
    else setField(draft, name, next)
  }
  return draft ?? object
}

function cleaned(value: Json, known: Json | undefined): Json {
  if (isObject(value)) return isObject(known) ? withoutEmptied(value, known) : value
  if (!isList(value) || !isList(known)) return value
  // Items were removed, so places do not correspond; what was emptied in any of them has been made by removing.
  const knownItems = new Set<Json>(known)
  const items = value.map((item) =>
    isObject(item) && !knownItems.has(item) ? withoutNullFields(item) : item,
  )
  return items.some((item, index) => item !== value[index]) ? items : value
}

function withoutNullFields(item: JsonObject): JsonObject {
  const kept = Object.entries(item).filter(([, value]) => value !== null)
  return Object.fromEntries(
    kept.map(([name, value]) => [name, isObject(value) ? withoutNullFields(value) : value]),
  )
}
