// What stood at a place before an update: a value that did not change may stay wrong (CRDValidationRatcheting).
// Upstream: apiserver/pkg/cel/common/equality.go. What is done with it is validate.ts's.

import type { Schema } from '../api/schema.ts'
import { isFields } from '../kinds/fields.ts'
import { sameJson } from './copy.ts'
import { isImplied } from './structural.ts'

/** The old value at the same place, when there is one that can be told apart. */
export type Old = { readonly value: unknown } | undefined

export function oldField(old: Old, key: string): Old {
  if (old === undefined || !isFields(old.value) || !Object.hasOwn(old.value, key)) return undefined
  return { value: old.value[key] }
}

/** The type of the root is what the request says, whatever was stored. */
export function oldProperty(old: Old, key: string, path: string): Old {
  return path === '' && (key === 'kind' || key === 'apiVersion') ? undefined : oldField(old, key)
}

/** Items of a map list are told apart by their keys, items of other lists are not. */
export function oldItems({ listType, listMapKeys = [] }: Schema, old: Old): (item: unknown) => Old {
  if (listType !== 'map' || old === undefined || !Array.isArray(old.value)) return () => undefined
  const byKey = new Map<string, unknown>()
  for (const item of old.value) {
    const text = keyText(item, listMapKeys)
    if (text !== undefined && !byKey.has(text)) byKey.set(text, item)
  }
  return (item) => {
    const text = keyText(item, listMapKeys)
    return text !== undefined && byKey.has(text) ? { value: byKey.get(text) } : undefined
  }
}

/** Undefined for an item that lacks a key: it cannot be told from others. */
function keyText(item: unknown, keyFields: readonly string[]): string | undefined {
  if (!isFields(item) || keyFields.length === 0) return undefined
  const keys = keyFields.map((field) => (Object.hasOwn(item, field) ? item[field] : undefined))
  return keys.every((key) => ['string', 'number', 'boolean'].includes(typeof key))
    ? JSON.stringify(keys)
    : undefined
}

/** Equal as far as the schema sees: an object with fields that it does not describe counts as changed. */
export function isUnchanged(value: unknown, old: unknown, schema: Schema): boolean {
  if (value === null || old === null) return value === old
  if (Array.isArray(value) && Array.isArray(old)) return isListUnchanged(value, old, schema)
  if (!isFields(value) || !isFields(old)) return sameJson(value, old)
  const keys = Object.keys(value)
  if (keys.length !== Object.keys(old).length) return false
  return keys.every((key) => {
    const inner = schema.properties?.get(key) ?? schema.additionalProperties
    if (inner === undefined || isImplied(inner) || !Object.hasOwn(old, key)) return false
    return isUnchanged(value[key], old[key], inner)
  })
}

function isListUnchanged(list: readonly unknown[], old: readonly unknown[], schema: Schema): boolean {
  const { items } = schema
  if (list.length !== old.length) return false
  if (schema.listType !== 'map' || items === undefined) return sameJson(list, old)
  const before = oldItems(schema, { value: old })
  return list.every((item) => {
    const found = before(item)
    return found !== undefined && isUnchanged(item, found.value, items)
  })
}
