// Keys that wait for work: each at most once, never two at a time, with delays and growing pauses after failures.
// Upstream: client-go/util/workqueue. Who works on them is controller.ts's.

import { backoffDelayMs } from '../platform/backoff.ts'
import type { Cancel, Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly random: Random
  /** The first pause after a failure, and the longest. */
  readonly retryBaseMs?: number | undefined
  readonly retryMaxMs?: number | undefined
  /** More keys than these are dropped, and `hasOverflowed` says so: then look at everything again. */
  readonly keysMax?: number | undefined
}

/** After so many failures in a row a key is not taken at once when it is named again, but after this pause. */
const eagerFailuresMax = 5
const failingPauseMs = 250

export class WorkQueue {
  readonly #clock: Clock
  readonly #random: Random
  readonly #retryBaseMs: number
  readonly #retryMaxMs: number
  readonly #keysMax: number
  /** Waiting for a worker, in order. */
  readonly #ready = new Set<string>()
  readonly #working = new Set<string>()
  /** Came in again while being worked on. */
  readonly #again = new Set<string>()
  readonly #delayed = new Map<string, { readonly dueMs: number; readonly cancel: Cancel }>()
  readonly #failures = new Map<string, number>()
  readonly #waiters: ((key: string | undefined) => void)[] = []
  #isClosed = false
  hasOverflowed = false

  constructor({
    clock,
    random,
    retryBaseMs = 5,
    retryMaxMs = 60_000,
    keysMax = 1_000_000,
  }: WorkQueueOptions) {
    this.#clock = clock
    this.#random = random
    this.#retryBaseMs = retryBaseMs
    this.#retryMaxMs = retryMaxMs
    this.#keysMax = keysMax
  }

  /** Keys that wait or are worked on; delayed ones are not counted. */
  get length(): number {
    return this.#ready.size + this.#working.size
  }

  get delayed(): number {
    return this.#delayed.size
  }

  /**
   * A key that keeps failing waits a moment even when it is named anew: what woke it may be the mark that its own failure
   * left on an object, and then nothing else would get a turn.
   */
  add(key: string): void {
    if (this.failuresOf(key) >= eagerFailuresMax) this.addAfter(key, failingPauseMs)
    else this.#enqueue(key)
  }

  #enqueue(key: string): void {
    if (this.#isClosed || this.#ready.has(key)) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter !== undefined) {
      this.#working.add(key)
      waiter(key)
      return
    }
    if (this.#isFull()) return
    this.#ready.add(key)
  }

  /** The earlier of two delays counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#isClosed) return
    if (delayMs <= 0) {
      this.#enqueue(key)
      return
    }
    const dueMs = this.#clock.monotonic() + delayMs
    const known = this.#delayed.get(key)
    if (known !== undefined && known.dueMs <= dueMs) return
    if (known === undefined && this.#isFull()) return
    known?.cancel()
    const cancel = this.#clock.setTimer(delayMs, () => {
      this.#delayed.delete(key)
      this.#enqueue(key)
    })
    this.#delayed.set(key, { dueMs, cancel })
  }

  /** After a failure: waits longer each time until `forget`. Never sooner than `atLeastMs`. */
  addAfterFailure(key: string, atLeastMs = 0): void {
    const attempt = this.#failures.get(key) ?? 0
    this.#failures.set(key, attempt + 1)
    const step = { attempt, baseMs: this.#retryBaseMs, maxMs: this.#retryMaxMs, random: this.#random }
    this.addAfter(key, Math.max(backoffDelayMs(step), atLeastMs))
  }

  failuresOf(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** The key went well: its next failure is the first again. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key, or undefined when the queue is closed. Each key taken must be given back with `done`. */
  take(): Promise<string | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined)
    const [key] = this.#ready
    if (key === undefined) return new Promise((resolve) => this.#waiters.push(resolve))
    this.#ready.delete(key)
    this.#working.add(key)
    return Promise.resolve(key)
  }

  done(key: string): void {
    this.#working.delete(key)
    if (this.#again.delete(key)) this.add(key)
  }

  /** What waits is forgotten; what is being worked on is the workers' to finish. */
  close(): void {
    this.#isClosed = true
    for (const { cancel } of this.#delayed.values()) cancel()
    this.#delayed.clear()
    this.#ready.clear()
    this.#again.clear()
    for (const waiter of this.#waiters.splice(0)) waiter(undefined)
  }

  #isFull(): boolean {
    if (this.#ready.size + this.#delayed.size < this.#keysMax) return false
    this.hasOverflowed = true
    return true
  }
}
