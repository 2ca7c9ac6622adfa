// Functions on lists and sets: Kubernetes' own, the lists extension (version 3), and the sets extension.
// `sortBy` is a macro: check/macros.ts.

import { compareValues, distinctValues, equalValues, holds } from '../equal.ts'
import type { Meter } from '../failure.ts'
import { Duration, fail, ListValue, Uint, type Value } from '../value.ts'
import { int, span, uint } from './operators.ts'
import { declare, type Overload } from './overload.ts'

const comparable = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration']

function isSorted(list: ListValue, meter: Meter): boolean {
  for (let index = 1; index < list.size; index += 1) {
    meter.charge(1)
    if (compareValues(list.at(index - 1), list.at(index), meter) > 0) return false
  }
  return true
}

const extreme =
  (name: string, sign: number) =>
  (list: ListValue, meter: Meter): Value => {
    if (list.size === 0) fail(`${name} called on empty list`)
    let best = list.at(0)
    for (let index = 1; index < list.size; index += 1) {
      meter.charge(1)
      if (compareValues(list.at(index), best, meter) * sign > 0) best = list.at(index)
    }
    return best
  }

function addUp(list: ListValue, zero: Value, meter: Meter): Value {
  meter.charge(list.size)
  let sum = zero
  for (const item of list.toArray()) {
    if (typeof sum === 'bigint' && typeof item === 'bigint') sum = int(sum + item)
    else if (typeof sum === 'number' && typeof item === 'number') sum += item
    else if (sum instanceof Uint && item instanceof Uint) sum = uint(sum.value + item.value)
    else if (sum instanceof Duration && item instanceof Duration) sum = span(sum.nanos + item.nanos)
    else fail('no such overload')
  }
  return sum
}

const sums: readonly (readonly [string, Value])[] = [
  ['int', 0n],
  ['uint', new Uint(0n)],
  ['double', 0],
  ['duration', new Duration(0n)],
]

function indexOf(list: ListValue, wanted: Value, meter: Meter): bigint {
  for (let index = 0; index < list.size; index += 1)
    if (equalValues(list.at(index), wanted, meter)) return BigInt(index)
  return -1n
}

function lastIndexOf(list: ListValue, wanted: Value, meter: Meter): bigint {
  for (let index = list.size - 1; index >= 0; index -= 1)
    if (equalValues(list.at(index), wanted, meter)) return BigInt(index)
  return -1n
}

function slice(list: ListValue, start: bigint, end: bigint, meter: Meter): Value {
  if (start < 0n || end < 0n) fail(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end) fail(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > BigInt(list.size)) fail(`cannot slice(${start}, ${end}), list is length ${list.size}`)
  meter.charge(list.size)
  return ListValue.of(list.toArray().slice(Number(start), Number(end)))
}

function flatten(list: ListValue, depth: bigint, meter: Meter): Value {
  if (depth < 0n) fail('level must be non-negative')
  const out: Value[] = []
  const walk = (inner: ListValue, left: bigint): void => {
    for (const item of inner.toArray()) {
      meter.charge(1)
      if (item instanceof ListValue && left > 0n) walk(item, left - 1n)
      else out.push(item)
    }
  }
  walk(list, depth)
  return ListValue.of(out)
}

/** By keys that stand beside the values. */
export function sortByKeys(values: readonly Value[], keys: readonly Value[], meter: Meter): ListValue {
  meter.charge(values.length)
  const order = values.map((_, index) => index)
  order.sort((left, right) => {
    meter.charge(1)
    return compareValues(keys[left] ?? null, keys[right] ?? null, meter)
  })
  return ListValue.of(order.map((index) => values[index] ?? null))
}

function range(size: bigint, meter: Meter): Value {
  if (size < 0n) return ListValue.of([])
  meter.charge(Number(size))
  return ListValue.of(Array.from({ length: Number(size) }, (_, index) => BigInt(index)))
}

const sets: readonly Overload[] = [
  declare('sets.contains(list<A>, list<A>): bool', (a: ListValue, b: ListValue, meter: Meter) =>
    b.toArray().every((one) => holds(a, one, meter)),
  ),
  declare('sets.intersects(list<A>, list<A>): bool', (a: ListValue, b: ListValue, meter: Meter) =>
    b.toArray().some((one) => holds(a, one, meter)),
  ),
  declare(
    'sets.equivalent(list<A>, list<A>): bool',
    (a: ListValue, b: ListValue, meter: Meter) =>
      b.toArray().every((one) => holds(a, one, meter)) && a.toArray().every((one) => holds(b, one, meter)),
  ),
]

export const lists: readonly Overload[] = [
  ...comparable.flatMap((type) => [
    declare(`.isSorted(list<${type}>): bool`, isSorted),
    declare(`.max(list<${type}>): ${type}`, extreme('max', 1)),
    declare(`.min(list<${type}>): ${type}`, extreme('min', -1)),
    declare(`.sort(list<${type}>): list<${type}>`, (list: ListValue, meter: Meter) => {
      const values = list.toArray()
      return sortByKeys(values, values, meter)
    }),
  ]),
  ...sums.map(([type, zero]) =>
    declare(`.sum(list<${type}>): ${type}`, (list: ListValue, meter: Meter) => addUp(list, zero, meter)),
  ),
  declare('.indexOf(list<A>, A): int', indexOf),
  declare('.lastIndexOf(list<A>, A): int', lastIndexOf),
  declare('.slice(list<A>, int, int): list<A>', slice),
  declare('.flatten(list<list<A>>): list<A>', (list: ListValue, meter: Meter) => flatten(list, 1n, meter)),
  declare('.flatten(list<dyn>): list<dyn>', (list: ListValue, meter: Meter) => flatten(list, 1n, meter)),
  declare('.flatten(list<dyn>, int): list<dyn>', flatten),
  declare('lists.range(int): list<int>', range),
  declare('.reverse(list<A>): list<A>', (list: ListValue, meter: Meter) => {
    meter.charge(list.size)
    return ListValue.of(list.toArray().reverse())
  }),
  declare('.distinct(list<A>): list<A>', (list: ListValue, meter: Meter) =>
    ListValue.of(distinctValues(list.toArray(), meter)),
  ),
  ...sets,
]
