// Equality and order of values. Lists that are sets or maps by their schema are equal whatever their order.
// Upstream: cel-go's types, and apiserver/pkg/cel/common/values.go for schemas.

import { compareQuantities } from '../api/quantity.ts'
import type { Meter } from './failure.ts'
import { sameIp } from './library/address.ts'
import {
  Duration,
  fail,
  keyText,
  kindOf,
  ListValue,
  MapValue,
  type Opaque,
  Optional,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './value.ts'

export function equalValues(left: Value, right: Value, meter: Meter): boolean {
  meter.charge(1)
  if (left === right) {
    if (typeof left === 'string') meter.chargeText(left.length)
    return true
  }
  const number = numberOf(left)
  if (number !== undefined) return numberOf(right) !== undefined && compareNumbers(left, right) === 0
  if (left === null || right === null || typeof left !== 'object' || typeof right !== 'object') return false
  if (left instanceof ListValue) return right instanceof ListValue && equalLists(left, right, meter)
  if (left instanceof MapValue) return right instanceof MapValue && equalMaps(left, right, meter)
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanos === right.nanos
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos
  if (left instanceof TypeValue) return right instanceof TypeValue && left.name === right.name
  if (left instanceof Uint8Array) return right instanceof Uint8Array && Buffer.compare(left, right) === 0
  if (left instanceof Optional) {
    if (!(right instanceof Optional)) return false
    if (left.value === undefined || right.value === undefined) return left.value === right.value
    return equalValues(left.value, right.value, meter)
  }
  return 'opaque' in left && 'opaque' in right && equalOpaque(left, right)
}

function equalOpaque(left: Opaque, right: Opaque): boolean {
  if (left.opaque === 'ip' && right.opaque === 'ip') return sameIp(left.ip, right.ip)
  if (left.opaque === 'cidr' && right.opaque === 'cidr')
    return left.cidr.prefix === right.cidr.prefix && sameIp(left.cidr.ip, right.cidr.ip)
  if (left.opaque === 'quantity' && right.opaque === 'quantity')
    return compareQuantities(left.quantity, right.quantity) === 0
  if (left.opaque === 'semver' && right.opaque === 'semver') return left.version.compare(right.version) === 0
  if (left.opaque === 'url' && right.opaque === 'url') return left.text === right.text
  return left.opaque === 'format' && right.opaque === 'format' && left.name === right.name
}

function equalLists(left: ListValue, right: ListValue, meter: Meter): boolean {
  if (left.size !== right.size) return false
  const { listType, listMapKeys = [] } = left.schema ?? {}
  if (listType === 'set' || listType === 'map') {
    const rest = right.toArray()
    const isSame = (one: Value, other: Value): boolean =>
      listType === 'set' ? equalValues(one, other, meter) : sameKeys(one, other, listMapKeys, meter)
    return left.toArray().every((item) => {
      const found = rest.find((other) => isSame(item, other))
      return found !== undefined && (listType === 'set' || equalValues(item, found, meter))
    })
  }
  for (let index = 0; index < left.size; index += 1)
    if (!equalValues(left.at(index), right.at(index), meter)) return false
  return true
}

export function sameKeys(left: Value, right: Value, keys: readonly string[], meter: Meter): boolean {
  if (!(left instanceof MapValue) || !(right instanceof MapValue)) return false
  return keys.every((key) => equalValues(left.get(key) ?? null, right.get(key) ?? null, meter))
}

function equalMaps(left: MapValue, right: MapValue, meter: Meter): boolean {
  if (left.size !== right.size) return false
  return left.keys().every((key) => {
    const other = right.get(key)
    return other !== undefined && equalValues(left.get(key) ?? null, other, meter)
  })
}

function numberOf(value: Value): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return value instanceof Uint ? value.value : undefined
}

function compareNumbers(left: Value, right: Value): number {
  const [a = 0, b = 0] = [numberOf(left), numberOf(right)]
  if (a < b) return -1
  if (a > b) return 1
  // biome-ignore lint/suspicious/noDoubleEquals: an integer and a double of the same size are equal.
  return a == b ? 0 : Number.NaN
}

/** Below zero when left is less; NaN compares with nothing. Fails on what has no order. */
export function compareValues(left: Value, right: Value, meter: Meter): number {
  if (numberOf(left) !== undefined && numberOf(right) !== undefined) return compareNumbers(left, right)
  if (typeof left === 'string' && typeof right === 'string') {
    meter.chargeText(Math.min(left.length, right.length))
    return compareText(left, right)
  }
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  if (left instanceof Timestamp && right instanceof Timestamp) return compareBig(left.nanos, right.nanos)
  if (left instanceof Duration && right instanceof Duration) return compareBig(left.nanos, right.nanos)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right)
  return fail('no such overload')
}

const compareBig = (left: bigint, right: bigint): number => (left < right ? -1 : left > right ? 1 : 0)

/** Go compares bytes of UTF-8, which is the order of code points. */
function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  let index = 0
  while (index < length && left.charCodeAt(index) === right.charCodeAt(index)) index += 1
  const a = left.charCodeAt(index)
  const b = right.charCodeAt(index)
  if (Number.isNaN(a) || Number.isNaN(b)) return left.length - right.length
  const isSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdfff
  return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1
}

/** Whether a list holds a value. */
export function holds(list: ListValue, wanted: Value, meter: Meter): boolean {
  for (let index = 0; index < list.size; index += 1)
    if (equalValues(list.at(index), wanted, meter)) return true
  return false
}

/** Each value once, in the order in which they were first seen. */
export function distinctValues(values: readonly Value[], meter: Meter): Value[] {
  const seen = new Set<string>()
  const kept: Value[] = []
  for (const value of values) {
    const isPlain = value === null || ['string', 'bigint', 'boolean'].includes(typeof value)
    meter.charge(1)
    if (isPlain) {
      const text = `${kindOf(value)}${keyText(value)}`
      if (seen.has(text)) continue
      seen.add(text)
    } else if (kept.some((one) => equalValues(one, value, meter))) continue
    kept.push(value)
  }
  return kept
}
