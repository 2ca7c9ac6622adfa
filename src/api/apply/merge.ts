// Puts an applied configuration over a live object: what both have is the configuration's, nothing is removed.
// Upstream: structured-merge-diff's typed/merge.go. Parts that do not change are shared.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { type Draft, fieldOf, isList, isObject, type JsonObject, setField } from '../value.ts'
import { fieldSchema, isAtomic, itemElement, shapesFor } from './shape.ts'

/** Both are objects of the schema's type; the configuration has no duplicates. */
export function mergeObjects(live: JsonObject, config: JsonObject, schema: Schema | undefined): JsonObject {
  const merged = mergeValues(live, config, schema)
  return isObject(merged) ? merged : config
}

function mergeValues(
  live: Json | undefined,
  config: Json | undefined,
  schema: Schema | undefined,
): Json | undefined {
  if (config === undefined || live === config) return live
  if (live === undefined) return config
  const shape = shapesFor(schema, config)[0]
  if (shape === 'map' && !isAtomic(schema, 'map')) {
    const [below, above] = [isObject(live) ? live : {}, isObject(config) ? config : {}]
    // Where both are empty, the configuration tells null from empty.
    if (Object.keys(below).length === 0 && Object.keys(above).length === 0) return config
    return mergeMaps(below, above, schema)
  }
  if (shape === 'list' && !isAtomic(schema, 'list')) {
    const [below, above] = [isList(live) ? live : [], isList(config) ? config : []]
    if (below.length === 0 && above.length === 0) return config
    return mergeLists(below, above, schema)
  }
  return config
}

function mergeMaps(live: JsonObject, config: JsonObject, schema: Schema | undefined): JsonObject {
  let draft: Draft | undefined
  for (const [name, value] of Object.entries(config)) {
    const before = fieldOf(live, name)
    const after = mergeValues(before, value, fieldSchema(schema, name))
    if (after === before || after === undefined) continue
    draft ??= { ...live }
    setField(draft, name, after)
  }
  return draft ?? live
}

interface Item {
  readonly element: string
  readonly value: Json
}

/**
 * Items of the configuration keep their order, items that only the live list has keep theirs; the two are woven at the
 * items they share.
 */
function mergeLists(
  live: readonly Json[],
  config: readonly Json[],
  schema: Schema | undefined,
): readonly Json[] {
  const liveItems = itemsOf(live, schema)
  const configItems = itemsOf(config, schema)
  const liveByElement = new Map<string, Json>()
  // Of duplicates none is merged with: which one would it be?
  for (const { element, value } of liveItems)
    liveByElement.set(element, liveByElement.has(element) ? null : value)
  const configByElement = new Map(configItems.map(({ element, value }) => [element, value]))
  const shared = configItems.filter(({ element }) => liveByElement.has(element)).map(({ element }) => element)
  const merged: Json[] = []
  const taken = new Set<string>()
  const take = (element: string) => {
    taken.add(element)
    if (shared[0] === element) shared.shift()
    const value = mergeValues(liveByElement.get(element), configByElement.get(element), schema?.items)
    if (value !== undefined) merged.push(value)
  }
  let at = 0
  let next = 0
  while (at < liveItems.length || next < configItems.length) {
    const mine = liveItems[at]
    const theirs = configItems[next]
    if (mine !== undefined && theirs !== undefined) {
      if (mine.element === theirs.element) {
        take(mine.element)
        at += 1
        next += 1
        continue
      }
      const isShared = configByElement.has(mine.element)
      if (isShared && shared.length > 0 && shared[0] !== mine.element) {
        at += 1
        continue
      }
    }
    if (mine !== undefined) {
      if (!configByElement.has(mine.element)) {
        merged.push(mine.value)
        at += 1
        continue
      }
      if (taken.has(mine.element)) at += 1
    }
    if (theirs !== undefined) {
      take(theirs.element)
      next += 1
    }
  }
  return merged.length === live.length && merged.every((value, index) => value === live[index])
    ? live
    : merged
}

function itemsOf(list: readonly Json[], schema: Schema | undefined): readonly Item[] {
  return list.flatMap((value, index) => {
    const found = itemElement(schema, value)
    // A live item that nothing identifies is kept where it is, as one that nobody owns.
    return [{ element: 'problem' in found ? `i:${index}` : found.element, value }]
  })
}
