// Quantities such as `100m` and `1.5Gi`: exact arithmetic, and the form that Go writes them back in.
// Upstream: apimachinery/pkg/api/resource.

export type QuantityFormat = 'BinarySI' | 'DecimalExponent' | 'DecimalSI'

/** `unscaled * 10^scale`, exactly; at most nine decimal places. */
export interface Quantity {
  readonly unscaled: bigint
  readonly scale: number
  readonly format: QuantityFormat
}

export const formatWrong =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const suffixWrong = "unable to parse quantity's suffix"

const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
const decimalSuffixes: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const suffixOfExponent = new Map(
  Object.entries(decimalSuffixes).map(([suffix, exponent]) => [exponent, suffix]),
)

const textMax = 256
const exponentMax = 100
const binaryMax = 2n ** 63n - 1n
const pattern = /^([+-]?)([0-9]*)(?:(\.)([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/

export const zero: Quantity = { unscaled: 0n, scale: 0, format: 'DecimalSI' }

interface Parts {
  readonly isNegative: boolean
  /** The digits before and after the point, the former without leading zeros. */
  readonly whole: string
  readonly fraction: string
  readonly base: 2 | 10
  readonly exponent: number
  readonly format: QuantityFormat
}

type Read = { readonly parts: Parts } | { readonly problem: string }

/** Undefined when the text is no quantity; numbers are read as their text. */
export function parseQuantity(value: number | string | undefined): Quantity | undefined {
  if (value === undefined) return undefined
  const read = readParts(String(value).trim())
  return 'parts' in read ? quantityOf(read.parts) : undefined
}

/** What is wrong with a text, in Go's words; undefined when nothing is. */
export function quantityProblem(value: number | string): string | undefined {
  const read = readParts(String(value).trim())
  return 'problem' in read ? read.problem : undefined
}

/** The text that Go would write back; undefined when the text is no quantity. */
export function canonicalQuantity(value: number | string): string | undefined {
  const text = String(value).trim()
  const read = readParts(text)
  if ('problem' in read) return undefined
  return keepsText(read.parts) ? text : quantityText(quantityOf(read.parts))
}

function readParts(text: string): Read {
  if (text === '' || text.length > textMax) return { problem: formatWrong }
  const found = pattern.exec(text)
  if (found === null) return { problem: formatWrong }
  const [, sign, digits = '', , fraction = '', suffix = ''] = found
  const meaning = readSuffix(suffix)
  if (meaning === undefined) return { problem: suffixWrong }
  const whole = digits.replace(/^0+/, '')
  return {
    parts: { isNegative: sign === '-', whole: whole === '' ? '0' : whole, fraction, ...meaning },
  }
}

function readSuffix(suffix: string): Pick<Parts, 'base' | 'exponent' | 'format'> | undefined {
  const binary = binarySuffixes.indexOf(suffix)
  if (binary > 0) return { base: 2, exponent: binary * 10, format: 'BinarySI' }
  if (Object.hasOwn(decimalSuffixes, suffix))
    return { base: 10, exponent: decimalSuffixes[suffix] ?? 0, format: 'DecimalSI' }
  const exponent = /^[eE]([+-]?[0-9]{1,5})$/.exec(suffix)?.[1]
  if (exponent === undefined || Math.abs(Number(exponent)) > exponentMax) return undefined
  return { base: 10, exponent: Number(exponent), format: 'DecimalExponent' }
}

/** Go keeps the text of what it takes for canonical already: a quirk that clients see. */
function keepsText({ whole, fraction, base, exponent }: Parts): boolean {
  const digits = whole + fraction
  if (base === 2) {
    const precision = 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1
    if (fraction !== '' || precision < 0) return false
    return (BigInt(digits) & 7n) !== 0n
  }
  const scale = exponent - fraction.length
  if (18 - digits.length < 0 || scale < -9) return false
  return scale % 3 === 0 && !digits.endsWith('000') && !digits.startsWith('0')
}

function quantityOf({ isNegative, whole, fraction, base, exponent, format }: Parts): Quantity {
  let unscaled = BigInt(whole + fraction)
  let scale = -fraction.length
  if (base === 10) scale += exponent
  else unscaled *= 1n << BigInt(exponent)
  if (scale < -9) {
    // What is too small to be written is rounded away from zero: who asks for some gets some.
    const divisor = 10n ** BigInt(-9 - scale)
    unscaled = (unscaled + divisor - 1n) / divisor
    scale = -9
  }
  let kept = format
  if (format === 'BinarySI') {
    const whole = wholeOf(unscaled, scale)
    if (whole > binaryMax) [unscaled, scale] = [binaryMax, 0]
    if (whole === 0n && unscaled > 0n) kept = 'DecimalSI'
  }
  return { unscaled: isNegative ? -unscaled : unscaled, scale, format: kept }
}

/** Cut off, not rounded. */
const wholeOf = (unscaled: bigint, scale: number): bigint =>
  scale >= 0 ? unscaled * 10n ** BigInt(scale) : unscaled / 10n ** BigInt(-scale)

/** The canonical text: no fraction, the largest suffix that needs none. */
export function quantityText({ unscaled, scale, format }: Quantity): string {
  if (unscaled === 0n) return '0'
  if (format === 'BinarySI') {
    const whole = wholeOf(unscaled, scale)
    const isExact = scale >= 0 || whole * 10n ** BigInt(-scale) === unscaled
    if (isExact && (whole <= -1024n || whole >= 1024n)) return binaryText(whole)
  }
  return decimalText(unscaled, scale, format)
}

function binaryText(whole: bigint): string {
  let [amount, steps] = [whole, 0]
  while (amount % 1024n === 0n && steps < binarySuffixes.length - 1) {
    amount /= 1024n
    steps += 1
  }
  return `${amount}${binarySuffixes[steps]}`
}

function decimalText(unscaled: bigint, scale: number, format: QuantityFormat): string {
  let [amount, exponent] = [unscaled, scale]
  while (amount % 10n === 0n) {
    amount /= 10n
    exponent += 1
  }
  const isSuffixed = format !== 'DecimalExponent'
  while (exponent % 3 !== 0 || (isSuffixed && exponent > 18)) {
    amount *= 10n
    exponent -= 1
  }
  if (isSuffixed) return `${amount}${suffixOfExponent.get(exponent) ?? ''}`
  return exponent === 0 ? `${amount}` : `${amount}e${exponent}`
}

/** Both at the finer of the two scales. */
function aligned(left: Quantity, right: Quantity): readonly [bigint, bigint, number] {
  const scale = Math.min(left.scale, right.scale)
  return [
    left.unscaled * 10n ** BigInt(left.scale - scale),
    right.unscaled * 10n ** BigInt(right.scale - scale),
    scale,
  ]
}

export function compareQuantities(left: Quantity, right: Quantity): number {
  const [one, other] = aligned(left, right)
  return one < other ? -1 : one > other ? 1 : 0
}

/** In the format of the left one, unless that is zero. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  const [one, other, scale] = aligned(left, right)
  return { unscaled: one + other, scale, format: left.unscaled === 0n ? right.format : left.format }
}

export const negateQuantity = (quantity: Quantity): Quantity => ({
  ...quantity,
  unscaled: -quantity.unscaled,
})

export const subtractQuantities = (left: Quantity, right: Quantity): Quantity =>
  addQuantities(left, negateQuantity(right))

/** Whole units, rounded away from zero as upstream's Value() does; exact up to 2^53. */
export const quantityValue = (quantity: Quantity): number => Number(roundedUp(quantity, 0))

/** Thousandths, rounded away from zero: cores in millicores. */
export const quantityMilliValue = (quantity: Quantity): number => Number(roundedUp(quantity, 3))

function roundedUp({ unscaled, scale }: Quantity, places: number): bigint {
  const shift = scale + places
  if (shift >= 0) return unscaled * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  const cut = unscaled / divisor
  if (cut * divisor === unscaled) return cut
  return unscaled < 0n ? cut - 1n : cut + 1n
}

export const quantityFromInteger = (
  value: bigint | number,
  format: QuantityFormat = 'DecimalSI',
): Quantity => ({
  unscaled: BigInt(value),
  scale: 0,
  format,
})
