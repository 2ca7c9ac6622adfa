// The one port of a plane: HTTP/2 and HTTP/1.1 over TLS, every connection and request within bounds.
// What a request means is the handler's; reading and writing one message is in http/.

import { constants } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Handler, HttpRequest } from './http/exchange.ts'
import { answerHttp1, type Http1Response } from './http/http1.ts'
import { answerHttp2 } from './http/http2.ts'
import { upgradeOf } from './http/parts.ts'
import { Running } from './http/running.ts'

export interface ServerLimits {
  readonly bodyBytesMax: number
  readonly bodyTimeoutMs: number
  readonly headerBytesMax: number
  readonly headersTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly stallTimeoutMs: number
  readonly connectionsMax: number
  readonly streamsPerConnectionMax: number
}

export const defaultLimits: ServerLimits = {
  bodyBytesMax: 3 * 1024 * 1024,
  bodyTimeoutMs: 60_000,
  headerBytesMax: 64 * 1024,
  headersTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 180_000,
  stallTimeoutMs: 60_000,
  connectionsMax: 10_000,
  streamsPerConnectionMax: 250,
}

/** PEM texts. `ca` signs client certificates; connections without one, or with a foreign one, are let in unnamed. */
export interface TlsMaterial {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

export interface ServerOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  readonly tls: TlsMaterial
  readonly handler: Handler
  readonly clock: Clock
  readonly log: Logger
  readonly limits?: Partial<ServerLimits> | undefined
  /**
   * Gets `Connection: Upgrade` requests of HTTP/1.1 and owns their socket from then on; without it they are served as
   * plain requests. Their signal fires when the socket closes; they have no body.
   */
  readonly onUpgrade?: ((request: HttpRequest, socket: Duplex, head: Buffer) => void) | undefined
}

export interface RunningServer {
  readonly port: number
  /** New connections get the new certificates; open ones keep theirs. */
  renew(tls: TlsMaterial): void
  /** Stops accepting, ends long answers, lets the rest finish for so long, then cuts. Harmless to call again. */
  close(graceMs: number): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Resolves when the port is open; rejects when it cannot be. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const limits = { ...defaultLimits, ...options.limits }
  const running = new Running(options.clock)
  const server = createTlsServer(options.tls, limits)
  const parts = { ...options, limits, running }
  accept(server, parts)
  await listen(server, options)
  return {
    port: (server.address() as AddressInfo).port,
    renew: (tls) => server.setSecureContext(secureContext(tls)),
    close: (graceMs) => running.close(server, graceMs),
    [Symbol.asyncDispose]: () => running.close(server, 0),
  }
}

// Session tickets would carry a client's old certificate past a renewal of the authority.
const secureContext = ({ key, cert, ca }: TlsMaterial) => ({
  key,
  cert,
  ca,
  minVersion: 'TLSv1.2' as const,
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
})

function createTlsServer(tls: TlsMaterial, limits: ServerLimits): Http2SecureServer {
  const server = createSecureServer({
    ...secureContext(tls),
    allowHTTP1: true,
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeTimeoutMs,
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.bodyTimeoutMs + limits.headersTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    maxSessionMemory: 64,
    settings: {
      maxConcurrentStreams: limits.streamsPerConnectionMax,
      maxHeaderListSize: limits.headerBytesMax,
      initialWindowSize: 256 * 1024,
      enablePush: false,
    },
  } as Parameters<typeof createSecureServer>[0])
  server.maxConnections = limits.connectionsMax
  // Keeps Node from building its compatibility objects for each stream once 'request' is listened to.
  server.removeAllListeners('newListener')
  return server
}

type Parts = Omit<ServerOptions, 'limits'> & { readonly limits: ServerLimits; readonly running: Running }

function accept(server: Http2SecureServer, parts: Parts): void {
  const { running, log } = parts
  server.on('secureConnection', (socket: TLSSocket) => running.addSocket(socket))
  server.on('session', (session: ServerHttp2Session) => {
    running.addSession(session, parts.limits.idleTimeoutMs)
    session.on('error', (error: Error) => log.debug('connection failed', { error }))
  })
  server.on('stream', (stream, _headers, _flags, rawHeaders: readonly string[]) => {
    running.track(answerHttp2(stream as ServerHttp2Stream, rawHeaders, parts))
  })
  server.on('request', (request, response) => {
    if (request.httpVersionMajor === 2) return
    running.track(
      answerHttp1(request as unknown as IncomingMessage, response as unknown as Http1Response, parts),
    )
  })
  if (parts.onUpgrade !== undefined) {
    const { onUpgrade } = parts
    const emitter: NodeJS.EventEmitter = server
    emitter.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', (error: Error) => log.debug('upgraded connection failed', { error }))
      const upgrade = upgradeOf(request, parts)
      if (upgrade === undefined)
        socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      else onUpgrade(upgrade, socket, head)
    })
  }
  server.on('sessionError', (error: Error) => log.debug('connection failed', { error }))
  server.on('tlsClientError', (error: Error) => log.debug('TLS handshake failed', { error }))
  server.on('unknownProtocol', (socket: Duplex) => socket.destroy())
  const emitter: NodeJS.EventEmitter = server
  emitter.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    log.debug('malformed request', { error })
    const status =
      error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request'
    if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else socket.destroy()
  })
}

function listen(server: Http2SecureServer, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
