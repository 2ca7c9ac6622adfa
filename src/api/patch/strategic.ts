// Strategic merge patches: merge patches that know, by the schema, which lists merge by key.
// Upstream: apimachinery/pkg/util/strategicpatch. Inputs are never written to.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { type ApiError, badRequest, unprocessable } from '../status.ts'
import { type Draft, fieldOf, isList, isObject, type JsonObject, setField } from '../value.ts'
import { withoutNulls } from './merge.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const setElementOrder = '$setElementOrder/'
const deleteFromPrimitiveList = '$deleteFromPrimitiveList/'

/** A field's schema with how lists and objects in it merge; no schema is needed where nothing merges. */
interface Field {
  readonly schema: Schema | undefined
  readonly strategy: string
  readonly mergeKey: string
}

/** Throws 400 for a malformed patch, 422 for one that does not fit. */
export function applyStrategicMergePatch<T extends object>(object: T, patch: Json, schema: Schema): T {
  if (!isObject(patch)) {
    throw badRequest(
      `json: cannot unmarshal ${isList(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    )
  }
  return mergeObject(object as unknown as JsonObject, patch, schema) as unknown as T
}

function mergeObject(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  const marker = fieldOf(patch, directive)
  if (marker !== undefined) return mergeByDirective(marker, patch)
  const draft: Draft = { ...original }
  const done = new Set<string>([retainKeys])
  applyRetainKeys(draft, patch)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(setElementOrder)) orderList({ draft, patch, key, schema, done })
  }
  for (const [key, change] of Object.entries(patch)) {
    if (!done.has(key)) mergeField(draft, key, change, schema)
  }
  return draft
}

function mergeByDirective(marker: Json, patch: JsonObject): JsonObject {
  if (marker === 'delete') return {}
  if (marker === 'replace') {
    const { [directive]: _, ...rest } = patch
    return rest
  }
  throw badRequest(`unknown patch type: ${String(marker)} in map`)
}

function mergeField(draft: Draft, key: string, change: Json, schema: Schema | undefined): void {
  if (key.startsWith(deleteFromPrimitiveList)) {
    deleteValues(draft, key, change)
    return
  }
  const next = change === null ? undefined : mergedValue(fieldOf(draft, key), change, key, schema)
  if (next === undefined) delete draft[key]
  else setField(draft, key, next)
}

function mergedValue(
  before: Json | undefined,
  change: Json,
  key: string,
  schema: Schema | undefined,
): Json | undefined {
  if (isObject(before) && isObject(change)) {
    const field = lookUp(schema, key)
    return field.strategy === 'replace' ? change : mergeObject(before, change, field.schema)
  }
  if (isList(before) && isList(change)) {
    const field = lookUp(schema, key)
    return field.strategy === 'merge' ? mergeList(before, change, field) : change
  }
  return withoutDirectives(withoutNulls(change))
}

function deleteValues(draft: Draft, key: string, change: Json): void {
  const name = key.slice(deleteFromPrimitiveList.length)
  if (name === '') throw badRequest('invalid patch format of primitive list')
  const before = fieldOf(draft, name)
  if (!isList(before)) return
  if (!isList(change)) throw badRequest('invalid patch format of primitive list')
  const gone = new Set(change)
  setField(
    draft,
    name,
    before.filter((item) => !gone.has(item)),
  )
}

/** Drops the fields that the directive does not name, as a change of a union's member needs. */
function applyRetainKeys(draft: Draft, patch: JsonObject): void {
  const kept = fieldOf(patch, retainKeys)
  if (kept === undefined) return
  if (!isList(kept)) throw badRequest('invalid patch format of retainKeys')
  const names = new Set<Json>(kept)
  for (const [key, value] of Object.entries(patch)) {
    const isDirective =
      key === retainKeys || key.startsWith(deleteFromPrimitiveList) || key.startsWith(setElementOrder)
    if (value !== null && !isDirective && !names.has(key))
      throw badRequest('invalid patch format of retainKeys')
  }
  for (const key of Object.keys(draft)) {
    if (!names.has(key)) delete draft[key]
  }
}

/** `$setElementOrder/x`: merges list x and puts it in the given order, server-only items in between. */
function orderList({
  draft,
  patch,
  key,
  schema,
  done,
}: {
  draft: Draft
  patch: JsonObject
  key: string
  schema: Schema | undefined
  done: Set<string>
}): void {
  done.add(key)
  const name = key.slice(setElementOrder.length)
  const order = patch[key]
  const before = fieldOf(draft, name)
  const change = fieldOf(patch, name)
  if (name === '' || !isList(order)) throw badRequest('invalid patch format of setElementOrder list')
  // A null list is a deletion, and nothing is left to be ordered.
  if (change === null) return
  if (
    (before !== undefined && before !== null && !isList(before)) ||
    (change !== undefined && !isList(change))
  )
    throw badRequest('invalid patch format of setElementOrder list')
  const field = lookUp(schema, name)
  if (isList(change)) checkOrder(change, order, field)
  const merged = mergedForOrder(isList(before) ? before : undefined, change, field)
  done.add(name)
  if (merged === undefined) return
  const inOrder = new Set(order.map((item) => keyOf(item, field)))
  setField(
    draft,
    name,
    interleave({
      merged,
      isPatched: (item) => inOrder.has(keyOf(item, field)),
      order,
      live: isList(before) ? before : [],
      field,
    }),
  )
}

function mergedForOrder(
  before: readonly Json[] | undefined,
  change: readonly Json[] | undefined,
  field: Field,
): readonly Json[] | undefined {
  if (change === undefined) return before
  if (before === undefined) return withoutDirectives(change) as readonly Json[]
  return field.strategy === 'merge' ? mergeList(before, change, field) : change
}

/** The items of a patch list must stand in the order list, in the same order. */
function checkOrder(change: readonly Json[], order: readonly Json[], field: Field): void {
  if (change.length === 0 || order.length === 0) return
  const asked = change.filter((item) => !isObject(item) || fieldOf(item, directive) === undefined)
  let at = 0
  for (const item of order) {
    const next = asked[at]
    if (next === undefined) return
    if (keyOf(next, field) === keyOf(item, field)) at += 1
  }
  if (at < asked.length) {
    throw unprocessable(
      `The order in patch list:\n${JSON.stringify(change)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    )
  }
}

function mergeList(original: readonly Json[], patch: readonly Json[], field: Field): readonly Json[] {
  if (original.length === 0 && patch.length === 0) return original
  const isOfObjects = checkItems([...original, ...patch])
  if (isOfObjects && field.mergeKey === '')
    throw unprocessable('cannot merge lists without merge key for map')
  const scalars: Field = { ...field, mergeKey: '' }
  if (!isOfObjects) {
    const inPatch = new Set(patch)
    const merged = [...new Set([...original, ...patch])]
    return interleave({
      merged,
      isPatched: (item) => inPatch.has(item),
      order: patch,
      live: original,
      field: scalars,
    })
  }
  const { live, changes } = applyItemDirectives(original, patch, field)
  const merged = mergeItems(live, changes, field)
  const inPatch = new Set(changes.map((item) => keyOf(item, field)))
  const isPatched = (item: Json) => inPatch.has(keyOf(item, field))
  return interleave({ merged, isPatched, order: changes, live, field })
}

/** Items are all objects or all scalars of one sort; answers which. */
function checkItems(items: readonly Json[]): boolean {
  const sort = (item: Json) => (isList(item) ? 'list' : item === null ? 'null' : typeof item)
  const first = items[0]
  if (first === undefined) return false
  if (items.some(isList)) throw unprocessable('lists of lists are not supported')
  if (items.some((item) => sort(item) !== sort(first)))
    throw unprocessable(`list element types are not identical: ${JSON.stringify(items).slice(0, 1_000)}`)
  return isObject(first)
}

/** Carries out `$patch: delete` and `$patch: replace` items of a list. */
function applyItemDirectives(
  original: readonly Json[],
  patch: readonly Json[],
  field: Field,
): { readonly live: readonly Json[]; readonly changes: readonly Json[] } {
  const deleted = new Set<Json>()
  const changes: Json[] = []
  let isReplaced = false
  for (const item of patch) {
    const marker = isObject(item) ? fieldOf(item, directive) : undefined
    if (marker === undefined) changes.push(item)
    else if (marker === 'delete') deleted.add(keyOf(item, field))
    else if (marker === 'replace') isReplaced = true
    else if (marker === 'merge') throw badRequest('merging lists cannot yet be specified in the patch')
    else throw badRequest(`unknown patch type: ${String(marker)} in map`)
  }
  if (isReplaced) return { live: changes, changes: [] }
  const live = original.filter((item) => {
    const key = isObject(item) ? fieldOf(item, field.mergeKey) : undefined
    return key === undefined || !deleted.has(key)
  })
  return { live, changes }
}

function mergeItems(live: readonly Json[], changes: readonly Json[], field: Field): readonly Json[] {
  const merged = [...live]
  const places = new Map<Json, number>()
  live.forEach((item, index) => {
    const key = keyOf(item, field)
    if (!places.has(key)) places.set(key, index)
  })
  for (const change of changes) {
    const key = keyOf(change, field)
    const place = places.get(key)
    const before = place === undefined ? undefined : merged[place]
    if (place === undefined) {
      places.set(key, merged.length)
      merged.push(change)
    } else if (isObject(before) && isObject(change)) {
      merged[place] = mergeObject(before, change, field.schema)
    }
  }
  return merged
}

/**
 * Sorts patched items by `order` and the others as they are live, then weaves the two: an item that only the server
 * has goes before the first patched item that stood behind it in the live list.
 */
function interleave({
  merged,
  isPatched,
  order,
  live,
  field,
}: {
  merged: readonly Json[]
  isPatched: (item: Json) => boolean
  order: readonly Json[]
  live: readonly Json[]
  field: Field
}): readonly Json[] {
  const livePlace = placesOf(live, field)
  const patched = sortBy(merged.filter(isPatched), placesOf(order, field), field)
  const others = sortBy(
    merged.filter((item) => !isPatched(item)),
    livePlace,
    field,
  )
  const woven: Json[] = []
  let next = 0
  for (const item of patched) {
    const place = livePlace.get(keyOf(item, field))
    while (next < others.length) {
      const other = livePlace.get(keyOf(others[next] ?? null, field))
      if (place === undefined || other === undefined || other >= place) break
      woven.push(others[next] ?? null)
      next += 1
    }
    woven.push(item)
  }
  return [...woven, ...others.slice(next)]
}

function placesOf(items: readonly Json[], field: Field): ReadonlyMap<Json, number> {
  const places = new Map<Json, number>()
  items.forEach((item, index) => {
    const key = keyOf(item, field)
    if (!places.has(key)) places.set(key, index)
  })
  return places
}

function sortBy(items: readonly Json[], places: ReadonlyMap<Json, number>, field: Field): readonly Json[] {
  const place = (item: Json) => places.get(keyOf(item, field)) ?? Number.MAX_SAFE_INTEGER
  return items.toSorted((left, right) => place(left) - place(right))
}

/** What identifies an item: its merge key's value, or the scalar itself. */
function keyOf(item: Json, { mergeKey }: Field): Json {
  if (mergeKey === '') return item
  if (!isObject(item)) throw unprocessable('expected a map[string]interface {} in a list that merges by key')
  const key = fieldOf(item, mergeKey)
  if (key === undefined) throw noMergeKey(item, mergeKey)
  return key
}

const noMergeKey = (item: JsonObject, mergeKey: string): ApiError =>
  unprocessable(
    `map: ${JSON.stringify(item).slice(0, 1_000)} does not contain declared merge key: ${mergeKey}`,
  )

/** A value without the parts that carry `$patch`; undefined when it carries one itself. */
function withoutDirectives(value: Json): Json | undefined {
  if (isList(value)) {
    const items = value.map(withoutDirectives)
    if (items.every((item, index) => item === value[index])) return value
    return items.filter((item) => item !== undefined)
  }
  if (!isObject(value)) return value
  if (Object.hasOwn(value, directive)) return undefined
  let draft: Draft | undefined
  for (const [field, inner] of Object.entries(value)) {
    const kept = withoutDirectives(inner)
    if (kept === inner) continue
    draft ??= { ...value }
    if (kept === undefined) delete draft[field]
    else setField(draft, field, kept)
  }
  return draft ?? value
}

function lookUp(schema: Schema | undefined, key: string): Field {
  const found = schema?.properties?.get(key) ?? schema?.additionalProperties
  if (found === undefined) {
    if (schema === undefined || schema.type === 'any' || schema.preserveUnknownFields === true)
      return { schema: undefined, strategy: '', mergeKey: '' }
    throw unprocessable(
      `unable to find api field in struct ${structName(schema)} for the json field "${key}"`,
    )
  }
  const strategy = (found.patchStrategy ?? '').split(',').find((part) => part !== 'retainKeys') ?? ''
  return {
    schema: found.type === 'array' ? found.items : found,
    strategy,
    mergeKey: found.patchMergeKey ?? '',
  }
}

const structName = ({ name = '' }: Schema): string => name.slice(name.lastIndexOf('.') + 1)
