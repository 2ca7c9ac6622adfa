// One POST over TLS to where a tenant pointed: resolved once, judged, connected to what was judged, bounded in all ways.
// Redirects are an error: following one would undo the judgement (CVE-2020-8561).

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Address, isDenied } from './deny.ts'
import { type Dial, type Resolve, systemDial, systemResolve } from './dial.ts'
import { deniedText, dialText, EgressError, exchangeText, lookupText } from './failures.ts'

/** More than the largest patch of the largest object, in base64. */
const answerBytesMax = 8 * 1024 * 1024
/** Requests under way; further ones are turned away, so that one slow server cannot hold all memory. */
const underWayMax = 512

export interface EgressOptions {
  readonly dial?: Dial | undefined
  readonly resolve?: Resolve | undefined
  /** What besides the deny list is not dialled: the plane's own listeners, its host's API. */
  readonly isOwn?: ((address: Address) => boolean) | undefined
  readonly clock?: Clock | undefined
}

export interface EgressRequest {
  /** `https://name[:port]/path`; the name is what the certificate must be valid for. */
  readonly url: string
  /** Where the name is to be found, when somebody knows better than DNS. Judged like any address. */
  readonly addresses?: readonly Address[] | undefined
  /** PEM; the machine's authorities when absent. */
  readonly ca?: string | undefined
  readonly body: string
  readonly timeoutMs: number
}

export interface EgressAnswer {
  readonly status: number
  readonly body: Buffer
}

export interface Egress {
  /** Any status from 200 on that is no redirect is an answer. Throws EgressError for everything else. */
  post(request: EgressRequest): Promise<EgressAnswer>
}

export function createEgress(options: EgressOptions = {}): Egress {
  const { clock = systemClock } = options
  let underWay = 0
  return {
    post: async (request) => {
      if (underWay >= underWayMax) throw new EgressError('too many requests are under way')
      underWay += 1
      const timeout = new AbortController()
      const cancel = clock.setTimer(request.timeoutMs, () => timeout.abort(deadline()))
      try {
        return await exchange(options, request, timeout.signal)
      } catch (error) {
        if (timeout.signal.aborted) throw deadline()
        throw error
      } finally {
        cancel()
        underWay -= 1
      }
    },
  }
}

const deadline = (): EgressError => new EgressError('context deadline exceeded', { isTimeout: true })

async function exchange(
  options: EgressOptions,
  request: EgressRequest,
  signal: AbortSignal,
): Promise<EgressAnswer> {
  const url = new URL(request.url)
  const socket = await connect(options, { url, request, signal })
  try {
    const secure = await handshake(socket, { url, ca: request.ca, signal })
    return await send(secure, { url, body: request.body, signal })
  } finally {
    socket.destroy()
  }
}

/** URLs write IPv6 addresses in brackets. */
const nameOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1')

interface Connecting {
  readonly url: URL
  readonly request: EgressRequest
  readonly signal: AbortSignal
}

/** One address that may not be reached refuses them all: a name that points there means no good. */
async function connect(options: EgressOptions, { url, request, signal }: Connecting): Promise<Socket> {
  const { dial = systemDial, isOwn } = options
  const addresses = request.addresses ?? (await resolveName(options, url, signal))
  if (addresses.length === 0) throw new EgressError(lookupText(nameOf(url), undefined))
  for (const address of addresses) {
    if (isDenied(address.host) || isOwn?.(address) === true) throw new EgressError(deniedText(address))
  }
  let failure: EgressError | undefined
  for (const address of addresses) {
    try {
      return await orAborted(dial(address, { signal }), signal, (late) => void late.destroy())
    } catch (error) {
      signal.throwIfAborted()
      failure ??= new EgressError(dialText(address, error), { cause: error })
    }
  }
  throw failure ?? new EgressError(lookupText(nameOf(url), undefined))
}

async function resolveName(
  { resolve = systemResolve }: EgressOptions,
  url: URL,
  signal: AbortSignal,
): Promise<readonly Address[]> {
  const name = nameOf(url)
  const port = url.port === '' ? 443 : Number(url.port)
  if (isIP(name) !== 0) return [{ host: name, port }]
  try {
    const hosts = await orAborted(resolve(name), signal)
    return hosts.map((host) => ({ host, port }))
  } catch (error) {
    signal.throwIfAborted()
    throw new EgressError(lookupText(name, error), { cause: error })
  }
}

/** A lookup cannot be stopped, but it need not be waited for; what comes too late is let go. */
function orAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  letGo: (late: T) => void = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      reject(signal.reason)
      work.then(letGo, () => undefined)
    }
    if (signal.aborted) {
      abort()
      return
    }
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

interface Handshake {
  readonly url: URL
  readonly ca: string | undefined
  readonly signal: AbortSignal
}

function handshake(socket: Socket, { url, ca, signal }: Handshake): Promise<TLSSocket> {
  const name = nameOf(url)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      socket.destroy()
      reject(signal.aborted ? signal.reason : new EgressError(exchangeText(error), { cause: error }))
    }
    signal.addEventListener('abort', fail, { once: true })
    let secure: TLSSocket
    try {
      secure = connectTls({
        socket,
        host: name,
        // Server names are names: an address is checked against the certificate, but not sent.
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(ca === undefined ? {} : { ca }),
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        checkServerIdentity: checkNames,
      })
    } catch (error) {
      fail(error)
      return
    }
    secure.on('error', fail)
    secure.once('secureConnect', () => {
      signal.removeEventListener('abort', fail)
      resolve(secure)
    })
  })
}

/** As Go: the common name counts for nothing. */
function checkNames(name: string, certificate: PeerCertificate): Error | undefined {
  const names = (certificate.subjectaltname ?? '')
    .split(', ')
    .map((entry) => entry.replace(/^(DNS|IP Address):/, ''))
    .filter((entry) => entry !== '')
  if (names.length > 0 && checkServerIdentity(name, certificate) === undefined) return undefined
  const text =
    names.length === 0
      ? 'x509: certificate is not valid for any names, but wanted to match '
      : `x509: certificate is valid for ${names.join(', ')}, not `
  return Object.assign(new Error(text + name), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
}

interface Sending {
  readonly url: URL
  readonly body: string
  readonly signal: AbortSignal
}

function send(secure: TLSSocket, { url, body, signal }: Sending): Promise<EgressAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void =>
      reject(
        signal.aborted || error instanceof EgressError
          ? error
          : new EgressError(exchangeText(error), { cause: error }),
      )
    const outgoing = httpRequest({
      createConnection: () => secure,
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
        'user-agent': 'k3v',
      },
      signal,
    })
    outgoing.on('error', fail)
    outgoing.on('response', (incoming) => {
      readAnswer(incoming).then(resolve, fail)
    })
    outgoing.end(body)
  })
}

async function readAnswer(incoming: IncomingMessage): Promise<EgressAnswer> {
  const status = incoming.statusCode ?? 0
  if (status >= 300 && status < 400)
    throw new EgressError('the server redirects, and redirects are not followed')
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > answerBytesMax) throw new EgressError(`the answer is larger than ${answerBytesMax} bytes`)
    chunks.push(chunk)
  }
  return { status, body: Buffer.concat(chunks) }
}
