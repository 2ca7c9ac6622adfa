// Upgrade requests (exec, attach, port-forward): who asks, may they; then whoever has the pods gets the socket.
// Every other path is answered as if nothing had been said about upgrading, as upstream does.

import type { Duplex } from 'node:stream'
import { pathNotFound } from '../api/status.ts'
import type { Kind } from '../kinds/kind.ts'
import type { ConnectRequest, HandlerOptions } from './edge.ts'
import type { Handler, HttpRequest, HttpResponse } from './http/exchange.ts'
import { identify } from './request/identity.ts'
import { attributesOfRoute, judge } from './request/judge.ts'
import { connectSubresources } from './resources.ts'
import { respondError } from './respond.ts'
import { parseRoute, type Route } from './route.ts'
import { notServed } from './subresources/subresource.ts'

/** A connection that wants to become something else. Its user may do it already. */
export interface UpgradeRequest extends ConnectRequest {
  readonly socket: Duplex
  /** What came behind the head already. */
  readonly head: Buffer
}

/** Answers on the socket and owns it; throws, before it has written anything, for a refusal. */
export type Upgrade = (asked: UpgradeRequest) => Promise<void>

export interface UpgradeOptions
  extends Pick<HandlerOptions, 'authenticator' | 'authorizer' | 'catalog' | 'log'> {
  /** Answers what is no upgrade. */
  readonly handler: Handler
  readonly upgrade: Upgrade
}

const upgradedMax = 1_000

/** For the server's `onUpgrade`. */
export function createUpgrades(
  options: UpgradeOptions,
): (request: HttpRequest, socket: Duplex, head: Buffer) => void {
  const open = new Set<Duplex>()
  return (request, socket, head) => {
    if (open.size >= upgradedMax) {
      socket.end('HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    request.closing.addEventListener('abort', () => socket.destroy(), { signal: request.signal })
    void settle(options, { request, socket, head })
  }
}

type Incoming = Pick<UpgradeRequest, 'request' | 'socket' | 'head'>

async function settle(options: UpgradeOptions, incoming: Incoming): Promise<void> {
  const { request, socket } = incoming
  try {
    const asked = await admit(options, incoming)
    if (asked === undefined) await writeResponse(socket, await options.handler(request))
    else await options.upgrade(asked)
  } catch (error) {
    try {
      await writeResponse(socket, respondError(error, { log: options.log, path: request.path }))
    } catch (failure) {
      options.log.debug('an upgrade could not be answered', { error: failure })
      socket.destroy()
    }
  }
}

/** Undefined for what is no upgrade. Throws ApiError. */
async function admit(options: UpgradeOptions, incoming: Incoming): Promise<UpgradeRequest | undefined> {
  const { request } = incoming
  const query = new URLSearchParams(request.query)
  const route = parseRoute({ method: request.method, path: request.path, query })
  const kind = route.isResource ? options.catalog.find(route) : undefined
  if (kind === undefined || !isUpgradable(kind, route)) return undefined
  const user = await identify(request, (one) => attributesOfRoute(route, one), options)
  judge(options.authorizer, route, user)
  // A websocket opens with GET: whoever may only read must not get a command run by it.
  if (route.verb === 'get') judge(options.authorizer, { ...route, verb: 'create' }, user)
  if (route.rest !== '') throw pathNotFound()
  if (!kind.subresources.some(({ name }) => name === route.subresource)) {
    throw notServed(kind, route.subresource)
  }
  return { ...incoming, route, query, user, kind }
}

const isUpgradable = (kind: Kind, { subresource }: Route): boolean =>
  kind.kind === 'Pod' && connectSubresources.includes(subresource) && subresource !== 'log'

const reasons: Readonly<Record<number, string>> = { 200: 'OK', 400: 'Bad Request', 403: 'Forbidden' }

async function writeResponse(socket: Duplex, response: HttpResponse): Promise<void> {
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((one) => `${name}: ${one}\r\n`),
  )
  const { status, body } = response
  socket.write(
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Answer'}\r\n${headers.join('')}connection: close\r\n\r\n`,
  )
  if (typeof body === 'string' || body instanceof Uint8Array) socket.write(body)
  else if (body !== undefined) {
    for await (const chunk of body) {
      if (socket.destroyed) return
      if (!socket.write(chunk)) await drained(socket)
    }
  }
  socket.end()
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
