// Publishes Services on ports of this machine's loopback, for people and programs that are no pods.
// A Service asks with `k3v.dev/publish: "true"` and gets `k3v.dev/loopback-<port>: 127.0.0.1:<port>` back.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Service } from '../../api/models.ts'
import type { Client } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { splitKey } from '../../client/objects.ts'
import { services as serviceResource } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { type Controller, createController } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Network } from './network.ts'

export const publishAnnotation = 'k3v.dev/publish'
export const loopbackAnnotation = (port: number): string => `k3v.dev/loopback-${port}`

const connectionsMax = 1_000

export interface LoopbackOptions {
  readonly client: Client
  readonly services: Informer<Service>
  readonly network: Pick<Network, 'dial'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

interface Door {
  readonly server: Server
  readonly sockets: Set<Socket>
  readonly uid: string
}

export function startLoopback(options: LoopbackOptions): AsyncDisposable {
  const { services, clock, random, log } = options
  const doors = new Doors(options)
  const controller: Controller = createController({
    name: 'loopback',
    sources: [fromInformer(services)],
    reconcile: async (key, { signal }) => {
      await doors.reconcile(key, signal)
      return undefined
    },
    workers: 1,
    clock,
    random,
    log,
  })
  return {
    [Symbol.asyncDispose]: async () => {
      await controller[Symbol.asyncDispose]()
      await doors.closeAll()
    },
  }
}

class Doors {
  readonly #options: LoopbackOptions
  /** By `namespace/name:port`. */
  readonly #doors = new Map<string, Door>()

  constructor(options: LoopbackOptions) {
    this.#options = options
  }

  async reconcile(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key)
    const service = this.#options.services.get(namespace, name)
    const wanted = service === undefined ? [] : portsOf(service)
    for (const [door, { uid }] of this.#doors) {
      const isOf = door.startsWith(`${key}:`)
      const isWanted = wanted.some((port) => door === `${key}:${port}`) && uid === service?.metadata.uid
      if (isOf && !isWanted) await this.#close(door)
    }
    if (service !== undefined) await this.#open(key, service, { wanted, signal })
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#doors.keys()].map((door) => this.#close(door)))
  }

  async #open(
    key: string,
    service: Service,
    { wanted, signal }: { wanted: readonly number[]; signal: AbortSignal },
  ): Promise<void> {
    const annotations: Record<string, string | null> = {}
    for (const port of wanted) {
      const name = `${key}:${port}`
      const before = service.metadata.annotations?.[loopbackAnnotation(port)]
      const door = this.#doors.get(name) ?? (await this.#listen(service, { port, before }))
      this.#doors.set(name, door)
      const address = `127.0.0.1:${(door.server.address() as AddressInfo).port}`
      if (before !== address) annotations[loopbackAnnotation(port)] = address
    }
    for (const annotation of Object.keys(service.metadata.annotations ?? {})) {
      const isStale =
        annotation.startsWith(loopbackAnnotation(0).slice(0, -1)) &&
        !wanted.some((port) => annotation === loopbackAnnotation(port))
      if (isStale) annotations[annotation] = null
    }
    if (Object.keys(annotations).length === 0) return
    const { namespace, name = '' } = service.metadata
    await this.#options.client.patch(
      serviceResource,
      { namespace, name },
      { type: 'merge', body: { metadata: { annotations } }, signal },
    )
  }

  /** The port of the last time when it is free: a kubeconfig that names it stays good. */
  async #listen(
    service: Service,
    { port, before }: { port: number; before: string | undefined },
  ): Promise<Door> {
    const sockets = new Set<Socket>()
    const address = service.spec?.clusterIP ?? ''
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      socket.on('error', () => socket.destroy())
      void this.#join(socket, { address, port })
    })
    server.maxConnections = connectionsMax
    const wanted = Number(before?.split(':')[1] ?? 0)
    await listenOn(server, wanted).catch(() => listenOn(server, 0))
    return { server, sockets, uid: service.metadata.uid ?? '' }
  }

  async #join(socket: Socket, destination: { address: string; port: number }): Promise<void> {
    try {
      const other = await this.#options.network.dial(destination)
      other.on('error', () => socket.destroy())
      other.on('close', () => socket.destroy())
      socket.on('close', () => other.destroy())
      socket.pipe(other)
      other.pipe(socket)
    } catch (error) {
      this.#options.log.debug('nothing stands behind a published service', { ...destination, error })
      socket.destroy()
    }
  }

  async #close(name: string): Promise<void> {
    const door = this.#doors.get(name)
    this.#doors.delete(name)
    if (door === undefined) return
    for (const socket of door.sockets) socket.destroy()
    await new Promise<void>((resolve) => door.server.close(() => resolve()))
  }
}

function portsOf({ metadata, spec }: Service): readonly number[] {
  if (metadata.annotations?.[publishAnnotation] !== 'true' || metadata.deletionTimestamp !== undefined)
    return []
  if (spec?.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === 'None') return []
  return (spec.ports ?? []).filter(({ protocol = 'TCP' }) => protocol === 'TCP').map(({ port }) => port)
}

function listenOn(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port }, () => {
      server.removeListener('error', reject)
      resolve()
    })
  })
}
