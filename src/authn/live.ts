// Whether the objects that a token names are still there: a token ends with its account, pod, secret or node.
// Upstream: kubernetes/pkg/serviceaccount claims.go and legacy.go. Asked anew for each request.

import { timingSafeEqual } from 'node:crypto'
import type { Reader } from '../api/contracts.ts'
import type { LegacyClaims, ObjectRef, TokenClaims } from './claims.ts'

// What was deleted a moment ago still counts, so that a pod can say goodbye; upstream uses the same leeway.
const deletedLeewayMs = 60_000

const invalidated = 'service account token has been invalidated'

/** Why a token is no longer good, in upstream's words; undefined when it is. */
export function livenessProblem(claims: TokenClaims, reader: Reader, nowMs: number): string | undefined {
  const { namespace, serviceAccount, pod, secret, node } = claims
  const deletedBeforeMs = nowMs - deletedLeewayMs
  const accountProblem = findAccountProblem({ namespace, serviceAccount, reader, deletedBeforeMs })
  if (accountProblem !== undefined) return accountProblem
  const isGone = (resource: string, inNamespace: string, ref: ObjectRef | undefined) =>
    ref !== undefined && !isLive({ reader, resource, namespace: inNamespace, ref, deletedBeforeMs })
  if (isGone('secrets', namespace, secret) || isGone('pods', namespace, pod)) return invalidated
  // Beside a pod the node is only told, not demanded.
  if (pod === undefined && isGone('nodes', '', node)) return invalidated
  return undefined
}

/** The same for the token of a Secret, which must still hold it. */
export function legacyProblem(claims: LegacyClaims, token: string, reader: Reader): string | undefined {
  const { namespace, serviceAccount, secretName } = claims
  const secret = reader.get({ group: '', resource: 'secrets' }, namespace, secretName)
  if (secret === undefined || secret.header.isDeleting) return 'Token has been invalidated'
  if (secret.object['type'] !== 'kubernetes.io/service-account-token') return 'Token has been invalidated'
  const data = (secret.object['data'] ?? {}) as Readonly<Record<string, unknown>>
  const kept = Buffer.from(typeof data['token'] === 'string' ? data['token'] : '', 'base64')
  const given = Buffer.from(token)
  if (kept.length !== given.length || !timingSafeEqual(kept, given))
    return "Token does not match server's copy"
  if (secret.header.labels['kubernetes.io/legacy-token-invalid-since'] !== undefined) {
    return `the token in secret ${namespace}/${secretName} for service account ${namespace}/${serviceAccount.name} has been marked invalid`
  }
  return findAccountProblem({ namespace, serviceAccount, reader, deletedBeforeMs: Number.POSITIVE_INFINITY })
}

function findAccountProblem({
  namespace,
  serviceAccount,
  reader,
  deletedBeforeMs,
}: {
  namespace: string
  serviceAccount: ObjectRef
  reader: Reader
  deletedBeforeMs: number
}): string | undefined {
  const { name, uid } = serviceAccount
  const account = reader.get({ group: '', resource: 'serviceaccounts' }, namespace, name)
  if (account === undefined) return `serviceaccounts ${JSON.stringify(name)} not found`
  if (account.header.uid !== uid) {
    return `service account UID (${account.header.uid}) does not match claim (${uid})`
  }
  if (account.header.isDeleting && deletedAtMs(account.object.metadata.deletionTimestamp) < deletedBeforeMs) {
    return `service account ${namespace}/${name} has been deleted`
  }
  return undefined
}

function isLive({
  reader,
  resource,
  namespace,
  ref,
  deletedBeforeMs,
}: {
  reader: Reader
  resource: string
  namespace: string
  ref: ObjectRef
  deletedBeforeMs: number
}): boolean {
  const found = reader.get({ group: '', resource }, namespace, ref.name)
  if (found === undefined || found.header.uid !== ref.uid) return false
  return !found.header.isDeleting || deletedAtMs(found.object.metadata.deletionTimestamp) >= deletedBeforeMs
}

const deletedAtMs = (timestamp: string | undefined): number => Date.parse(timestamp ?? '')
