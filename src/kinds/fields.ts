// Reads decoded JSON of which only the schema knows the shape: a wrong or missing part reads as empty.
// Go's decoder has the same habit, so null, absent and the zero value are one thing unless a rule says otherwise.

/** An object of which no field is certain. */
export type Fields = Readonly<Record<string, unknown>>

const empty: Fields = Object.freeze({})
const none: readonly Fields[] = Object.freeze([])

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : empty
}

/** The objects of a list. */
export function itemsOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : none
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : none
}

export function textsOf(value: unknown): readonly string[] {
  return listOf(value).map(textOf)
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

export function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

/** A pointer in Go: null counts as absent. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null
}

/** Zero in Go for a field that is no pointer. */
export function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}

/** The value at a path of field names. */
export function at(object: unknown, ...path: readonly string[]): unknown {
  let value: unknown = object
  for (const name of path) value = fieldsOf(value)[name]
  return value
}

/** Equal as Go's semantic equality sees it: absent, null and empty are equal, and so are differently ordered maps. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (isHollow(left) && isHollow(right)) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => isEqual(item, right[index]))
  }
  if (!isFields(left) || !isFields(right)) return false
  const names = new Set([...Object.keys(left), ...Object.keys(right)])
  for (const name of names) if (!isEqual(left[name], right[name])) return false
  return true
}

function isHollow(value: unknown): boolean {
  if (value === undefined || value === null) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}
