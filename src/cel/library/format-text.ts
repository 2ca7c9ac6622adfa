// `format`: the printf of the strings extension, with %s %d %f %e %b %o %x %X.

import type { Meter } from '../failure.ts'
import {
  Duration,
  fail,
  kindOf,
  ListValue,
  MapValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from '../value.ts'
import { writeDuration, writeTimestamp } from './clock-text.ts'
import { textOf, writeDouble } from './conversions.ts'

const precisionMax = 100

export function formatText(template: string, list: ListValue, meter: Meter): string {
  meter.chargeText(template.length)
  let next = 0
  const pieces = template.split(/(%(?:%|(?:\.\d+)?[a-zA-Z]))/)
  const written = pieces.map((piece, index) => {
    if (index % 2 === 0) return piece.includes('%') ? fail('could not parse formatting clause') : piece
    if (piece === '%%') return '%'
    if (next >= list.size) fail(`index ${next} out of range`)
    const text = clause(piece, list.at(next), meter)
    next += 1
    meter.chargeText(text.length)
    return text
  })
  return written.join('')
}

function clause(piece: string, value: Value, meter: Meter): string {
  const verb = piece.at(-1) ?? ''
  const precision = piece.length > 2 ? Number(piece.slice(2, -1)) : 6
  if (precision > precisionMax) fail(`precision of at most ${precisionMax}`)
  switch (verb) {
    case 's':
      return show(value, meter)
    case 'd':
      return String(wholeOf(value, 'd') ?? wrong(value, 'd'))
    case 'f':
      return floatOf(value, verb, (number) => number.toFixed(precision))
    case 'e':
      return floatOf(value, verb, (number) =>
        number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2'),
      )
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : radix(value, verb, 2)
    case 'o':
      return radix(value, verb, 8)
    case 'x':
      return hex(value, verb)
    case 'X':
      return hex(value, verb).toUpperCase()
    default:
      return fail(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

const wrong = (value: Value, verb: string): never =>
  fail(`error during formatting: %${verb} clause cannot be used on ${kindOf(value)}`)

function wholeOf(value: Value, verb: string): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (value instanceof Uint) return value.value
  return verb === 'd' && typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

const radix = (value: Value, verb: string, base: number): string =>
  (wholeOf(value, verb) ?? wrong(value, verb)).toString(base)

function hex(value: Value, verb: string): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : radix(value, verb, 16)
}

function floatOf(value: Value, verb: string, write: (number: number) => string): string {
  const number = typeof value === 'number' ? value : Number(wholeOf(value, verb) ?? wrong(value, verb))
  if (!Number.isFinite(number)) return Number.isNaN(number) ? 'NaN' : number > 0 ? 'Infinity' : '-Infinity'
  return write(number)
}

/** Texts within lists and maps are quoted. */
function showInner(value: Value, meter: Meter): string {
  return typeof value === 'string' ? JSON.stringify(show(value, meter)) : show(value, meter)
}

function show(value: Value, meter: Meter): string {
  meter.charge(1)
  if (value === null) return 'null'
  if (typeof value === 'number')
    return Number.isFinite(value) ? writeDouble(value) : floatOf(value, 's', String)
  if (value instanceof Timestamp) return writeTimestamp(value.nanos)
  if (value instanceof Duration) return writeDuration(value.nanos)
  if (value instanceof TypeValue) return value.name
  if (value instanceof ListValue)
    return `[${value
      .toArray()
      .map((one) => showInner(one, meter))
      .join(', ')}]`
  if (value instanceof MapValue) {
    const entries = value
      .keys()
      .map((key) => `${showInner(key, meter)}: ${showInner(value.get(key) ?? null, meter)}`)
    return `{${entries.sort().join(', ')}}`
  }
  const text = textOf(value) ?? wrong(value, 's')
  meter.chargeText(text.length)
  return text
}
