// Moves what a container listens on to a free port of loopback and tells the actor, which maps (pod IP, port) to it.
// The program keeps seeing the port it asked for.

import dgram from 'node:dgram'
import net from 'node:net'
import type { Channel, Protocol } from './channel.ts'
import { networkError } from './failure.ts'
import type { Fictive } from './fictive.ts'
import { type AnyFunction, replace } from './patch.ts'

interface Listening {
  readonly port: number
  readonly host: string | undefined
}

const seen = new WeakMap<object, Listening>()

export function patchListen(channel: Channel, fictive: Fictive): void {
  patchServers(channel, fictive)
  patchDatagrams(channel, fictive)
}

type ListenOptions = net.ListenOptions & { handle?: unknown; fd?: unknown; _handle?: unknown }

function patchServers(channel: Channel, fictive: Fictive): void {
  replace(net.Server.prototype, 'listen', (original): AnyFunction => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const server = this as net.Server
      const normalize = (net as unknown as { _normalizeArgs(args: readonly unknown[]): unknown[] })
        ._normalizeArgs
      const [options, callback] = normalize(args) as [ListenOptions & { _handle?: unknown }, unknown]
      const port = Number(options.port ?? 0)
      const isElse = [
        options.path,
        options.handle,
        options.fd,
        options._handle,
        (args[0] as ListenOptions | undefined)?._handle,
      ]
      if (isElse.some((one) => one !== undefined && one !== null) || !isPort(port))
        return original.apply(server, args)
      const { host } = options
      whenListening(server, async () => {
        const real = server.address() as net.AddressInfo
        const listening = { port: port === 0 ? real.port : port, host }
        await publish(channel, { ...listening, protocol: 'TCP', realPort: real.port, fictive })
        seen.set(server, listening)
        server.once('close', () => unpublish(channel, server, 'TCP'))
      })
      return original.call(
        server,
        { ...options, port: 0, host: '127.0.0.1', ipv6Only: false },
        callback ?? undefined,
      )
    }
  })
  replace(net.Server.prototype, 'address', (original): AnyFunction => {
    return function (this: unknown): unknown {
      const real = original.call(this)
      return real === null ? null : asAsked(this as object, real, '::')
    }
  })
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port < 65_536

/** What the program is told: its own address and port. */
function asAsked(socket: object, real: unknown, anyAddress: string): unknown {
  const listening = seen.get(socket)
  if (listening === undefined) return real
  const host = listening.host ?? anyAddress
  const address = net.isIP(host) === 0 ? '127.0.0.1' : host
  return { address, family: net.isIP(address) === 6 ? 'IPv6' : 'IPv4', port: listening.port }
}

/** Holds the event `listening` back until the port is published: whoever hears of it may connect at once. */
function whenListening(
  emitter: NodeJS.EventEmitter & { close(): unknown },
  publishIt: () => Promise<void>,
): void {
  const holder = emitter as { emit: NodeJS.EventEmitter['emit'] }
  const own = Object.getOwnPropertyDescriptor(emitter, 'emit')
  const restore = (): void => {
    if (own === undefined) delete (holder as { emit?: unknown }).emit
    else Object.defineProperty(emitter, 'emit', own)
  }
  const emit = holder.emit
  holder.emit = (event: string | symbol, ...rest: unknown[]): boolean => {
    if (event === 'error' || event === 'close') restore()
    if (event !== 'listening') return emit.call(emitter, event, ...rest)
    restore()
    publishIt().then(
      () => holder.emit.call(emitter, 'listening'),
      (error: unknown) => {
        emitter.close()
        holder.emit.call(emitter, 'error', error)
      },
    )
    return true
  }
}

interface Publishing extends Listening {
  readonly protocol: Protocol
  readonly realPort: number
  readonly fictive: Fictive
}

async function publish(
  channel: Channel,
  { protocol, port, host, realPort, fictive }: Publishing,
): Promise<void> {
  const isLocal =
    host === 'localhost' ||
    (host !== undefined && host !== '0.0.0.0' && host !== '::' && fictive.isLoopback(host))
  const answer = await channel.ask({ op: 'publish', protocol, port, host: '127.0.0.1', realPort, isLocal })
  if ('error' in answer) throw networkError(answer.error, { syscall: 'listen', address: host ?? '::', port })
}

function unpublish(channel: Channel, socket: object, protocol: Protocol): void {
  const listening = seen.get(socket)
  seen.delete(socket)
  // The host may be gone; then there is nothing to take back.
  if (listening !== undefined)
    channel.ask({ op: 'unpublish', protocol, port: listening.port }).catch(() => undefined)
}

/** Only sockets with a port of their own: those of clients stay as they are. */
function patchDatagrams(channel: Channel, fictive: Fictive): void {
  replace(dgram.Socket.prototype, 'bind', (original): AnyFunction => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const socket = this as dgram.Socket & { type?: string }
      const callback = args.find((one) => typeof one === 'function')
      const [first, second] = args
      const options = (
        typeof first === 'object' && first !== null ? first : { port: first, address: second }
      ) as dgram.BindOptions & { fd?: number }
      const port = Number(options.port ?? 0)
      const host = typeof options.address === 'string' ? options.address : undefined
      if (!(port > 0 && isPort(port)) || options.fd !== undefined || socket.type === 'udp6')
        return original.apply(socket, args)
      whenListening(socket, async () => {
        const real = socket.address()
        await publish(channel, { port, host, protocol: 'UDP', realPort: real.port, fictive })
        seen.set(socket, { port, host })
        socket.once('close', () => unpublish(channel, socket, 'UDP'))
      })
      return original.call(socket, { ...options, port: 0, address: '127.0.0.1' }, callback)
    }
  })
  replace(dgram.Socket.prototype, 'address', (original): AnyFunction => {
    return function (this: unknown): unknown {
      return asAsked(this as object, original.call(this), '0.0.0.0')
    }
  })
}
