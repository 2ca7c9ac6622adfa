// Service account tokens: issues them, and tells whose a token is.
// Signing is jwt.ts's, the claims are claims.ts's, and whether the account still exists is live.ts's.

import { hash } from 'node:crypto'
import type { Authenticator, Reader, TokenIssuer, TokenVerdict, UserInfo } from '../api/contracts.ts'
import { unauthorized } from '../api/status.ts'
import type { SigningKeys } from '../pki/signing-keys.ts'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import {
  type LegacyClaims,
  legacyIssuer,
  type ObjectRef,
  readClaims,
  readLegacyClaims,
  subjectOf,
  type TokenClaims,
  timeProblem,
  writeClaims,
  writeLegacyClaims,
} from './claims.ts'
import { isSignedBy, readToken, signToken } from './jwt.ts'
import { legacyProblem, livenessProblem } from './live.ts'

export interface ServiceAccountOptions {
  /** The `iss` of tokens: the plane's address as clients know it. */
  readonly issuer: string
  /** The audiences that mean this plane: a token for others alone is refused. The first is the default. */
  readonly audiences: readonly string[]
  readonly signingKeys: SigningKeys
  readonly reader: Reader
  readonly clock: Clock
}

export function createTokenIssuer(options: ServiceAccountOptions & { readonly random: Random }): TokenIssuer {
  const { issuer, signingKeys, reader, clock, random } = options
  return {
    issue: async ({ namespace, serviceAccount, audiences, expirationSeconds, boundObject }) => {
      const now = Math.floor(clock.now() / 1000)
      const expiresAt = now + expirationSeconds
      const claims: TokenClaims = {
        issuer,
        audiences: audiences.length === 0 ? options.audiences : audiences,
        notBefore: now,
        issuedAt: now,
        expiresAt,
        id: random.uuid(),
        namespace,
        serviceAccount: { name: serviceAccount.name, uid: serviceAccount.uid },
        ...bindingOf(boundObject, namespace, reader),
      }
      const token = signToken(writeClaims(claims), signingKeys.current())
      return { token, expirationTimestamp: new Date(expiresAt * 1000).toISOString().replace('.000Z', 'Z') }
    },
    issueForSecret: (claims) => signToken(writeLegacyClaims(claims), signingKeys.current()),
  }
}

// Signatures are verified once; time, audience, key and objects are looked at each time.
export const verifiedTokensMax = 4096

type Verified =
  | { readonly type: 'bound'; readonly keyId: string; readonly claims: TokenClaims; readonly user: UserInfo }
  | {
      readonly type: 'legacy'
      readonly keyId: string
      readonly claims: LegacyClaims
      readonly user: UserInfo
    }

/** Knows the tokens of this issuer and no others: whatever else is a bearer token, it leaves to the next. */
export function createServiceAccountAuthenticator(options: ServiceAccountOptions): Authenticator {
  const verified = new Map<string, Verified>()
  const judge = (token: string, audiences: readonly string[]): TokenVerdict => {
    const key = hash('sha256', token, 'base64')
    const known = verified.get(key) ?? verify(token, options)
    if (typeof known === 'string') return { ok: false, error: known }
    const verdict = judgeNow({ known, token, audiences, options })
    verified.delete(key)
    if (!verdict.ok) return verdict
    if (verified.size >= verifiedTokensMax) verified.delete(verified.keys().next().value ?? '')
    verified.set(key, known)
    return verdict
  }
  return {
    authenticate: async ({ bearerToken }) => {
      if (bearerToken === undefined) return undefined
      const verdict = judge(bearerToken, options.audiences)
      if (verdict.ok) return verdict.user
      if (verdict.error === '') return undefined
      throw unauthorized()
    },
    reviewToken: async (token, audiences) =>
      judge(token, audiences.length === 0 ? options.audiences : audiences),
  }
}

/** The claims when the signature is ours; else the error, empty when the token is of another sort. */
function verify(token: string, { issuer, signingKeys }: ServiceAccountOptions): Verified | string {
  const read = readToken(token)
  if (read === undefined) return ''
  const namedIssuer = read.claims['iss']
  if (namedIssuer !== issuer && namedIssuer !== legacyIssuer) return ''
  const key = signingKeys.find(read.keyId)
  if (key === undefined) return 'invalid signature, no keys found'
  if (!isSignedBy(read, key)) return 'invalid signature'
  if (namedIssuer === legacyIssuer) {
    const claims = readLegacyClaims(read.claims)
    if (claims === undefined) return 'sub claim is invalid'
    return { type: 'legacy', keyId: key.id, claims, user: userOf(claims) }
  }
  const claims = readClaims(read.claims)
  if (claims === undefined) return 'service account token claims could not be validated'
  return { type: 'bound', keyId: key.id, claims, user: userOf(claims, extraOf(claims)) }
}

function judgeNow({
  known,
  token,
  audiences,
  options,
}: {
  known: Verified
  token: string
  audiences: readonly string[]
  options: ServiceAccountOptions
}): TokenVerdict {
  const { signingKeys, reader, clock } = options
  const refuse = (error: string): TokenVerdict => ({ ok: false, error })
  if (signingKeys.find(known.keyId) === undefined) return refuse('invalid signature, no keys found')
  // A Secret's token names no audience: it is for this plane.
  const tokenAudiences = known.type === 'bound' ? known.claims.audiences : options.audiences
  const shared = tokenAudiences.filter((audience) => audiences.includes(audience))
  if (shared.length === 0) {
    const [have, want] = [quote(tokenAudiences), quote(audiences)]
    return refuse(`token audiences ${have} is invalid for the target audiences ${want}`)
  }
  const problem =
    known.type === 'legacy'
      ? legacyProblem(known.claims, token, reader)
      : (timeProblem(known.claims, clock.now()) ?? livenessProblem(known.claims, reader, clock.now()))
  if (problem !== undefined) return refuse(problem)
  return { ok: true, user: known.user, audiences: shared }
}

/** Go's `%q` of a list. */
const quote = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`

function userOf(
  { namespace, serviceAccount }: Pick<TokenClaims, 'namespace' | 'serviceAccount'>,
  extra = {},
): UserInfo {
  return {
    name: subjectOf(namespace, serviceAccount.name),
    uid: serviceAccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  }
}

function extraOf({ id, pod, node }: TokenClaims): Record<string, readonly string[]> {
  const prefix = 'authentication.kubernetes.io/'
  const extra: Record<string, readonly string[]> = {}
  if (id !== '') extra[`${prefix}credential-id`] = [`JTI=${id}`]
  if (node !== undefined) extra[`${prefix}node-name`] = [node.name]
  if (node !== undefined && node.uid !== '') extra[`${prefix}node-uid`] = [node.uid]
  if (pod !== undefined) {
    extra[`${prefix}pod-name`] = [pod.name]
    extra[`${prefix}pod-uid`] = [pod.uid]
  }
  return extra
}

type Binding = Pick<TokenClaims, 'pod' | 'secret' | 'node'>

function bindingOf(
  bound:
    | { readonly kind: 'Pod' | 'Secret' | 'Node'; readonly name: string; readonly uid: string }
    | undefined,
  namespace: string,
  reader: Reader,
): Binding {
  if (bound === undefined) return {}
  const ref: ObjectRef = { name: bound.name, uid: bound.uid }
  if (bound.kind === 'Secret') return { secret: ref }
  if (bound.kind === 'Node') return { node: ref }
  return { pod: ref, ...nodeOfPod(reader, namespace, bound.name) }
}

// A pod's token tells the node too, without a uid when the node is not there any more.
function nodeOfPod(reader: Reader, namespace: string, podName: string): Binding {
  const pod = reader.get({ group: '', resource: 'pods' }, namespace, podName)
  const spec = (pod?.object['spec'] ?? {}) as { readonly nodeName?: unknown }
  if (typeof spec.nodeName !== 'string' || spec.nodeName === '') return {}
  const node = reader.get({ group: '', resource: 'nodes' }, '', spec.nodeName)
  return { node: { name: spec.nodeName, uid: node?.header.uid ?? '' } }
}
