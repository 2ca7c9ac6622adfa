// The short hash that tells pod templates apart in names and labels: stable, and of names' alphabet. Pure.
// Upstream: ComputeHash in pkg/controller and SafeEncodeString; ours hashes JSON where theirs hashes a Go dump.

import { suffixAlphabet } from '../../platform/random.ts'

/** The hash of a value, and of how often its name was taken already. */
export function shortHash(value: unknown, collisionCount: number | undefined): string {
  let hash = fnv1a(canonical(value), 0x811c9dc5)
  if (collisionCount !== undefined && collisionCount > 0) hash = fnv1a(`#${collisionCount}`, hash)
  return safeEncode(String(hash))
}

// FNV-1a with 32 bits.
function fnv1a(text: string, start: number): number {
  let hash = start
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

function safeEncode(text: string): string {
  return [...text].map((digit) => suffixAlphabet[digit.charCodeAt(0) % suffixAlphabet.length]).join('')
}

/** JSON with sorted fields; undefined fields and empty lists mean nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(normalised(value)) ?? 'null'
}

/** Two values that differ only in the order of fields, undefined fields and empty lists become the same. */
export function normalised(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(normalised)
  const entries = Object.entries(value)
    .filter(
      ([, inner]) => inner !== undefined && inner !== null && !(Array.isArray(inner) && inner.length === 0),
    )
    .sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(entries.map(([field, inner]) => [field, normalised(inner)]))
}
