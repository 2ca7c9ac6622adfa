// The documents with which others verify service account tokens: OpenID discovery and the key set.
// Upstream: kubernetes/pkg/serviceaccount openidmetadata.go. Serving them is server/'s.

import type { Json } from '../api/object.ts'
import type { SigningKeys } from '../pki/signing-keys.ts'

/** `/.well-known/openid-configuration` */
export function openidConfiguration({ issuer, keySetUrl }: { issuer: string; keySetUrl: string }): Json {
  return {
    issuer,
    jwks_uri: keySetUrl,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  }
}

/** `/openid/v1/jwks` */
export function keySet(signingKeys: SigningKeys): Json {
  return {
    keys: signingKeys.all().map(({ id, publicKey }) => {
      const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' })
      return { use: 'sig', kty, kid: id, crv, alg: 'ES256', x, y }
    }),
  }
}
