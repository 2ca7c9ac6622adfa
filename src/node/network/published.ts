// What containers listen on: (pod IP, port) to a socket of loopback.
// Who asks for it is routes.ts's.

import type { Protocol } from '../preload/channel.ts'

export interface Socket {
  readonly host: string
  readonly port: number
}

export interface Listener extends Socket {
  readonly protocol: Protocol
  readonly address: string
  /** The port that the program asked for. */
  readonly asked: number
  /** Bound to loopback: for the pod alone. */
  readonly isLocal: boolean
  /** Whose it is: one connection of a container. */
  readonly owner: object
}

// A container that opens more ports than this is broken.
const perOwnerMax = 1_024

export class Published {
  /** Several of one key share one real socket: the workers of node:cluster. */
  readonly #listeners = new Map<string, readonly Listener[]>()
  readonly #byOwner = new Map<object, Set<string>>()
  readonly #handlers = new Set<(address: string) => void>()

  /** False when the port is taken. */
  add(listener: Listener): boolean {
    const key = keyOf(listener.protocol, listener.address, listener.asked)
    const there = this.#listeners.get(key) ?? []
    const keys = this.#byOwner.get(listener.owner) ?? new Set()
    if (there.some(({ port }) => port !== listener.port) || keys.size >= perOwnerMax) return false
    this.#listeners.set(key, [...there, listener])
    this.#byOwner.set(listener.owner, keys.add(key))
    for (const handler of this.#handlers) handler(listener.address)
    return true
  }

  remove({
    protocol,
    address,
    port,
    owner,
  }: {
    protocol: Protocol
    address: string
    port: number
    owner: object
  }): void {
    const key = keyOf(protocol, address, port)
    this.#drop(key, owner)
    this.#byOwner.get(owner)?.delete(key)
  }

  removeAll(owner: object): void {
    for (const key of this.#byOwner.get(owner) ?? []) this.#drop(key, owner)
    this.#byOwner.delete(owner)
  }

  find(protocol: Protocol, address: string, port: number): Listener | undefined {
    return this.#listeners.get(keyOf(protocol, address, port))?.[0]
  }

  /** Told the address whenever something new listens there. */
  on(handler: (address: string) => void): () => void {
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }

  #drop(key: string, owner: object): void {
    const rest = (this.#listeners.get(key) ?? []).filter((listener) => listener.owner !== owner)
    if (rest.length === 0) this.#listeners.delete(key)
    else this.#listeners.set(key, rest)
  }
}

const keyOf = (protocol: Protocol, address: string, port: number): string => `${protocol} ${address}:${port}`
