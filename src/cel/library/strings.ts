// Functions on texts: those of the language, the strings extension (version 2), and patterns in linear time.
// Positions count code points, as in Go's runes.

import type { Meter } from '../failure.ts'
import { fail, ListValue, type Value } from '../value.ts'
import { formatText } from './format-text.ts'
import { declare, type Overload } from './overload.ts'
import { findAll, findFirst, matches } from './patterns.ts'

/** Code points, or the text itself where each is one unit long. */
function points(text: string, meter: Meter): readonly string[] | string {
  meter.chargeText(text.length)
  return /[\ud800-\udfff]/.test(text) ? [...text] : text
}

const joinPoints = (part: readonly string[] | string): string =>
  typeof part === 'string' ? part : part.join('')

function position(offset: bigint, length: number): number {
  if (offset < 0n || offset > BigInt(length)) fail(`index out of range: ${offset}`)
  return Number(offset)
}

function charAt(text: string, index: bigint, meter: Meter): string {
  const all = points(text, meter)
  return all[position(index, all.length)] ?? ''
}

function substring(text: string, start: bigint, end: bigint | undefined, meter: Meter): string {
  const all = points(text, meter)
  const from = position(start, all.length)
  const to = end === undefined ? all.length : position(end, all.length)
  if (from > to) fail(`invalid substring range. start: ${from}, end: ${to}`)
  return joinPoints(all.slice(from, to))
}

function indexOf(text: string, wanted: string, start: bigint | undefined, meter: Meter): bigint {
  const all = points(text, meter)
  if (start !== undefined) position(start, all.length)
  if (wanted === '') return start ?? 0n
  meter.chargeText(text.length)
  const skipped = joinPoints(all.slice(0, Number(start ?? 0))).length
  const found = text.indexOf(wanted, skipped)
  return found === -1 ? -1n : countPoints(text, found, all)
}

function lastIndexOf(text: string, wanted: string, start: bigint | undefined, meter: Meter): bigint {
  const all = points(text, meter)
  if (start !== undefined) position(start, all.length)
  if (wanted === '') return start ?? BigInt(all.length)
  // Searching backwards is quadratic at the worst.
  meter.charge(1 + (text.length * Math.min(wanted.length, 100)) / 100)
  const from = start === undefined ? text.length : joinPoints(all.slice(0, Number(start))).length
  const found = text.lastIndexOf(wanted, from)
  return found === -1 ? -1n : countPoints(text, found, all)
}

const countPoints = (text: string, offset: number, all: readonly string[] | string): bigint =>
  BigInt(typeof all === 'string' ? offset : [...text.slice(0, offset)].length)

function replace(
  text: string,
  change: { readonly from: string; readonly to: string; readonly times: bigint },
  meter: Meter,
): string {
  const { from, to } = change
  meter.chargeText(text.length * 2)
  const parts = from === '' ? ['', ...points(text, meter), ''] : text.split(from)
  const most = change.times < 0n ? parts.length - 1 : Math.min(parts.length - 1, Number(change.times))
  meter.charge(parts.length / 10)
  meter.chargeText(most * to.length)
  const head = parts.slice(0, most + 1).join(to)
  return most + 1 >= parts.length ? head : `${head}${from}${parts.slice(most + 1).join(from)}`
}

function split(text: string, separator: string, most: bigint, meter: Meter): Value {
  meter.chargeText(text.length * 2)
  if (most === 0n) return ListValue.of([])
  const parts: string[] = separator === '' ? [...points(text, meter)] : text.split(separator)
  meter.charge(parts.length / 10)
  if (most < 0n || BigInt(parts.length) <= most) return ListValue.of(parts)
  const kept = Number(most) - 1
  return ListValue.of([...parts.slice(0, kept), parts.slice(kept).join(separator)])
}

function join(list: ListValue, separator: string, meter: Meter): string {
  const parts = list.toArray().map((part) => (typeof part === 'string' ? part : fail('no such overload')))
  meter.charge(parts.length)
  meter.chargeText(parts.reduce((sum, part) => sum + part.length + separator.length, 0))
  return parts.join(separator)
}

const changeAscii = (text: string, isUpper: boolean, meter: Meter): string => {
  meter.chargeText(text.length)
  return isUpper
    ? text.replace(/[a-z]+/g, (part) => part.toUpperCase())
    : text.replace(/[A-Z]+/g, (part) => part.toLowerCase())
}

const charged =
  (ask: (text: string, wanted: string) => boolean) =>
  (text: string, wanted: string, meter: Meter): boolean => {
    meter.chargeText(text.length)
    return ask(text, wanted)
  }

export const strings: readonly Overload[] = [
  declare(
    '.contains(string, string): bool',
    charged((text, wanted) => text.includes(wanted)),
  ),
  declare(
    '.startsWith(string, string): bool',
    charged((text, wanted) => text.startsWith(wanted)),
  ),
  declare(
    '.endsWith(string, string): bool',
    charged((text, wanted) => text.endsWith(wanted)),
  ),
  declare('.matches(string, string): bool', matches),
  declare('matches(string, string): bool', matches),
  declare('.find(string, string): string', findFirst),
  declare('.findAll(string, string): list<string>', (a: string, b: string, meter: Meter) =>
    findAll(a, b, -1n, meter),
  ),
  declare('.findAll(string, string, int): list<string>', findAll),
  declare('.charAt(string, int): string', charAt),
  declare('.indexOf(string, string): int', (a: string, b: string, meter: Meter) =>
    indexOf(a, b, undefined, meter),
  ),
  declare('.indexOf(string, string, int): int', indexOf),
  declare('.lastIndexOf(string, string): int', (a: string, b: string, meter: Meter) =>
    lastIndexOf(a, b, undefined, meter),
  ),
  declare('.lastIndexOf(string, string, int): int', lastIndexOf),
  declare('.lowerAscii(string): string', (a: string, meter: Meter) => changeAscii(a, false, meter)),
  declare('.upperAscii(string): string', (a: string, meter: Meter) => changeAscii(a, true, meter)),
  declare('.replace(string, string, string): string', (a: string, from: string, to: string, meter: Meter) =>
    replace(a, { from, to, times: -1n }, meter),
  ),
  declare(
    '.replace(string, string, string, int): string',
    (a: string, from: string, to: string, times: bigint, meter: Meter) =>
      replace(a, { from, to, times }, meter),
  ),
  declare('.split(string, string): list<string>', (a: string, b: string, meter: Meter) =>
    split(a, b, -1n, meter),
  ),
  declare('.split(string, string, int): list<string>', split),
  declare('.substring(string, int): string', (a: string, start: bigint, meter: Meter) =>
    substring(a, start, undefined, meter),
  ),
  declare('.substring(string, int, int): string', substring),
  declare('.trim(string): string', (a: string, meter: Meter) => {
    meter.chargeText(a.length)
    return a.trim()
  }),
  declare('.join(list<string>): string', (a: ListValue, meter: Meter) => join(a, '', meter)),
  declare('.join(list<string>, string): string', join),
  declare('.format(string, list<dyn>): string', formatText),
  declare('strings.quote(string): string', (a: string, meter: Meter) => {
    meter.chargeText(a.length)
    return JSON.stringify(a)
  }),
]
