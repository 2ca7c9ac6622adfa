// Users by client certificate: the common name is the user, the organizations are the groups.
// TLS has asked for the certificate; whether it is ours and valid now is judged here once more.

import { hash, X509Certificate } from 'node:crypto'
import type { Authenticator, UserInfo } from '../api/contracts.ts'
import { unauthorized } from '../api/status.ts'
import { readCertificateSubject } from '../pki/read.ts'
import type { Clock } from '../platform/clock.ts'

export interface ClientCertificateOptions {
  /** The authorities whose certificates name users; asked each time, as they are renewed. */
  readonly authorities: () => readonly X509Certificate[]
  readonly clock: Clock
}

interface Known {
  readonly user: UserInfo | undefined
  readonly certificate: X509Certificate
}

// One per certificate in use; a connection asks again with each request.
export const knownCertificatesMax = 1024

const clientAuthUsage = '1.3.6.1.5.5.7.3.2'

export function createClientCertificateAuthenticator({
  authorities,
  clock,
}: ClientCertificateOptions): Authenticator {
  const known = new Map<string, Known>()
  const identify = (der: Uint8Array): Known => {
    const fingerprint = hash('sha256', der, 'hex')
    const found = known.get(fingerprint)
    if (found !== undefined) return found
    const fresh = readCertificate(der, fingerprint, authorities())
    if (known.size >= knownCertificatesMax) known.delete(known.keys().next().value ?? '')
    known.set(fingerprint, fresh)
    return fresh
  }
  return {
    authenticate: async ({ clientCertificate }) => {
      if (clientCertificate === undefined) return undefined
      const { user, certificate } = identify(clientCertificate)
      const nowMs = clock.now()
      const isTimely =
        certificate.validFromDate.getTime() <= nowMs && nowMs <= certificate.validToDate.getTime()
      if (!isTimely) throw unauthorized()
      return user
    },
  }
}

/** Throws `unauthorized()` for what no authority of ours signed for a client. */
function readCertificate(
  der: Uint8Array,
  fingerprint: string,
  authorities: readonly X509Certificate[],
): Known {
  const certificate = parse(der)
  const isOurs = authorities.some(
    (authority) => certificate?.checkIssued(authority) && certificate.verify(authority.publicKey),
  )
  if (certificate === undefined || !isOurs || certificate.ca) throw unauthorized()
  if (!certificate.keyUsage?.includes(clientAuthUsage)) throw unauthorized()
  return { certificate, user: userOf(der, fingerprint) }
}

function userOf(der: Uint8Array, fingerprint: string): UserInfo | undefined {
  const { commonName, organizations, uids } = readCertificateSubject(der).subject
  if (commonName === '') return undefined
  // Upstream refuses more than one uid, and an empty one.
  if (uids.length > 1 || uids[0] === '') throw unauthorized()
  return {
    name: commonName,
    uid: uids[0],
    groups: organizations,
    extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] },
  }
}

function parse(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}
