// Values at run time. Integers are bigints, doubles are numbers; JSON is wrapped and converted only where it is read.
// Comparing them is equal.ts's.

import { parseQuantity, type Quantity } from '../api/quantity.ts'
import type { Schema } from '../api/schema.ts'
import { EvaluationError } from './failure.ts'
import type { Cidr, Ip } from './library/address.ts'
import { parseDays, parseDuration, parseTimestamp } from './library/clock-text.ts'

export type Json = Readonly<Record<string, unknown>>

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

export class Timestamp {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

export class Optional {
  readonly value: Value | undefined
  constructor(value: Value | undefined) {
    this.value = value
  }
}

export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of Kubernetes' libraries. */
export type Opaque =
  | { readonly opaque: 'url'; readonly url: URL; readonly text: string }
  | { readonly opaque: 'ip'; readonly ip: Ip }
  | { readonly opaque: 'cidr'; readonly cidr: Cidr }
  | { readonly opaque: 'quantity'; readonly quantity: Quantity }
  | { readonly opaque: 'semver'; readonly version: SemanticVersion }
  | {
      readonly opaque: 'format'
      readonly name: string
      readonly check: (text: string) => readonly string[]
    }

export interface SemanticVersion {
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly compare: (other: SemanticVersion) => number
}

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | ListValue
  | MapValue
  | Optional
  | TypeValue
  | Opaque

export class ListValue {
  readonly size: number
  readonly schema: Schema | undefined
  readonly #raw: readonly unknown[] | undefined
  readonly #values: Value[]

  private constructor(values: Value[], raw: readonly unknown[] | undefined, schema: Schema | undefined) {
    this.#values = values
    this.#raw = raw
    this.schema = schema
    this.size = raw?.length ?? values.length
  }

  /** With the schema of a list that it was made of, whose way to compare it keeps. */
  static of(values: Value[], schema?: Schema): ListValue {
    return new ListValue(values, undefined, schema)
  }

  static fromJson(raw: readonly unknown[], schema: Schema | undefined): ListValue {
    return new ListValue(new Array(raw.length), raw, schema)
  }

  at(index: number): Value {
    const known = this.#values[index]
    if (known !== undefined || this.#raw === undefined) return known ?? null
    const made = fromJson(this.#raw[index], this.schema?.items)
    this.#values[index] = made
    return made
  }

  toArray(): Value[] {
    return Array.from({ length: this.size }, (_, index) => this.at(index))
  }
}

type Entry = readonly [Value, Value]

export class MapValue {
  readonly schema: Schema | undefined
  readonly #raw: Json | undefined
  readonly #entries: Map<string, Entry>

  private constructor(entries: Map<string, Entry>, raw: Json | undefined, schema: Schema | undefined) {
    this.#entries = entries
    this.#raw = raw
    this.schema = schema
  }

  static of(entries: readonly Entry[]): MapValue {
    return new MapValue(new Map(entries.map((entry) => [keyText(entry[0]), entry])), undefined, undefined)
  }

  static fromJson(raw: Json, schema: Schema | undefined): MapValue {
    return new MapValue(new Map(), raw, schema)
  }

  get size(): number {
    return this.#raw === undefined ? this.#entries.size : this.keys().length
  }

  keys(): Value[] {
    const raw = this.#raw
    if (raw !== undefined) return Object.keys(raw).filter((key) => this.#isThere(raw, key))
    return [...this.#entries.values()].map(([key]) => key)
  }

  has(key: Value): boolean {
    return this.#raw === undefined ? this.#entries.has(keyText(key)) : this.#isThere(this.#raw, key)
  }

  /** A field of an object that is null is absent; a key of a map that is null is there. */
  #isThere(raw: Json, key: Value): key is string {
    if (typeof key !== 'string' || !Object.hasOwn(raw, key)) return false
    return raw[key] !== null || this.schema?.properties === undefined
  }

  get(key: Value): Value | undefined {
    const text = keyText(key)
    const known = this.#entries.get(text)
    if (known !== undefined) return known[1]
    if (this.#raw === undefined || !this.#isThere(this.#raw, key)) return undefined
    const inner = this.schema?.properties?.get(key) ?? this.schema?.additionalProperties
    const made = fromJson(this.#raw[key], inner)
    this.#entries.set(text, [key, made])
    return made
  }
}

/** Numbers that are equal are the same key, whatever their type. */
export function keyText(key: Value): string {
  if (typeof key === 'string') return `s${key}`
  if (key instanceof Uint) return `n${key.value}`
  return typeof key === 'bigint' || typeof key === 'number' ? `n${key}` : `b${String(key)}`
}

export function fromJson(value: unknown, schema: Schema | undefined): Value {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value
  if (typeof value === 'string') return fromText(value, schema)
  if (typeof value === 'number') {
    const isInteger = schema?.type === 'number' ? false : Number.isInteger(value)
    return isInteger ? BigInt(value) : value
  }
  if (Array.isArray(value)) return ListValue.fromJson(value, schema)
  return MapValue.fromJson(value as Json, schema)
}

function fromText(text: string, schema: Schema | undefined): Value {
  if (schema?.type !== 'string' || schema.format === undefined) return text
  switch (schema.format) {
    case 'byte':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'duration':
      return new Duration(parseDuration(text) ?? parseDays(text) ?? fail(`invalid duration ${text}`))
    case 'date':
      return new Timestamp(parseTimestamp(`${text}T00:00:00Z`) ?? fail(`invalid date ${text}`))
    case 'date-time':
      return new Timestamp(parseTimestamp(text) ?? fail(`invalid date-time ${text}`))
    default:
      return text
  }
}

export function fail(text: string): never {
  throw new EvaluationError(text)
}

export function readQuantity(text: string): Quantity | undefined {
  // Go's parser takes no surrounding space.
  return text.trim() === text && text !== '' ? parseQuantity(text) : undefined
}

/** The name of the type that `type()` answers, and by which overloads are found. */
export function kindOf(value: Value): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
    default:
      return objectKind(value)
  }
}

function objectKind(value: Exclude<Value, null | boolean | bigint | number | string>): string {
  if (value instanceof ListValue) return 'list'
  if (value instanceof MapValue) return 'map'
  if (value instanceof Optional) return 'optional'
  if (value instanceof Uint) return 'uint'
  if (value instanceof Timestamp) return 'timestamp'
  if (value instanceof Duration) return 'duration'
  if (value instanceof TypeValue) return 'type'
  return value instanceof Uint8Array ? 'bytes' : value.opaque
}
