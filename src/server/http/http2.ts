// One HTTP/2 stream: from its headers to the last byte of the answer, on Node's core stream API.
// Its twin for HTTP/1.1 is http1.ts; what both share is parts.ts.

import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { constants } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../../platform/clock.ts'
import { isIterable } from './compress.ts'
import type { HttpResponse } from './exchange.ts'
import { RawHeaders } from './headers.ts'
import { answerOf, type ExchangeParts } from './parts.ts'
import { writeIterable } from './write.ts'

/** Never rejects: a stream that breaks is logged and closed. */
export async function answerHttp2(
  stream: ServerHttp2Stream,
  rawHeaders: readonly string[],
  parts: ExchangeParts,
): Promise<void> {
  const gone = new AbortController()
  stream.on('close', () => gone.abort(new Error('the client has gone')))
  stream.on('error', (error: Error) => parts.log.debug('stream failed', { error }))
  try {
    const headers = new RawHeaders(rawHeaders)
    const method = headers.get(':method') ?? ''
    const socket = stream.session?.socket as TLSSocket | undefined
    const target = headers.get(':path') ?? ''
    const incoming = { method, target, headers, source: stream, socket, signal: gone.signal }
    await write(stream, await answerOf(incoming, parts), { ...parts, isHead: method === 'HEAD' })
  } catch (error) {
    parts.log.debug('answer could not be written', { error })
    if (!stream.destroyed) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}

async function write(
  stream: ServerHttp2Stream,
  response: HttpResponse,
  { isHead, clock, limits }: ExchangeParts & { readonly isHead: boolean },
): Promise<void> {
  const { body } = response
  if (stream.destroyed || stream.closed) {
    if (isIterable(body)) await body[Symbol.asyncIterator]().return?.()
    return
  }
  const headers: OutgoingHttpHeaders = { ':status': response.status, ...mutable(response.headers) }
  if (body === undefined || isHead) {
    stream.respond(headers, { endStream: true })
    discard(stream, clock)
    return
  }
  if (isIterable(body)) {
    stream.respond(headers)
    await writeIterable(stream, body, { clock, stallTimeoutMs: limits.stallTimeoutMs })
    discard(stream, clock)
    return
  }
  headers['content-length'] = Buffer.byteLength(body)
  stream.respond(headers)
  stream.end(body)
  discard(stream, clock)
}

/** How long a client may go on sending what nobody reads. A reset at once would overtake the answer's last frames. */
const discardMs = 1_000

// The answer is out and nobody wants the rest of the request: the client is told to stop sending it.
function discard(stream: ServerHttp2Stream, clock: Clock): void {
  if (stream.readableEnded || stream.destroyed) return
  stream.resume()
  // A request without a body has nothing more to send.
  if (stream.endAfterHeaders) return
  const cancel = clock.setTimer(discardMs, () => {
    if (!stream.readableEnded && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR)
  })
  stream.once('close', cancel)
}

const mutable = (headers: HttpResponse['headers']): OutgoingHttpHeaders => headers as OutgoingHttpHeaders
