// A server for a test: on loopback, with its own authority, and clients for both protocols.

import { once } from 'node:events'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { openPki, type Pki } from '../../src/pki/pki.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { type Logger, silentLogger } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Handler } from '../../src/server/http/exchange.ts'
import {
  type RunningServer,
  type ServerLimits,
  type ServerOptions,
  startServer,
  type TlsMaterial,
} from '../../src/server/http.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly raw: Buffer
  readonly text: string
  readonly json: () => Record<string, unknown>
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array
  readonly tls?: SecureContextOptions
}

export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer
  readonly pki: Pki
  readonly tls: TlsMaterial
  /** One request over HTTP/2, on a connection of its own. */
  h2(path: string, ask?: Ask): Promise<Reply>
  /** One request over HTTP/1.1. */
  h1(path: string, ask?: Ask & Pick<RequestOptions, 'agent'>): Promise<Reply>
  session(tls?: SecureContextOptions): ClientHttp2Session
}

export interface TestServerOptions extends Partial<Pick<ServerOptions, 'onUpgrade'>> {
  readonly handler: Handler
  readonly clock?: Clock
  readonly log?: Logger
  readonly limits?: Partial<ServerLimits>
}

export async function startTestServer(options: TestServerOptions): Promise<TestServer> {
  const pki = await openPki({
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    clock: systemClock,
    random: systemRandom,
  })
  const tls = tlsOf(pki)
  const server = await startServer({
    clock: systemClock,
    log: silentLogger,
    ...options,
    host: '127.0.0.1',
    port: 0,
    tls,
  })
  const trust = { ca: pki.caPem() }
  const session = (own: SecureContextOptions = {}) => {
    const opened = connect(`https://127.0.0.1:${server.port}`, { ...trust, ...own })
    opened.on('error', () => undefined)
    return opened
  }
  return {
    server,
    pki,
    tls,
    session,
    h2: async (path, ask = {}) => {
      const opened = session(ask.tls)
      try {
        return await askH2(opened, path, ask)
      } finally {
        opened.destroy()
      }
    },
    h1: (path, ask = {}) => askH1(path, { ...ask, port: server.port, tls: { ...trust, ...ask.tls } }),
    [Symbol.asyncDispose]: () => server.close(0),
  }
}

export function tlsOf(pki: Pki): TlsMaterial {
  const { certificatePem, keyPem } = pki.servingCertificate()
  return { cert: certificatePem, key: keyPem, ca: pki.caPem() }
}

export async function askH2(
  session: ClientHttp2Session,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Reply> {
  const stream = session.request({ ...headers, ':method': method, ':path': path } as Record<string, string>, {
    endStream: body === undefined,
  })
  if (body !== undefined) stream.end(body)
  const answered = Promise.withResolvers<IncomingHttpHeaders & { ':status'?: number }>()
  stream.on('response', answered.resolve).on('error', answered.reject)
  stream.on('close', () => answered.reject(new Error('the stream was closed without an answer')))
  const received = await answered.promise
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return reply(received[':status'] ?? 0, received, Buffer.concat(chunks))
}

interface AskH1 extends Ask, Pick<RequestOptions, 'agent'> {
  readonly port: number
}

async function askH1(
  path: string,
  { port, method = 'GET', headers = {}, body, tls = {}, agent }: AskH1,
): Promise<Reply> {
  const request = httpsRequest({
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: headers as Record<string, string>,
    agent: agent ?? false,
    ...tls,
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return reply(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))
}

function reply(status: number, headers: IncomingHttpHeaders, raw: Buffer): Reply {
  const text = raw.toString('utf8')
  return { status, headers, raw, text, json: () => JSON.parse(text) as Record<string, unknown> }
}
