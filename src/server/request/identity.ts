// Who asks: credentials out of a request, and the user they act as.
// Recognising credentials is authn/'s, the rights to impersonate are authz/'s.

import type { Attributes, Authenticator, Authorizer, Credentials, UserInfo } from '../../api/contracts.ts'
import { unauthorized } from '../../api/status.ts'
import { type ImpersonationHeaders, impersonate } from '../../authz/impersonation.ts'
import type { HttpRequest } from '../http/exchange.ts'

export interface IdentityParts {
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
}

type Identified = Pick<HttpRequest, 'headers' | 'clientCertificate'>

/** Throws 401 for bad credentials, 400 and 403 for impersonation. `attributesOf` says what the user would be asking. */
export async function identify(
  request: Identified,
  attributesOf: (user: UserInfo) => Attributes,
  { authenticator, authorizer }: IdentityParts,
): Promise<UserInfo> {
  const user = await authenticator.authenticate(credentialsOf(request))
  if (user === undefined) throw unauthorized()
  const headers = impersonationHeaders(request)
  if (headers === undefined) return user
  return impersonate({ user, headers, authorizer, attributes: attributesOf(user) })
}

export function credentialsOf({ headers, clientCertificate }: Identified): Credentials {
  const match = /^Bearer +([^\s]+) *$/i.exec(headers.get('authorization') ?? '')
  return { bearerToken: match?.[1], clientCertificate }
}

// All of them, also those that nobody knows: leaving one out would widen what the caller may do.
function impersonationHeaders({ headers }: Identified): ImpersonationHeaders | undefined {
  let found: Record<string, readonly string[]> | undefined
  for (const name of headers.names()) {
    if (!name.startsWith('impersonate-')) continue
    found ??= Object.create(null) as Record<string, readonly string[]>
    found[name] = headers.all(name)
  }
  return found
}
