// Names of host objects, and keys of host labels and annotations, for what a tenant named.
// The only file that knows how they are made; who owns an object is owner.ts's.

import { createHash } from 'node:crypto'

export interface NamedObject {
  readonly planeUid: string
  /** Empty for the core group. */
  readonly group: string
  readonly kind: string
  /** Empty for cluster scope. */
  readonly namespace: string
  readonly name: string
}

const labelMax = 63
// 26 characters of base32 carry 130 bits.
const hashChars = 26
const readableMax = labelMax - hashChars - 1
const base32 = 'abcdefghijklmnopqrstuvwxyz234567'

/**
 * The name of an object's copy on the host: a DNS label of at most 63 characters that starts with a letter, so that
 * Services may have it too. The hash alone tells objects apart; what stands before it is for people.
 */
export function hostName({ planeUid, group, kind, namespace, name }: NamedObject): string {
  return `${readable(name)}-${hashOf(['object', planeUid, group, kind, namespace, name])}`
}

/** A tenant's label or annotation key on the host, where no selector or controller knows it. */
export function hostKey(key: string): string {
  return `tenant.k3v.dev/${readable(key.slice(key.indexOf('/') + 1))}-${hashOf(['key', key])}`
}

/**
 * On the host pods behind a Service that a package exposes: a host Service selects them by `key: 'true'` and by the
 * plane's label.
 */
export const exposeLabel = (name: string): string => `expose.k3v.dev/${name}`

/** What is left of a name when only letters, digits and inner hyphens may stay, with a letter first. */
function readable(name: string): string {
  const kept = name
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, readableMax)
    .replace(/-+$/, '')
  return kept === '' ? 'x' : kept
}

/** Each part goes in with its length, so that no two lists of parts read the same. */
function hashOf(parts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = Buffer.from(part, 'utf8')
    hash.update(`${bytes.length}:`).update(bytes)
  }
  let value = 0n
  for (const byte of hash.digest()) value = value * 256n + BigInt(byte)
  let text = ''
  for (let shift = 251n; text.length < hashChars; shift -= 5n) text += base32[Number((value >> shift) & 31n)]
  return text
}
