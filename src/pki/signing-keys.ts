// The keys that sign service account tokens (ES256), and those that still verify what older ones signed.
// What a token says is authn/'s.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { newKey, pemOfKey } from './certificate.ts'

/** As it is kept. */
export interface KeptSigningKey {
  readonly createdAtMs: number
  readonly keyPem: string
}

export interface SigningKey {
  /** As upstream names keys: the SHA-256 of the public key (SPKI, DER) in base64url. */
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What authn/ needs of the keys; the answers change when a key is renewed. */
export interface SigningKeys {
  /** Signs what is issued from now on. */
  current(): SigningKey
  /** Verifies a token that names this key, if it was ever ours and is not too old. */
  find(id: string): SigningKey | undefined
  /** All that verify, newest first: for the key set that is published. */
  all(): readonly SigningKey[]
}

// Tokens without an end exist (Secrets of type service-account-token), so old keys go by number, not by age.
export const signingKeysMax = 8

export function newSigningKey(nowMs: number): KeptSigningKey {
  return { createdAtMs: nowMs, keyPem: pemOfKey(newKey()) }
}

/** `kept` has the newest first, and at least one. */
export function loadSigningKeys(kept: readonly KeptSigningKey[]): readonly SigningKey[] {
  return kept.slice(0, signingKeysMax).map(({ keyPem }) => {
    const privateKey = createPrivateKey(keyPem)
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
      throw new Error('a service account signing key is not on the curve P-256')
    }
    const publicKey = createPublicKey(privateKey)
    const id = createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('base64url')
    return { id, privateKey, publicKey }
  })
}
