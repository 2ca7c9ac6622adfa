// JSON values as plain data: what they are, whether two are the same, and how one is changed by copying.
// Inputs may be frozen and are never written to; a field called __proto__ is data like any other.

import type { Json } from './object.ts'

export type JsonObject = { readonly [field: string]: Json }

/** An object of this process's own making, on its way to becoming a value. */
export type Draft = { [field: string]: Json }

/** Deeper values are refused at the edge, so that code behind it may recurse. */
export const depthMax = 1_000

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value)

/** An own field's value; what an object inherits does not count. */
export function fieldOf(object: JsonObject, field: string): Json | undefined {
  return Object.hasOwn(object, field) ? object[field] : undefined
}

/** Writes into a draft; plain assignment would change the prototype for `__proto__`. */
export function setField(draft: Draft, field: string, value: Json): void {
  if (field === '__proto__')
    Object.defineProperty(draft, field, { value, writable: true, enumerable: true, configurable: true })
  else draft[field] = value
}

/** The same object with one field changed, or dropped when the value is undefined. */
export function withField<T extends object>(object: T, field: string, value: unknown): T {
  const draft = { ...object } as unknown as Draft
  if (value === undefined) delete draft[field]
  else setField(draft, field, value as Json)
  return draft as unknown as T
}

/** Whether two values are the same JSON, whatever the order of their fields. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => isSame(item, right[index]))
  }
  if (Array.isArray(right)) return false
  const fields = Object.keys(left)
  if (fields.length !== Object.keys(right).length) return false
  return fields.every(
    (field) =>
      Object.hasOwn(right, field) && isSame((left as JsonObject)[field], (right as JsonObject)[field]),
  )
}

/**
 * Whether two objects are the same once written: as `isSame`, but a field that is undefined counts as absent. Copies
 * nothing, and ends at once where both share a part, as objects changed by copying the path do.
 */
export function isWrittenSame(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isWrittenSame(item, right[index]))
  }
  if (!isObject(left) || !isObject(right)) return false
  for (const field of Object.keys(left)) {
    if (!isWrittenSame(left[field], fieldOf(right, field))) return false
  }
  return Object.keys(right).every((field) => right[field] === undefined || Object.hasOwn(left, field))
}

/** Whether objects and lists are nested in more levels than allowed. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeperThan(item, levels - 1)) return true
    return false
  }
  // Values are JSON and inherit nothing; this is twice as fast as going over Object.values().
  for (const field in value) if (isDeeperThan((value as JsonObject)[field], levels - 1)) return true
  return false
}
