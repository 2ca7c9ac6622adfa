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
  readonly #listeners = new Map<string, Listener>()
  readonly #byOwner = new Map<object, Set<string>>()
  readonly #handlers = new Set<(address: string) => void>()

  /** False when the port is taken. */
  add(listener: Listener): boolean {
    const key = keyOf(listener.protocol, listener.address, listener.asked)
    const keys = this.#byOwner.get(listener.owner) ?? new Set()
    if (this.#listeners.has(key) || keys.size >= perOwnerMax) return false
    this.#listeners.set(key, listener)
    keys.add(key)
    this.#byOwner.set(listener.owner, keys)
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
    if (this.#listeners.get(key)?.owner !== owner) return
    this.#listeners.delete(key)
    this.#byOwner.get(owner)?.delete(key)
  }

  removeAll(owner: object): void {
    for (const key of this.#byOwner.get(owner) ?? []) this.#listeners.delete(key)
    this.#byOwner.delete(owner)
  }

  find(protocol: Protocol, address: string, port: number): Listener | undefined {
    return this.#listeners.get(keyOf(protocol, address, port))
  }

  /** Told the address whenever something new listens there. */
  on(handler: (address: string) => void): () => void {
    this.#handlers.add(handler)
    return () => void this.#handlers.delete(handler)
  }
}

const keyOf = (protocol: Protocol, address: string, port: number): string => `${protocol} ${address}:${port}`
