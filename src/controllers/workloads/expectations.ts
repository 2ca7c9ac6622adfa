// What a controller wrote and its copies have yet to show: until they do, its next decision would be made twice.
// A look at the copy settles it; after some minutes it is given up, for a write may have been lost.

import type { AnyObject } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import type { Clock } from '../../platform/clock.ts'

const expiryMs = 300_000

interface Pending {
  /** The highest revision of what was made. */
  revision: number
  /** uid by key of what was removed. */
  readonly removed: Map<string, string>
  readonly sinceMs: number
}

export class Expectations<T extends AnyObject> {
  readonly #informer: Informer<T>
  readonly #clock: Clock
  readonly #pending = new Map<string, Pending>()

  constructor(informer: Informer<T>, clock: Clock) {
    this.#informer = informer
    this.#clock = clock
  }

  /** Whether the copy shows everything that was written for `owner`. */
  areMet(owner: string): boolean {
    const pending = this.#pending.get(owner)
    if (pending === undefined) return true
    const isExpired = this.#clock.monotonic() - pending.sinceMs > expiryMs
    const isShown = Number(this.#informer.revision ?? 0) >= pending.revision && this.#areGone(pending.removed)
    if (!isShown && !isExpired) return false
    this.#pending.delete(owner)
    return true
  }

  expectMade(owner: string, { metadata }: T): void {
    const pending = this.#of(owner)
    pending.revision = Math.max(pending.revision, Number(metadata.resourceVersion ?? 0))
  }

  expectRemoved(owner: string, key: string, uid: string): void {
    this.#of(owner).removed.set(key, uid)
  }

  forget(owner: string): void {
    this.#pending.delete(owner)
  }

  #of(owner: string): Pending {
    const known = this.#pending.get(owner)
    if (known !== undefined) return known
    const made = { revision: 0, removed: new Map<string, string>(), sinceMs: this.#clock.monotonic() }
    this.#pending.set(owner, made)
    return made
  }

  #areGone(removed: ReadonlyMap<string, string>): boolean {
    for (const [key, uid] of removed) {
      const header = this.#informer.version(key)?.header
      if (header?.uid === uid && !header.isDeleting) return false
    }
    return true
  }
}
