// Changes JSON by copying the path: an object or list of which nothing changes stays the same one.
// What changes is the walkers' business: prune.ts, default.ts, embedded.ts.

import type { Fields } from '../kinds/fields.ts'

/** Answered by a change that takes the field away. */
export const dropped: unique symbol = Symbol('dropped')

export function mapFields(fields: Fields, change: (value: unknown, key: string) => unknown): Fields {
  let copy: Record<string, unknown> | undefined
  for (const key of Object.keys(fields)) {
    const value = fields[key]
    const next = change(value, key)
    if (next === value) continue
    copy ??= { ...fields }
    if (next === dropped) delete copy[key]
    else setField(copy, key, next)
  }
  return copy ?? fields
}

export function mapItems(
  items: readonly unknown[],
  change: (item: unknown, index: number) => unknown,
): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let index = 0; index < items.length; index += 1) {
    const next = change(items[index], index)
    if (next === items[index]) continue
    copy ??= [...items]
    copy[index] = next
  }
  return copy ?? items
}

/** Plain assignment would take the key `__proto__` for the prototype. */
export function setField(fields: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
}

/** Equal as JSON: the order of fields does not count, absent and null differ. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => sameJson(item, right[index]))
  }
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every(
    (key) => Object.hasOwn(right, key) && sameJson((left as Fields)[key], (right as Fields)[key]),
  )
}

/** One text for all ways to write the same JSON. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner
    return Object.fromEntries(Object.entries(inner).sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}
