// The sockets: UDP and TCP on one port, with a bound on everything a stranger can make grow.
// What is said is respond.ts's.

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Client } from '../client/client.ts'
import { createInformer } from '../client/informer.ts'
import { endpointSlices, services } from '../client/resources.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { Resolver } from './resolv-conf.ts'
import { type Responder, respond } from './respond.ts'
import { Upstream } from './upstream.ts'
import { createDnsView } from './view.ts'

const datagramsMax = 1_000
const connectionsMax = 256
const idleMs = 10_000
const answersAtOnceMax = 16

export interface DnsOptions {
  /** Of the plane whose names are answered. */
  readonly client: Client
  readonly host: string
  /** 0: any that is free for both. */
  readonly port: number
  /** Who is asked for all other names; empty: they fail. */
  readonly resolvers: readonly Resolver[]
  readonly domain?: string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Disposing ends sockets, questions under way, and the copies of the plane's objects. */
export interface RunningDns extends AsyncDisposable {
  readonly port: number
}

/** Resolves when names are answered; rejects when a port is taken, with nothing left running. */
export async function startDns(options: DnsOptions): Promise<RunningDns> {
  const { client, host, clock, random, log, domain = 'cluster.local' } = options
  const slices = createInformer({ client, resource: endpointSlices, clock, random, log })
  const all = createInformer({ client, resource: services, clock, random, log })
  const upstream = new Upstream({ resolvers: options.resolvers, clock, random })
  const stopInformers = () => Promise.all([slices[Symbol.asyncDispose](), all[Symbol.asyncDispose]()])
  const responder: Responder = { view: createDnsView({ services: all, slices }), domain, upstream }
  const connections = new Set<Socket>()
  const tcp = createServer((socket) => serve(responder, connections, socket))
  tcp.maxConnections = connectionsMax
  const udp = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  try {
    await Promise.all([slices.synced, all.synced])
    const port = await listen({ tcp, udp, host, port: options.port })
    udp.on('error', (error) => log.warn('the DNS socket failed', { error }))
    tcp.on('error', (error) => log.warn('the DNS listener failed', { error }))
    answerDatagrams(responder, udp)
    return {
      port,
      [Symbol.asyncDispose]: async () => {
        upstream.stop()
        udp.close()
        for (const socket of connections) socket.destroy()
        tcp.close()
        await stopInformers()
      },
    }
  } catch (error) {
    udp.close()
    tcp.close()
    await stopInformers()
    throw error
  }
}

interface Listening {
  readonly tcp: Server
  readonly udp: UdpSocket
  readonly host: string
  readonly port: number
}

async function listen({ tcp, udp, host, port }: Listening): Promise<number> {
  tcp.listen({ host, port })
  await once(tcp, 'listening')
  const taken = (tcp.address() as AddressInfo).port
  udp.bind({ address: host, port: taken })
  await once(udp, 'listening')
  return taken
}

/** Beyond the bound a datagram is dropped: who asked asks again. */
function answerDatagrams(responder: Responder, udp: UdpSocket): void {
  let pending = 0
  udp.on('message', (bytes, { address, port }) => {
    if (pending >= datagramsMax) return
    pending += 1
    respond(responder, bytes, 'UDP')
      .then((answer) => {
        if (answer !== undefined) udp.send(answer, port, address, () => undefined)
      })
      // The socket was closed meanwhile.
      .catch(() => undefined)
      .finally(() => {
        pending -= 1
      })
  })
}

/** Questions of one connection may overtake each other; too many at once wait. */
function serve(responder: Responder, connections: Set<Socket>, socket: Socket): void {
  let heard: Buffer = Buffer.alloc(0)
  let pending = 0
  const next = (): void => {
    while (pending < answersAtOnceMax && heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
      const end = 2 + heard.readUInt16BE(0)
      const query = heard.subarray(2, end)
      heard = heard.subarray(end)
      pending += 1
      void respond(responder, query, 'TCP').then((answer) => {
        pending -= 1
        if (answer === undefined) socket.destroy()
        if (answer !== undefined && !socket.destroyed) socket.write(framed(answer))
        next()
      })
    }
    if (pending >= answersAtOnceMax) socket.pause()
    else socket.resume()
  }
  connections.add(socket)
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('close', () => connections.delete(socket))
  socket.on('error', () => socket.destroy())
  socket.on('data', (part: Buffer) => {
    heard = Buffer.concat([heard, part])
    next()
  })
}

function framed(answer: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(answer.length)
  return Buffer.concat([length, answer])
}
