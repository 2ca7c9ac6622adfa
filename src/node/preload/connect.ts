// Lets a container connect to cluster addresses and to its own pod's ports: every client of Node's goes through
// net.Socket.prototype.connect (http, tls, http2, fetch). Names become addresses first, in names.ts.

import dns from 'node:dns'
import net from 'node:net'
import type { Address, Answer, Channel } from './channel.ts'
import { networkError } from './failure.ts'
import type { Fictive } from './fictive.ts'
import { type AnyFunction, replace } from './patch.ts'

type Options = net.TcpNetConnectOpts & { path?: string }

export function patchConnect(channel: Channel, fictive: Fictive): void {
  replace(net.Socket.prototype, 'connect', (original): AnyFunction => {
    return function (this: unknown, ...args: unknown[]): unknown {
      const socket = this as net.Socket
      const { options, callback } = readArguments(args)
      const host = options.host ?? 'localhost'
      const isPlainAddress = net.isIP(host) !== 0 && !fictive.isCluster(host) && !fictive.isLoopback(host)
      if (typeof options.path === 'string' || isPlainAddress || isBadPort(options.port))
        return original.apply(socket, args)
      const go = (next: Options): void => void original.call(socket, next, callback)
      // What the program writes from now on waits, as on any socket that has not connected yet.
      const state = socket as net.Socket & { connecting: boolean }
      const wasDestroyed = socket.destroyed
      state.connecting = true
      findTarget({ ...options, host }, { channel, fictive }).then(
        (next) => {
          if (wasDestroyed || !socket.destroyed) go(next)
        },
        (error: Error) => void socket.destroy(error),
      )
      return socket
    }
  })
}

/** As net's own: one array that is sorted already, or options, or port and host; a callback at the end. */
function readArguments(args: readonly unknown[]): { options: Options; callback: unknown } {
  const [first] = args
  const normalize = (net as unknown as { _normalizeArgs(args: readonly unknown[]): unknown[] })._normalizeArgs
  const [options, callback] = Array.isArray(first) ? (first as unknown[]) : normalize(args)
  return { options: options as Options, callback: callback ?? undefined }
}

const isBadPort = (port: unknown): boolean => !(Number(port) > 0 && Number(port) < 65_536)

interface Means {
  readonly channel: Channel
  readonly fictive: Fictive
}

async function findTarget(
  options: Options & { host: string },
  { channel, fictive }: Means,
): Promise<Options> {
  const { host, port } = options
  const addresses = net.isIP(host) === 0 ? await lookUp(options) : [{ address: host, family: 4 } as Address]
  const [first] = addresses
  if (first === undefined) throw networkError('ENOTFOUND', { syscall: 'getaddrinfo', address: host })
  const { address } = first
  if (!fictive.isCluster(address) && !fictive.isLoopback(address))
    return { ...options, lookup: answerWith(addresses) }
  const answer = await channel.ask({ op: 'map', protocol: 'TCP', address, port: Number(port) })
  if ('target' in answer)
    return { ...options, ...answer.target, lookup: undefined, family: undefined } as unknown as Options
  if ('pass' in answer) return net.isIP(host) === 0 ? { ...options, lookup: answerWith(addresses) } : options
  throw networkError(codeOf(answer), { syscall: 'connect', address, port: Number(port) })
}

const codeOf = (answer: Answer): string => ('error' in answer ? answer.error : 'ECONNREFUSED')

/** Through the program's own lookup when it brings one: it may have reasons to refuse. */
function lookUp({
  host,
  family,
  hints,
  lookup = dns.lookup,
}: Options & { host: string }): Promise<readonly Address[]> {
  return new Promise((resolve, reject) => {
    const wanted = { family, hints, all: true } as dns.LookupAllOptions
    const ask = lookup as unknown as (
      name: string,
      options: dns.LookupAllOptions,
      done: (error: Error | null, found: string | readonly Address[], family: 4 | 6) => void,
    ) => void
    ask(host, wanted, (error, found, oneFamily) => {
      if (error !== null && error !== undefined) reject(error)
      else resolve(typeof found === 'string' ? [{ address: found, family: oneFamily }] : found)
    })
  })
}

/** A lookup that says again what was found, so that a name is resolved once. */
function answerWith(addresses: readonly Address[]): net.LookupFunction {
  return (_name, { all }, done) => {
    const [first] = addresses
    if (all === true) done(null, [...addresses])
    else done(null, first?.address ?? '', first?.family)
  }
}
