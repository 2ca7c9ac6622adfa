// JSON web tokens signed with ES256: the only algorithm that is ever written or believed.
// What the claims mean is claims.ts's; which keys there are is pki/'s.

import { sign, verify } from 'node:crypto'
import type { SigningKey } from '../pki/signing-keys.ts'

export type Claims = Readonly<Record<string, unknown>>

/** A token taken apart; nothing in it is to be believed before isSignedBy said so. */
export interface UnverifiedToken {
  readonly keyId: string
  readonly claims: Claims
  readonly signed: string
  readonly signature: Buffer
}

// Claims are a few hundred bytes; audiences may add some. A header as long as Node allows is not parsed.
export const tokenLengthMax = 16_384

const base64url = /^[A-Za-z0-9_-]+$/
const es256SignatureBytes = 64

export function signToken(claims: Claims, key: SigningKey): string {
  const header = encode({ alg: 'ES256', kid: key.id })
  const signed = `${header}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

/** The parts of a token that claims to be signed with ES256; undefined for anything else. */
export function readToken(token: string): UnverifiedToken | undefined {
  if (token.length > tokenLengthMax) return undefined
  const [header = '', payload = '', signature = '', ...rest] = token.split('.')
  if (rest.length > 0 || ![header, payload, signature].every((part) => base64url.test(part))) return undefined
  const head = decode(header)
  const claims = decode(payload)
  // `crit` names extensions that must be understood; there are none here.
  if (head?.['alg'] !== 'ES256' || head['crit'] !== undefined || claims === undefined) return undefined
  const keyId = head['kid']
  if (typeof keyId !== 'string' || keyId === '') return undefined
  return { keyId, claims, signed: `${header}.${payload}`, signature: Buffer.from(signature, 'base64url') }
}

export function isSignedBy({ signed, signature }: UnverifiedToken, key: SigningKey): boolean {
  if (signature.length !== es256SignatureBytes) return false
  return verify('sha256', Buffer.from(signed), { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature)
}

const encode = (value: Claims): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function decode(part: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Claims)
      : undefined
  } catch {
    return undefined
  }
}
