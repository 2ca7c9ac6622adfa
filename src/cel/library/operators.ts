// Arithmetic, order, membership and conversions: the operators and functions of the language itself.
// Logic and the conditional are check/expression.ts's, because they do not evaluate all of their operands.

import { compareValues, equalValues, holds, sameKeys } from '../equal.ts'
import type { Meter } from '../failure.ts'
import {
  Duration,
  fail,
  keyText,
  kindOf,
  ListValue,
  type MapValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from '../value.ts'
import { declare, type Overload } from './overload.ts'

const int64 = 2n ** 63n

export function int(value: bigint): bigint {
  return value < -int64 || value >= int64 ? fail('integer overflow') : value
}

export function uint(value: bigint): Uint {
  return value < 0n || value >= 2n ** 64n ? fail('unsigned integer overflow') : new Uint(value)
}

function divisor(value: bigint, text: string): bigint {
  return value === 0n ? fail(text) : value
}

function concat(left: string, right: string, meter: Meter): string {
  meter.chargeText(left.length + right.length)
  return left + right
}

/** Sets and map lists are joined by their rules: what stands on the right replaces its like on the left. */
function concatLists(left: ListValue, right: ListValue, meter: Meter): Value {
  meter.charge(left.size + right.size)
  const { listType, listMapKeys = [] } = left.schema ?? {}
  if (listType !== 'set' && listType !== 'map') return ListValue.of([...left.toArray(), ...right.toArray()])
  const joined = left.toArray()
  for (const item of right.toArray()) {
    const index = joined.findIndex((one) =>
      listType === 'set' ? equalValues(one, item, meter) : sameKeys(one, item, listMapKeys, meter),
    )
    if (index === -1) joined.push(item)
    else joined[index] = item
  }
  return ListValue.of(joined, left.schema)
}

const bytes = (left: Uint8Array, right: Uint8Array, meter: Meter): Uint8Array => {
  meter.chargeText(left.length + right.length)
  return new Uint8Array([...left, ...right])
}

const arithmetic: readonly Overload[] = [
  declare('_+_(int, int): int', (a: bigint, b: bigint) => int(a + b)),
  declare('_+_(uint, uint): uint', (a: Uint, b: Uint) => uint(a.value + b.value)),
  declare('_+_(double, double): double', (a: number, b: number) => a + b),
  declare('_+_(string, string): string', concat),
  declare('_+_(bytes, bytes): bytes', bytes),
  declare('_+_(list<A>, list<A>): list<A>', concatLists),
  declare('_+_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => time(a.nanos + b.nanos)),
  declare('_+_(duration, timestamp): timestamp', (a: Duration, b: Timestamp) => time(a.nanos + b.nanos)),
  declare('_+_(duration, duration): duration', (a: Duration, b: Duration) => span(a.nanos + b.nanos)),
  declare('_-_(int, int): int', (a: bigint, b: bigint) => int(a - b)),
  declare('_-_(uint, uint): uint', (a: Uint, b: Uint) => uint(a.value - b.value)),
  declare('_-_(double, double): double', (a: number, b: number) => a - b),
  declare('_-_(timestamp, timestamp): duration', (a: Timestamp, b: Timestamp) => span(a.nanos - b.nanos)),
  declare('_-_(timestamp, duration): timestamp', (a: Timestamp, b: Duration) => time(a.nanos - b.nanos)),
  declare('_-_(duration, duration): duration', (a: Duration, b: Duration) => span(a.nanos - b.nanos)),
  declare('_*_(int, int): int', (a: bigint, b: bigint) => int(a * b)),
  declare('_*_(uint, uint): uint', (a: Uint, b: Uint) => uint(a.value * b.value)),
  declare('_*_(double, double): double', (a: number, b: number) => a * b),
  declare('_/_(int, int): int', (a: bigint, b: bigint) => int(a / divisor(b, 'division by zero'))),
  declare('_/_(uint, uint): uint', (a: Uint, b: Uint) =>
    uint(a.value / divisor(b.value, 'division by zero')),
  ),
  declare('_/_(double, double): double', (a: number, b: number) => a / b),
  declare('_%_(int, int): int', (a: bigint, b: bigint) => int(a % divisor(b, 'modulus by zero'))),
  declare('_%_(uint, uint): uint', (a: Uint, b: Uint) => uint(a.value % divisor(b.value, 'modulus by zero'))),
  declare('-_(int): int', (a: bigint) => int(-a)),
  declare('-_(double): double', (a: number) => -a),
  declare('!_(bool): bool', (a: boolean) => !a),
]

const minTime = -62_135_596_800n * 1_000_000_000n
const maxTime = 253_402_300_800n * 1_000_000_000n

export function time(nanos: bigint): Timestamp {
  return nanos < minTime || nanos >= maxTime ? fail('timestamp overflow') : new Timestamp(nanos)
}

export function span(nanos: bigint): Duration {
  return nanos < -int64 || nanos >= int64 ? fail('duration overflow') : new Duration(nanos)
}

const numbers = ['int', 'uint', 'double']
const ordered = ['bool', 'string', 'bytes', 'timestamp', 'duration']
const orders: readonly (readonly [string, (order: number) => boolean])[] = [
  ['_<_', (order) => order < 0],
  ['_<=_', (order) => order <= 0],
  ['_>_', (order) => order > 0],
  ['_>=_', (order) => order >= 0],
]

const comparisons: readonly Overload[] = orders.flatMap(([name, fits]) => {
  const run = (a: Value, b: Value, meter: Meter): boolean => fits(compareValues(a, b, meter))
  const pairs = [
    ...ordered.map((type) => [type, type]),
    ...numbers.flatMap((left) => numbers.map((right) => [left, right])),
  ]
  return pairs.map(([left, right]) => declare(`${name}(${left}, ${right}): bool`, run))
})

const general: readonly Overload[] = [
  declare('_==_(A, A): bool', (a: Value, b: Value, meter: Meter) => equalValues(a, b, meter)),
  declare('_!=_(A, A): bool', (a: Value, b: Value, meter: Meter) => !equalValues(a, b, meter)),
  declare('@in(A, list<A>): bool', (a: Value, list: ListValue, meter: Meter) => holds(list, a, meter)),
  declare('@in(A, map<A, B>): bool', (a: Value, map: MapValue) => map.has(a)),
  declare('_[_](list<A>, int): A', (list: ListValue, index: bigint) => itemAt(list, index)),
  declare('_[_](map<A, B>, A): B', (map: MapValue, key: Value) => {
    const found = map.get(key)
    return found === undefined ? noSuchKey(key) : found
  }),
  declare('size(string): int', sizeOfText),
  declare('.size(string): int', sizeOfText),
  declare('size(bytes): int', (a: Uint8Array) => BigInt(a.length)),
  declare('.size(bytes): int', (a: Uint8Array) => BigInt(a.length)),
  declare('size(list<A>): int', (a: ListValue) => BigInt(a.size)),
  declare('.size(list<A>): int', (a: ListValue) => BigInt(a.size)),
  declare('size(map<A, B>): int', (a: MapValue) => BigInt(a.size)),
  declare('.size(map<A, B>): int', (a: MapValue) => BigInt(a.size)),
  declare('type(A): type', (a: Value) => new TypeValue(kindOf(a))),
  declare('dyn(A): dyn', (a: Value) => a),
]

export function itemAt(list: ListValue, index: bigint): Value {
  return index < 0n || index >= BigInt(list.size)
    ? fail(`index out of bounds: ${index}`)
    : list.at(Number(index))
}

export const noSuchKey = (key: Value): never =>
  fail(`no such key: ${typeof key === 'string' ? key : keyText(key).slice(1)}`)

/** In code points. */
export function sizeOfText(text: string, meter: Meter): bigint {
  meter.chargeText(text.length)
  let size = text.length
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code >= 0xd800 && code < 0xdc00) size -= 1
  }
  return BigInt(size)
}

export const operators: readonly Overload[] = [...arithmetic, ...comparisons, ...general]
