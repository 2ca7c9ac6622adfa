// How long past events are kept: enough for a watcher that was away, never without a bound.
// It only counts; the engine that owns the events drops them.

import type { Clock } from '../platform/clock.ts'
import type { Revision } from './store.ts'

/** Events are dropped when they are past both minima, or when either maximum is passed. */
export interface RetentionLimits {
  readonly eventsMin: number
  readonly ageMinMs: number
  readonly eventsMax: number
  readonly bytesMax: number
}

export const defaultRetention: RetentionLimits = {
  eventsMin: 10_000,
  ageMinMs: 5 * 60_000,
  eventsMax: 100_000,
  bytesMax: 128 * 1024 * 1024,
}

interface Mark {
  revision: Revision
  events: number
  bytes: number
  readonly atMs: number
}

// Commits close in time share a mark, so that the marks of ten thousand events are few.
const markSpanMs = 1_000
const markEventsMax = 256

export class Retention {
  readonly #limits: RetentionLimits
  readonly #clock: Clock
  #marks: Mark[] = []
  #first = 0
  #events = 0
  #bytes = 0

  constructor({ limits, clock }: { limits: RetentionLimits; clock: Clock }) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Counts one commit. */
  add({ revision, events, bytes }: { revision: Revision; events: number; bytes: number }): void {
    this.#events += events
    this.#bytes += bytes
    const atMs = this.#clock.monotonic()
    const last = this.#marks.at(-1)
    if (last === undefined || this.#marks.length === this.#first) {
      this.#marks.push({ revision, events, bytes, atMs })
      return
    }
    if (atMs - last.atMs > markSpanMs || last.events >= Math.min(markEventsMax, this.#limits.eventsMin)) {
      this.#marks.push({ revision, events, bytes, atMs })
      return
    }
    last.revision = revision
    last.events += events
    last.bytes += bytes
  }

  /** The newest revision that may be forgotten now; undefined when nothing may. It is taken as forgotten. */
  takeExpired(): Revision | undefined {
    let upTo: Revision | undefined
    for (;;) {
      const mark = this.#marks[this.#first]
      if (mark === undefined || !this.#isExpired(mark)) break
      upTo = mark.revision
      this.#drop(mark)
    }
    return upTo
  }

  /** Somebody compacted by hand: what is at or before `revision` counts no more. */
  forget(revision: Revision): void {
    for (;;) {
      const mark = this.#marks[this.#first]
      if (mark === undefined || mark.revision > revision) return
      this.#drop(mark)
    }
  }

  #isExpired(mark: Mark): boolean {
    const { eventsMin, ageMinMs, eventsMax, bytesMax } = this.#limits
    if (this.#events > eventsMax || this.#bytes > bytesMax) return true
    const isOld = this.#clock.monotonic() - mark.atMs > ageMinMs
    return isOld && this.#events - mark.events >= eventsMin
  }

  #drop(mark: Mark): void {
    this.#events -= mark.events
    this.#bytes -= mark.bytes
    this.#first += 1
    if (this.#first < 64 || this.#first * 2 < this.#marks.length) return
    this.#marks = this.#marks.slice(this.#first)
    this.#first = 0
  }
}
