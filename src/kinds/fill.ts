// Changes decoded JSON by copying the path: what stays the same stays the same object.
// Which fields are filled is the kinds' business.

import { type Fields, isFields, isPresent } from './fields.ts'

/** Fills fields that are absent, null or empty text. */
export function fill<T extends Fields>(object: T, defaults: Fields): T {
  return fillWhere(object, defaults, (value) => !isPresent(value) || value === '')
}

/** Fills numbers too where Go's field is no pointer: 0 means "not given". */
export function fillZero<T extends Fields>(object: T, defaults: Fields): T {
  return fillWhere(object, defaults, (value) => !isPresent(value) || value === '' || value === 0)
}

function fillWhere<T extends Fields>(object: T, defaults: Fields, isMissing: (value: unknown) => boolean): T {
  let filled: Record<string, unknown> | undefined
  for (const [name, value] of Object.entries(defaults)) {
    if (!isMissing(object[name])) continue
    filled ??= { ...object }
    filled[name] = value
  }
  return (filled ?? object) as T
}

/** Sets one field. */
export function set<T extends Fields>(object: T, name: string, value: unknown): T {
  return object[name] === value ? object : { ...object, [name]: value }
}

/** Drops fields. */
export function drop<T extends Fields>(object: T, ...names: readonly string[]): T {
  if (!names.some((name) => name in object)) return object
  const rest: Record<string, unknown> = { ...object }
  for (const name of names) delete rest[name]
  return rest as T
}

/** Takes one field from another object, or drops it when that one lacks it. */
export function take<T extends Fields>(object: T, name: string, from: Fields): T {
  return name in from ? set(object, name, from[name]) : drop(object, name)
}

/** Changes the object in a field, when there is one. */
export function within<T extends Fields>(object: T, name: string, change: (inner: Fields) => Fields): T {
  const inner = object[name]
  return isFields(inner) ? set(object, name, change(inner)) : object
}

/** Changes each object of the list in a field. */
export function each<T extends Fields>(object: T, name: string, change: (item: Fields) => Fields): T {
  const items = object[name]
  if (!Array.isArray(items)) return object
  let isChanged = false
  const changed = items.map((item: unknown) => {
    if (!isFields(item)) return item
    const next = change(item)
    if (next !== item) isChanged = true
    return next
  })
  return isChanged ? { ...object, [name]: changed } : object
}

/** Runs changes one after another. */
export function pipe<T>(object: T, ...changes: readonly ((object: T) => T)[]): T {
  return changes.reduce((changed, change) => change(changed), object)
}
