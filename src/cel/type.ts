// The types that the checker knows, how they are written in messages, and what may stand for what.
// Types of schemas are made by schema-type.ts.

export interface CelField {
  /** The name in the object; expressions see the escaped one. */
  readonly property: string
  readonly type: CelType
}

export type CelType =
  | { readonly kind: 'plain'; readonly name: string }
  | { readonly kind: 'list'; readonly item: CelType }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly inner: CelType }
  | { readonly kind: 'type' }
  | { readonly kind: 'object'; readonly field: (name: string) => CelField | undefined }
  | { readonly kind: 'param'; readonly name: string }

const plain = (name: string): CelType => Object.freeze({ kind: 'plain', name })

export const dynType = plain('dyn')
export const nullType = plain('null')
export const boolType = plain('bool')
export const intType = plain('int')
export const stringType = plain('string')
export const typeType: CelType = Object.freeze({ kind: 'type' })
const plainTypes = new Map<string, CelType>([
  ['dyn', dynType],
  ['null', nullType],
  ['bool', boolType],
  ['int', intType],
  ['string', stringType],
])

export function plainType(name: string): CelType {
  const known = plainTypes.get(name)
  if (known !== undefined) return known
  const made = plain(name)
  plainTypes.set(name, made)
  return made
}

export const listOf = (item: CelType): CelType => ({ kind: 'list', item })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })
export const optionalOf = (inner: CelType): CelType => ({ kind: 'optional', inner })

export const isDyn = (type: CelType): boolean => type.kind === 'plain' && type.name === 'dyn'
export const isPlain = (type: CelType, name: string): boolean => type.kind === 'plain' && type.name === name

const writtenNames: Readonly<Record<string, string>> = {
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  url: 'kubernetes.URL',
  ip: 'net.IP',
  cidr: 'net.CIDR',
  quantity: 'kubernetes.Quantity',
  semver: 'kubernetes.Semver',
  format: 'kubernetes.NamedFormat',
}

export function writeType(type: CelType): string {
  switch (type.kind) {
    case 'plain':
      return writtenNames[type.name] ?? type.name
    case 'list':
      return `list(${writeType(type.item)})`
    case 'map':
      return `map(${writeType(type.key)}, ${writeType(type.value)})`
    case 'optional':
      return `optional_type(${writeType(type.inner)})`
    case 'param':
      return type.name
    default:
      return type.kind
  }
}

export type Bindings = Map<string, CelType>

/** Whether a value of type `given` may stand where `wanted` is asked for; learns what parameters stand for. */
export function isAssignable(wanted: CelType, given: CelType, bindings: Bindings = new Map()): boolean {
  if (wanted.kind === 'param') return bind(wanted.name, given, bindings)
  if (isDyn(wanted) || isDyn(given)) return true
  if (isPlain(given, 'null')) return isNullable(wanted)
  if (isPlain(wanted, 'null')) return isNullable(given)
  if (wanted.kind === 'plain') return given.kind === 'plain' && given.name === wanted.name
  if (wanted.kind === 'list') return given.kind === 'list' && isAssignable(wanted.item, given.item, bindings)
  if (wanted.kind === 'optional')
    return given.kind === 'optional' && isAssignable(wanted.inner, given.inner, bindings)
  if (wanted.kind === 'map') {
    if (given.kind !== 'map') return false
    return isAssignable(wanted.key, given.key, bindings) && isAssignable(wanted.value, given.value, bindings)
  }
  if (wanted.kind === 'object') return given.kind === 'object' && wanted.field === given.field
  return given.kind === wanted.kind
}

function bind(name: string, given: CelType, bindings: Bindings): boolean {
  const bound = bindings.get(name)
  if (bound === undefined || isDyn(bound) || isPlain(bound, 'null')) {
    if (bound !== undefined && isPlain(bound, 'null') && !isAssignable(bound, given)) return false
    if (bound === undefined || isPlain(bound, 'null')) bindings.set(name, given)
    return true
  }
  if (isAssignable(bound, given)) return true
  return false
}

const nullableKinds = ['null', 'timestamp', 'duration', 'url', 'ip', 'cidr', 'quantity', 'semver', 'format']

function isNullable(type: CelType): boolean {
  if (type.kind === 'plain') return nullableKinds.includes(type.name)
  return type.kind === 'object' || type.kind === 'optional'
}

/** A type without parameters; those that nothing is known about are dynamic. */
export function substitute(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'param':
      return bindings.get(type.name) ?? dynType
    case 'list':
      return listOf(substitute(type.item, bindings))
    case 'map':
      return mapOf(substitute(type.key, bindings), substitute(type.value, bindings))
    case 'optional':
      return optionalOf(substitute(type.inner, bindings))
    default:
      return type
  }
}

/** The one type of two branches; undefined when there is none. */
export function joinTypes(left: CelType, right: CelType): CelType | undefined {
  if (isDyn(left) || isDyn(right)) return dynType
  if (isPlain(left, 'null')) return isAssignable(right, left) ? right : undefined
  return isAssignable(left, right) ? left : undefined
}

/** Reads `list<A>`, `map<string, B>`, `optional<int>`: the form of library declarations. */
export function readType(text: string): CelType {
  const trimmed = text.trim()
  const open = trimmed.indexOf('<')
  if (open === -1) {
    if (/^[A-Z]$/.test(trimmed)) return { kind: 'param', name: trimmed }
    return trimmed === 'type' ? typeType : plainType(trimmed)
  }
  const inner = splitTypes(trimmed.slice(open + 1, -1)).map(readType)
  const [first = dynType, second = dynType] = inner
  const outer = trimmed.slice(0, open)
  if (outer === 'list') return listOf(first)
  return outer === 'map' ? mapOf(first, second) : optionalOf(first)
}

/** At commas outside of angle brackets. */
export function splitTypes(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const char of text) {
    depth += char === '<' ? 1 : char === '>' ? -1 : 0
    if (char === ',' && depth === 0) {
      parts.push(part)
      part = ''
    } else part += char
  }
  return part.trim() === '' ? parts : [...parts, part]
}
