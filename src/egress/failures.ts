// What went wrong on the way out, in the words of Go's libraries, which people search for.
// Nothing that a server answered is ever part of them.

import type { Address } from './deny.ts'

/** A request that got no usable answer. The message may be shown to whoever asked for it. */
export class EgressError extends Error {
  readonly isTimeout: boolean
  constructor(message: string, options?: ErrorOptions & { readonly isTimeout?: boolean }) {
    super(message, options)
    this.name = 'EgressError'
    this.isTimeout = options?.isTimeout ?? false
  }
}

export const addressText = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

export const deniedText = (address: Address): string =>
  `dial tcp ${addressText(address)}: this control plane does not connect to that address`

const dialTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'connect: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
}

export function dialText(address: Address, error: unknown): string {
  return `dial tcp ${addressText(address)}: ${dialTexts[codeOf(error)] ?? plain(error)}`
}

export function lookupText(name: string, error: unknown): string {
  const isMissing = ['ENOTFOUND', 'ENODATA', ''].includes(codeOf(error))
  return `dial tcp: lookup ${name}: ${isMissing ? 'no such host' : 'server misbehaving'}`
}

const unknownAuthority = 'x509: certificate signed by unknown authority'
const certificateTexts: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: 'x509: certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'x509: certificate has expired or is not yet valid',
}

/** Of the handshake and what follows it. */
export function exchangeText(error: unknown): string {
  const code = codeOf(error)
  const certificate = certificateTexts[code]
  if (certificate !== undefined) return `tls: failed to verify certificate: ${certificate}`
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `tls: failed to verify certificate: ${plain(error)}`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return 'tls: the server does not speak TLS as expected'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'EOF'
  if (code.startsWith('HPE_')) return 'net/http: malformed HTTP response'
  return plain(error)
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

const plain = (error: unknown): string => (error instanceof Error ? error.message : 'unknown error')
