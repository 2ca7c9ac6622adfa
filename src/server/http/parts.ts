// What both protocols share: the request as a handler sees it, and answers that no handler made.
// The protocols themselves are http1.ts and http2.ts.

import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'
import { type BodyLimits, readBody } from './body.ts'
import { compressed } from './compress.ts'
import type { Handler, HttpRequest, HttpResponse } from './exchange.ts'
import { RawHeaders } from './headers.ts'
import type { Running } from './running.ts'

export interface ExchangeParts {
  readonly handler: Handler
  readonly clock: Clock
  readonly log: Logger
  readonly limits: BodyLimits & { readonly stallTimeoutMs: number }
  readonly running: Running
}

export interface Incoming {
  readonly method: string
  readonly target: string
  readonly headers: RawHeaders
  readonly source: Readable
  readonly socket: TLSSocket | undefined
  readonly signal: AbortSignal
}

/** The handler's answer; a broken handler's is a bare 500, and the log knows why. */
export async function answerOf(incoming: Incoming, parts: ExchangeParts): Promise<HttpResponse> {
  const duplicate = incoming.headers.duplicate
  if (duplicate !== undefined) return plain(400, `the header ${duplicate} stands more than once`)
  const target = splitTarget(incoming.target)
  if (target === undefined) return plain(400, 'the request target is not a path')
  try {
    const response = await parts.handler(requestOf(incoming, target, parts))
    return await compressed(response, incoming.headers.get('accept-encoding'))
  } catch (error) {
    parts.log.error('request handler failed', { path: target.path, error })
    return plain(500, 'Internal Server Error')
  }
}

/** An upgrade request as a handler sees one; `undefined` when it is malformed. */
export function upgradeOf(message: IncomingMessage, parts: ExchangeParts): HttpRequest | undefined {
  const headers = new RawHeaders(message.rawHeaders)
  const target = splitTarget(message.url ?? '')
  if (headers.duplicate !== undefined || target === undefined) return undefined
  const gone = new AbortController()
  const socket = message.socket as TLSSocket
  socket.on('close', () => gone.abort(new Error('the client has gone')))
  const method = message.method ?? ''
  const incoming = { method, target: '', headers, source: message, socket, signal: gone.signal }
  return requestOf(incoming, target, parts)
}

function requestOf(
  { method, headers, source, socket, signal }: Incoming,
  target: { path: string; query: string },
  { limits, clock, running }: ExchangeParts,
): HttpRequest {
  return {
    method,
    ...target,
    headers,
    signal,
    closing: running.closing,
    clientCertificate: verifiedCertificate(socket),
    remoteAddress: socket?.remoteAddress ?? '',
    body: () => readBody(source, headers.get('content-length'), { limits, clock }),
  }
}

/** Cuts off the query, and the authority of an absolute form; `undefined` for `*` and the like. */
export function splitTarget(target: string): { path: string; query: string } | undefined {
  const relative = target.replace(/^https?:\/\/[^/?#]*/i, '')
  const at = relative.indexOf('?')
  const path = at < 0 ? relative : relative.slice(0, at)
  const query = at < 0 ? '' : relative.slice(at + 1)
  if (path === '' && relative !== target) return { path: '/', query }
  return path.startsWith('/') ? { path, query } : undefined
}

const certificates = new WeakMap<TLSSocket, Uint8Array>()

// `authorized` alone is not enough: Node also sets it on a connection that came without any certificate.
function verifiedCertificate(socket: TLSSocket | undefined): Uint8Array | undefined {
  if (socket === undefined || !socket.authorized) return undefined
  const known = certificates.get(socket)
  if (known !== undefined) return known
  const der = socket.getPeerX509Certificate()?.raw
  if (der !== undefined) certificates.set(socket, der)
  return der
}

export const plain = (status: number, text: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body: `${text}\n`,
})
