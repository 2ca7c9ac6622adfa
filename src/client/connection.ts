// One API server over HTTP: sockets, credentials, time limits; knows requests and answers, not objects.
// What the bytes mean is http.ts's.

import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { ApiError, timeout } from '../api/status.ts'
import type { Clock } from '../platform/clock.ts'
import { unreachable } from './failures.ts'
import { type Query, searchOf } from './paths.ts'

export interface TlsOptions {
  /** PEM. Absent: the machine's own authorities. */
  readonly ca?: string | Buffer | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
  readonly serverName?: string | undefined
  /** False accepts any certificate: only where the user's kubeconfig says so. */
  readonly isVerified?: boolean | undefined
}

/** What one request adds to prove who asks. */
export interface Credentials {
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly tls?: TlsOptions | undefined
  /** A proxy's agent; absent: our own. */
  readonly agent?: http.Agent | undefined
}

export interface ConnectionOptions {
  /** `https://host:port`, with a path when the API lives below one. */
  readonly server: string
  /** Asked before each request, so that what expires can be renewed. */
  readonly credentials: () => Promise<Credentials>
  readonly userAgent: string
  readonly clock: Clock
  /** Of everything but watches and streams. */
  readonly requestTimeoutMs: number
}

export interface WireRequest {
  readonly method: string
  readonly path: string
  readonly query?: Query | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface WireAnswer {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

export interface UpgradeAnswer {
  readonly response: http.IncomingMessage
  /** Absent when the server did not upgrade; the response tells why. */
  readonly socket?: Duplex | undefined
  /** What came behind the head already. */
  readonly head?: Buffer | undefined
}

const requestSocketsMax = 32
const streamSocketsMax = 512
const keepAliveMs = 30_000
// A list of 100,000 objects of 3 KiB fits; what does not is asked in pages.
const bodyBytesMax = 512 * 1024 * 1024

export class Connection implements AsyncDisposable {
  readonly server: URL
  readonly #options: ConnectionOptions
  readonly #agent: http.Agent
  readonly #streamAgent: http.Agent
  readonly #stopping = new AbortController()

  constructor(options: ConnectionOptions) {
    this.server = new URL(options.server)
    this.#options = options
    const Agent = this.server.protocol === 'http:' ? http.Agent : https.Agent
    this.#agent = new Agent({ keepAlive: true, keepAliveMsecs: keepAliveMs, maxSockets: requestSocketsMax })
    this.#streamAgent = new Agent({
      keepAlive: true,
      keepAliveMsecs: keepAliveMs,
      maxSockets: streamSocketsMax,
    })
  }

  /** One whole exchange within the time limit; `bodyBytesMax` bounds the answer. */
  async request(request: WireRequest): Promise<WireAnswer> {
    const limit = this.#limit(request.signal, this.#options.requestTimeoutMs)
    try {
      const response = await this.#exchange(request, this.#agent, limit.signal)
      const text = await textOf(response)
      return { code: response.statusCode ?? 0, headers: headersOf(response), text }
    } catch (error) {
      throw this.failureOf(error, limit.signal)
    } finally {
      limit.release()
    }
  }

  /** Answers once the head of the response is here; the caller reads the body or destroys it. */
  async stream(request: WireRequest): Promise<http.IncomingMessage> {
    const limit = this.#limit(request.signal, this.#options.requestTimeoutMs)
    try {
      const response = await this.#exchange(request, this.#streamAgent, limit.signal)
      limit.endTime()
      response.once('close', limit.release)
      return response
    } catch (error) {
      limit.release()
      throw this.failureOf(error, limit.signal)
    }
  }

  /** Opens an upgraded connection (exec, port-forward). An answer that is no upgrade has no socket. */
  async upgrade(request: WireRequest): Promise<UpgradeAnswer> {
    const limit = this.#limit(request.signal, this.#options.requestTimeoutMs)
    try {
      const outgoing = await this.#open(request, false, limit.signal)
      const answer = await new Promise<UpgradeAnswer>((resolve, reject) => {
        outgoing.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
        outgoing.on('response', (response) => resolve({ response }))
        outgoing.on('error', reject)
        outgoing.end(request.body)
      })
      limit.endTime()
      ;(answer.socket ?? answer.response).once('close', limit.release)
      return answer
    } catch (error) {
      limit.release()
      throw this.failureOf(error, limit.signal)
    }
  }

  /** What a broken exchange was: the caller's wish, the time limit, or the network. */
  failureOf(error: unknown, signal: AbortSignal | undefined): unknown {
    if (error instanceof ApiError) return error
    if (signal?.aborted) return signal.reason
    return unreachable(this.server.origin, error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(unreachable(this.server.origin, new Error('the client is closed')))
    this.#agent.destroy()
    this.#streamAgent.destroy()
  }

  async #exchange(
    request: WireRequest,
    agent: http.Agent,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const outgoing = await this.#open(request, agent, signal)
    try {
      return await responseOf(outgoing, request.body)
    } catch (error) {
      // The server closed a kept socket just as the request went out; a read may simply be asked again.
      if (!outgoing.reusedSocket || request.method !== 'GET' || signal.aborted) throw error
      return await responseOf(await this.#open(request, agent, signal), request.body)
    }
  }

  async #open(
    request: WireRequest,
    agent: http.Agent | false,
    signal: AbortSignal,
  ): Promise<http.ClientRequest> {
    const credentials = await this.#options.credentials()
    const { tls = {} } = credentials
    signal.throwIfAborted()
    const options: https.RequestOptions = {
      protocol: this.server.protocol,
      hostname: this.server.hostname.replace(/^\[|\]$/g, ''),
      port: this.server.port,
      method: request.method,
      path: `${this.server.pathname.replace(/\/$/, '')}${request.path}${searchOf(request.query)}`,
      agent: credentials.agent ?? agent,
      signal,
      headers: {
        'user-agent': this.#options.userAgent,
        accept: 'application/json',
        ...(request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) }),
        ...credentials.headers,
        ...request.headers,
      },
    }
    if (this.server.protocol === 'http:') return http.request(options)
    return https.request({ ...options, ...requestTls(tls) })
  }

  #limit(signal: AbortSignal | undefined, timeoutMs: number): Limit {
    const controller = new AbortController()
    const sources = [this.#stopping.signal, ...(signal === undefined ? [] : [signal])]
    const listeners = sources.map((source) => {
      const onAbort = () => controller.abort(source.reason)
      if (source.aborted) onAbort()
      source.addEventListener('abort', onAbort, { once: true })
      return () => source.removeEventListener('abort', onAbort)
    })
    const endTime = this.#options.clock.setTimer(timeoutMs, () => {
      controller.abort(timeout(`no answer from ${this.server.origin} within ${timeoutMs} ms`))
    })
    const release = () => {
      endTime()
      for (const remove of listeners) remove()
    }
    return { signal: controller.signal, endTime, release }
  }
}

interface Limit {
  readonly signal: AbortSignal
  readonly endTime: () => void
  readonly release: () => void
}

function requestTls(tls: TlsOptions): https.RequestOptions {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    rejectUnauthorized: tls.isVerified !== false,
  }
}

function responseOf(outgoing: http.ClientRequest, body: string | undefined): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('response', resolve)
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/** The whole body as text, refused beyond the bound. */
export async function textOf(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) {
      response.destroy()
      throw new ApiError({
        code: 500,
        reason: 'InternalError',
        message: `the answer is over ${bodyBytesMax} bytes`,
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, bytes).toString('utf8')
}

/** Lower-case names; repeated headers joined, so that each is one text. */
export function headersOf(response: http.IncomingMessage): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
}
