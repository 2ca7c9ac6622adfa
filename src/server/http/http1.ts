// One HTTP/1.1 request: from its headers to the last byte of the answer.
// Its twin for HTTP/2 is http2.ts; what both share is parts.ts.

import type { IncomingMessage, OutgoingHttpHeader, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { isIterable } from './compress.ts'
import type { HttpResponse } from './exchange.ts'
import { RawHeaders } from './headers.ts'
import { answerOf, type ExchangeParts } from './parts.ts'
import { writeIterable } from './write.ts'

export type Http1Response = ServerResponse<IncomingMessage>

/** Never rejects: a connection that breaks is logged and closed. */
export async function answerHttp1(
  request: IncomingMessage,
  response: Http1Response,
  parts: ExchangeParts,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort(new Error('the client has gone')))
  response.on('error', (error: Error) => parts.log.debug('response failed', { error }))
  request.on('error', (error: Error) => parts.log.debug('request failed', { error }))
  try {
    const headers = new RawHeaders(request.rawHeaders)
    const socket = request.socket as TLSSocket
    const incoming = {
      method: request.method ?? '',
      target: request.url ?? '',
      headers,
      source: request,
      socket,
      signal: gone.signal,
    }
    await write({ request, response }, await answerOf(incoming, parts), parts)
  } catch (error) {
    parts.log.debug('answer could not be written', { error })
    response.destroy()
  }
}

async function write(
  { request, response }: { readonly request: IncomingMessage; readonly response: Http1Response },
  answer: HttpResponse,
  { clock, limits, running }: ExchangeParts,
): Promise<void> {
  const { body } = answer
  if (response.destroyed) {
    if (isIterable(body)) await body[Symbol.asyncIterator]().return?.()
    return
  }
  // A body that was not read to its end would be taken for the next request.
  if (!request.complete || running.closing.aborted) response.setHeader('connection', 'close')
  const isWhole = body !== undefined && !isIterable(body)
  if (isWhole) response.setHeader('content-length', Buffer.byteLength(body))
  response.writeHead(answer.status, answer.headers as Record<string, OutgoingHttpHeader>)
  if (body === undefined || request.method === 'HEAD') {
    response.end()
    return
  }
  if (!isIterable(body)) {
    response.end(body)
    return
  }
  response.flushHeaders()
  await writeIterable(response, body, { clock, stallTimeoutMs: limits.stallTimeoutMs })
}
