// Compares quantities such as `100m`, `1.5Gi` and `2`; a malformed one is undefined.
// Writing quantities in their canonical form is api's work.

const pattern =
  /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:([eE])([+-]?[0-9]+)|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E)?)$/
const charactersMax = 256
const nanoDigits = 9

const decimal: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
}
const binary: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 }

/** The amount in billionths, rounded away from zero as upstream does. */
export function amountOf(quantity: unknown): bigint | undefined {
  if (typeof quantity === 'number') return amountOf(String(quantity))
  if (typeof quantity !== 'string' || quantity.length > charactersMax) return undefined
  const match = pattern.exec(quantity)
  if (match === null) return undefined
  const [, sign, whole = '', fraction = '', hasExponent, exponent = '0', suffix = ''] = match
  if (whole === '' && fraction === '') return undefined
  const scale = hasExponent === undefined ? (decimal[suffix] ?? 0) : Number(exponent)
  if (Math.abs(scale) > charactersMax) return undefined
  const digits = BigInt(whole + fraction) << BigInt(binary[suffix] ?? 0)
  const shift = scale + nanoDigits - fraction.length
  const amount = shift >= 0 ? digits * 10n ** BigInt(shift) : divideUp(digits, 10n ** BigInt(-shift))
  return sign === '-' ? -amount : amount
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return value === 0n ? 0n : (value + divisor - 1n) / divisor
}

export const isWholeAmount = (amount: bigint): boolean => amount % 10n ** BigInt(nanoDigits) === 0n
