// Chance, as something that can be handed in: bytes, identifiers and the suffixes of generated names.
// Keys and certificates draw from node:crypto in pki/, which must never be seeded.

import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'

export interface Random {
  /** `count` bytes that the caller owns. */
  bytes(count: number): Uint8Array
  /** A version 4 UUID in lower case. */
  uuid(): string
  /** `length` characters as Kubernetes puts them behind `generateName`. */
  suffix(length: number): string
  /** At least 0 and below 1: for jitter. */
  fraction(): number
}

// No vowels and none of 0, 1 and 3, so that no suffix spells a word: k8s.io/apimachinery/pkg/util/rand.
export const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

export const systemRandom: Random = fromBytes({
  bytes: (count) => new Uint8Array(randomBytes(count)),
  uuid: () => randomUUID(),
})

/** The same seed gives the same sequence on every machine. Never for secrets. */
export function seededRandom(seed: number | string): Random {
  let counter = 0
  let rest = new Uint8Array(0)
  const bytes = (count: number): Uint8Array => {
    const result = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      if (rest.length === 0) {
        rest = new Uint8Array(createHash('sha256').update(`${seed}:${counter}`).digest())
        counter += 1
      }
      const taken = rest.subarray(0, count - filled)
      result.set(taken, filled)
      filled += taken.length
      rest = rest.subarray(taken.length)
    }
    return result
  }
  return fromBytes({ bytes, uuid: () => formatUuid(bytes(16)) })
}

function fromBytes({ bytes, uuid }: Pick<Random, 'bytes' | 'uuid'>): Random {
  return {
    bytes,
    uuid,
    suffix: (length) => drawSuffix(length, bytes),
    fraction: () => fractionOf(bytes(6)),
  }
}

// A byte at or above the largest multiple of the alphabet's length is drawn again: the rest would favour some letters.
const byteLimit = 256 - (256 % suffixAlphabet.length)

function drawSuffix(length: number, bytes: Random['bytes']): string {
  assert(Number.isInteger(length) && length >= 0, 'a suffix has a whole, positive length')
  let suffix = ''
  while (suffix.length < length) {
    for (const byte of bytes(length - suffix.length)) {
      if (byte < byteLimit) suffix += suffixAlphabet.charAt(byte % suffixAlphabet.length)
    }
  }
  return suffix
}

function fractionOf(sixBytes: Uint8Array): number {
  return sixBytes.reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 48
}

// RFC 9562, section 5.4: four bits of version, two of variant.
function formatUuid(sixteenBytes: Uint8Array): string {
  const bytes = Uint8Array.from(sixteenBytes)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
