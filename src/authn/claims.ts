// What a service account token says, as upstream writes it, and whether that still holds in time.
// Upstream: kubernetes/pkg/serviceaccount claims.go and legacy.go. Whether the objects still exist is live.ts's.

import type { Claims } from './jwt.ts'

/** The issuer of tokens that live in Secrets, upstream's too. */
export const legacyIssuer = 'kubernetes/serviceaccount'

export interface ObjectRef {
  readonly name: string
  readonly uid: string
}

/** The claims of a token, checked in form only. */
export interface TokenClaims {
  readonly issuer: string
  readonly audiences: readonly string[]
  /** Seconds since 1970. */
  readonly notBefore: number
  readonly issuedAt: number
  readonly expiresAt: number
  readonly id: string
  readonly namespace: string
  readonly serviceAccount: ObjectRef
  readonly pod?: ObjectRef | undefined
  readonly secret?: ObjectRef | undefined
  readonly node?: ObjectRef | undefined
}

export interface LegacyClaims {
  readonly namespace: string
  readonly serviceAccount: ObjectRef
  readonly secretName: string
}

export const subjectOf = (namespace: string, name: string): string =>
  `system:serviceaccount:${namespace}:${name}`

export function writeClaims(claims: TokenClaims): Claims {
  const { namespace, serviceAccount, pod, secret, node } = claims
  return {
    aud: claims.audiences,
    exp: claims.expiresAt,
    iat: claims.issuedAt,
    iss: claims.issuer,
    jti: claims.id,
    'kubernetes.io': { namespace, node, pod, secret, serviceaccount: serviceAccount },
    nbf: claims.notBefore,
    sub: subjectOf(namespace, serviceAccount.name),
  }
}

/** Undefined when a claim is missing, malformed, or contradicts another. */
export function readClaims(claims: Claims): TokenClaims | undefined {
  const { iss: issuer, exp, nbf, iat, jti = '', sub } = claims
  const own = recordOf(claims['kubernetes.io'])
  const serviceAccount = refOf(own?.['serviceaccount'])
  const namespace = own?.['namespace']
  if (own === undefined || serviceAccount === undefined) return undefined
  if (typeof issuer !== 'string' || typeof jti !== 'string' || typeof namespace !== 'string') return undefined
  if (!isTime(exp) || !isTime(nbf) || !isTime(iat)) return undefined
  if (sub !== subjectOf(namespace, serviceAccount.name)) return undefined
  const audiences = typeof claims['aud'] === 'string' ? [claims['aud']] : claims['aud']
  if (!isTextList(audiences)) return undefined
  // A binding that cannot be read must not turn into a token without one.
  const bindings = { pod: own['pod'], secret: own['secret'], node: own['node'] }
  const refs = { pod: refOf(bindings.pod), secret: refOf(bindings.secret), node: nodeRefOf(bindings.node) }
  const isUnreadable = (['pod', 'secret', 'node'] as const).some(
    (name) => bindings[name] !== undefined && refs[name] === undefined,
  )
  if (isUnreadable) return undefined
  return {
    issuer,
    audiences,
    notBefore: nbf,
    issuedAt: iat,
    expiresAt: exp,
    id: jti,
    namespace,
    serviceAccount,
    ...refs,
  }
}

// go-jose's default leeway, which upstream uses.
const leewaySeconds = 60

/** The reason why the claims do not hold at this moment, in upstream's words; undefined when they do. */
export function timeProblem(claims: TokenClaims, nowMs: number): string | undefined {
  const now = nowMs / 1000
  if (now + leewaySeconds < claims.notBefore) return 'service account token is not valid yet'
  if (now - leewaySeconds > claims.expiresAt) return 'service account token has expired'
  if (now + leewaySeconds < claims.issuedAt) return 'service account token is issued in the future'
  return undefined
}

const legacyPrefix = 'kubernetes.io/serviceaccount/'

export function writeLegacyClaims({ namespace, serviceAccount, secretName }: LegacyClaims): Claims {
  return {
    iss: legacyIssuer,
    [`${legacyPrefix}namespace`]: namespace,
    [`${legacyPrefix}secret.name`]: secretName,
    [`${legacyPrefix}service-account.name`]: serviceAccount.name,
    [`${legacyPrefix}service-account.uid`]: serviceAccount.uid,
    sub: subjectOf(namespace, serviceAccount.name),
  }
}

export function readLegacyClaims(claims: Claims): LegacyClaims | undefined {
  const [namespace, secretName, name, uid] = [
    'namespace',
    'secret.name',
    'service-account.name',
    'service-account.uid',
  ].map((claim) => claims[`${legacyPrefix}${claim}`])
  if (!isText(namespace) || !isText(secretName) || !isText(name) || !isText(uid)) return undefined
  if (claims['iss'] !== legacyIssuer || claims['sub'] !== subjectOf(namespace, name)) return undefined
  return { namespace, secretName, serviceAccount: { name, uid } }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isTextList = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')

function recordOf(value: unknown): Claims | undefined {
  return typeof value === 'object' && value !== null ? (value as Claims) : undefined
}

function refOf(value: unknown): ObjectRef | undefined {
  const { name, uid } = recordOf(value) ?? {}
  return isText(name) && isText(uid) ? { name, uid } : undefined
}

// The node of a pod may be gone when the token is made: then the claim has no uid.
function nodeRefOf(value: unknown): ObjectRef | undefined {
  const { name, uid = '' } = recordOf(value) ?? {}
  return isText(name) && typeof uid === 'string' ? { name, uid } : undefined
}
