// The actor's network: which container listens where, who may be reached under which address, and what names mean.
// It answers the containers over control.ts, and programs on this machine through dial() and resolve().

import { connect, isIP, type Socket as NetSocket } from 'node:net'
import type { Pod } from '../../api/models.ts'
import type { Logger } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import type { Answer, Question } from '../preload/channel.ts'
import type { FictiveNetwork } from '../preload/config.ts'
import { createFictive, type Fictive } from '../preload/fictive.ts'
import type { ClusterView } from './cluster-view.ts'
import { type Caller, type Control, startControl } from './control.ts'
import { Published, type Socket } from './published.ts'
import { NameResolver } from './resolver.ts'
import { Router } from './routes.ts'

/** What the network knows of a container. The pod is asked for anew: its status changes. */
export interface Member {
  readonly podIP: string
  pod(): Pod
}

export interface NetworkOptions {
  readonly view: ClusterView
  readonly networks: readonly FictiveNetwork[]
  readonly api: Socket | undefined
  readonly nodeAddress: string
  readonly random: Random
  readonly log: Logger
}

export interface Destination {
  /** An address of the cluster, or any other, which is dialled as it is. */
  readonly address: string
  readonly port: number
}

export interface Network extends AsyncDisposable {
  readonly control: Pick<Control<Member>, 'port' | 'admit' | 'dismiss'>
  readonly networks: readonly FictiveNetwork[]
  readonly published: Published
  /** Where a destination is on this machine; throws an error with a code (`ECONNREFUSED`) when nothing is there. */
  route(destination: Destination): Socket
  dial(destination: Destination, options?: { readonly signal?: AbortSignal | undefined }): Promise<NetSocket>
}

export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const published = new Published()
  const fictive = createFictive(options.networks)
  const router = new Router({ ...options, published, fictive })
  const answers = new Answers({ ...options, published, fictive, router })
  const control = await startControl<Member>({
    answer: (caller, question) => answers.answer(caller, question),
    onClose: ({ connection }) => published.removeAll(connection),
    random: options.random,
    log: options.log,
  })
  const route = (destination: Destination): Socket => {
    const found = router.find({ protocol: 'TCP', ...destination })
    if ('socket' in found) return { host: found.socket.host, port: found.socket.port }
    const { address, port } = destination
    throw Object.assign(new Error(`connect ${found.error} ${address}:${port}`), {
      code: found.error,
      address,
      port,
    })
  }
  return {
    control,
    networks: options.networks,
    published,
    route,
    dial: async (destination, { signal } = {}) => {
      signal?.throwIfAborted()
      const { host, port } = route(destination)
      return await opened(connect({ host, port }), signal)
    },
    [Symbol.asyncDispose]: () => control[Symbol.asyncDispose](),
  }
}

function opened(socket: NetSocket, signal: AbortSignal | undefined): Promise<NetSocket> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void socket.destroy(signal?.reason as Error)
    const settle = (): void => {
      signal?.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
    }
    const onError = (error: Error): void => {
      settle()
      reject(error)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      settle()
      resolve(socket)
    })
  })
}

interface AnswersOptions extends NetworkOptions {
  readonly published: Published
  readonly fictive: Fictive
  readonly router: Router
}

class Answers {
  readonly #options: AnswersOptions
  readonly #names: NameResolver

  constructor(options: AnswersOptions) {
    this.#options = options
    this.#names = new NameResolver(options)
  }

  async answer(caller: Caller<Member>, question: Question): Promise<Answer> {
    const { member, connection } = caller
    const { published } = this.#options
    switch (question.op) {
      case 'publish': {
        const { protocol, port: asked, host, realPort: port, isLocal } = question
        const listener = { protocol, address: member.podIP, asked, host, port, isLocal, owner: connection }
        return published.add(listener) ? { ok: true } : { error: 'EADDRINUSE' }
      }
      case 'unpublish':
        published.remove({
          protocol: question.protocol,
          address: member.podIP,
          port: question.port,
          owner: connection,
        })
        return { ok: true }
      case 'map':
        return this.#map(member, question)
      case 'lookup':
        return await this.#names.lookup(member.pod(), question)
      case 'resolve':
        return await this.#names.resolve(member.pod(), question)
    }
  }

  #map(member: Member, { protocol, address, port }: Extract<Question, { op: 'map' }>): Answer {
    const { fictive, published, router } = this.#options
    if (fictive.isLoopback(address) || address === member.podIP) {
      const own = published.find(protocol, member.podIP, port)
      if (own !== undefined) return { target: { host: own.host, port: own.port } }
      // Something of the program's own that no preload saw may listen on the machine's loopback.
      return address === member.podIP ? { error: 'ECONNREFUSED' } : { pass: true }
    }
    if (isIP(address) === 0) return { pass: true }
    const found = router.find({ protocol, address, port })
    return 'socket' in found
      ? { target: { host: found.socket.host, port: found.socket.port } }
      : { error: found.error }
  }
}
