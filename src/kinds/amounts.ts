// Quantities as numbers that can be compared and summed: billionths, exactly.
// Reading and writing their text is api/quantity's work.

import { parseQuantity } from '../api/quantity.ts'

const nanoDigits = 9

/** The amount in billionths; undefined when the value is no quantity. */
export function amountOf(quantity: unknown): bigint | undefined {
  if (typeof quantity !== 'string' && typeof quantity !== 'number') return undefined
  const parsed = parseQuantity(quantity)
  return parsed === undefined ? undefined : parsed.unscaled * 10n ** BigInt(parsed.scale + nanoDigits)
}

export const isWholeAmount = (amount: bigint): boolean => amount % 10n ** BigInt(nanoDigits) === 0n
