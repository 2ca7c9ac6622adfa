// Conversions between types: `int("5")`, `string(1.5)`, `duration("1h")`, and the types as values.
// Texts of times are clock-text.ts's.

import { quantityText } from '../../api/quantity.ts'
import type { Meter } from '../failure.ts'
import { Duration, fail, kindOf, Timestamp, Uint, type Value } from '../value.ts'
import { writeCidr, writeIp } from './address.ts'
import { parseDuration, parseTimestamp, writeDuration, writeTimestamp } from './clock-text.ts'
import { int, span, time, uint } from './operators.ts'
import { declare, type Overload } from './overload.ts'

function wholeNumber(text: string): bigint {
  return /^[+-]?\d{1,30}$/.test(text)
    ? BigInt(text.replace('+', ''))
    : fail(`cannot convert ${text} to a number`)
}

function truncate(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : fail('integer overflow')
}

function toDouble(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    return /^[+-]?(inf|infinity)$/i.test(text)
      ? text.startsWith('-')
        ? Number.NEGATIVE_INFINITY
        : Number.POSITIVE_INFINITY
      : /^nan$/i.test(text)
        ? Number.NaN
        : fail(`strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  return Number(text)
}

const truths = ['1', 't', 'T', 'TRUE', 'true', 'True']
const untruths = ['0', 'f', 'F', 'FALSE', 'false', 'False']

function toBool(text: string): boolean {
  if (truths.includes(text)) return true
  return untruths.includes(text)
    ? false
    : fail(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

/** As Go's `%g` with the shortest digits. */
export function writeDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  }
  return String(value)
}

function fromUtf8(value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch (error) {
    return fail(`invalid UTF-8 in bytes, cannot convert to string${error === undefined ? '' : ''}`)
  }
}

/** Undefined for what has no text. */
export function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return writeDouble(value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return writeTimestamp(value.nanos)
  if (value instanceof Duration) return writeDuration(value.nanos)
  if (value instanceof Uint8Array) return fromUtf8(value)
  if (value !== null && typeof value === 'object' && 'opaque' in value) {
    if (value.opaque === 'ip') return writeIp(value.ip)
    if (value.opaque === 'cidr') return writeCidr(value.cidr)
    if (value.opaque === 'quantity') return quantityText(value.quantity)
  }
  return undefined
}

const toText = (value: Value, meter: Meter): string => {
  const text = textOf(value) ?? fail(`type conversion error from ${kindOf(value)} to string`)
  meter.chargeText(text.length)
  return text
}

const texts = ['string', 'int', 'uint', 'double', 'bool', 'bytes', 'timestamp', 'duration', 'ip', 'cidr']

export const conversions: readonly Overload[] = [
  ...texts.map((type) => declare(`string(${type}): string`, toText)),
  declare('int(int): int', (a: bigint) => a),
  declare('int(uint): int', (a: Uint) => int(a.value)),
  declare('int(double): int', (a: number) => int(truncate(a))),
  declare('int(string): int', (a: string) => int(wholeNumber(a))),
  declare('int(timestamp): int', (a: Timestamp) => a.nanos / 1_000_000_000n),
  declare('int(duration): int', (a: Duration) => a.nanos),
  declare('uint(uint): uint', (a: Uint) => a),
  declare('uint(int): uint', (a: bigint) => uint(a)),
  declare('uint(double): uint', (a: number) => uint(truncate(a))),
  declare('uint(string): uint', (a: string) => uint(wholeNumber(a))),
  declare('double(double): double', (a: number) => a),
  declare('double(int): double', (a: bigint) => Number(a)),
  declare('double(uint): double', (a: Uint) => Number(a.value)),
  declare('double(string): double', toDouble),
  declare('bool(bool): bool', (a: boolean) => a),
  declare('bool(string): bool', toBool),
  declare('bytes(bytes): bytes', (a: Uint8Array) => a),
  declare('bytes(string): bytes', (a: string, meter: Meter) => {
    meter.chargeText(a.length)
    return new Uint8Array(Buffer.from(a))
  }),
  declare('duration(duration): duration', (a: Duration) => a),
  declare('duration(int): duration', (a: bigint) => span(a)),
  declare('duration(string): duration', (a: string) =>
    span(parseDuration(a) ?? fail(`time: invalid duration ${JSON.stringify(a)}`)),
  ),
  declare('timestamp(timestamp): timestamp', (a: Timestamp) => a),
  declare('timestamp(int): timestamp', (a: bigint) => time(a * 1_000_000_000n)),
  declare('timestamp(string): timestamp', (a: string) =>
    time(parseTimestamp(a) ?? fail(`invalid timestamp ${JSON.stringify(a)}`)),
  ),
]
