// One open watch: the past it still has to read, a bounded queue of what came since, and a reader who takes his time.
// It never waits for the reader: when the queue is full the watch ends with 410 and the reader lists again.

import type { WatchEvent, WatchItem } from '../api/contracts.ts'
import { expired, type Status } from '../api/status.ts'
import type { Matches } from './change.ts'

/** Items that may wait, whatever they hold. */
const bufferItemsMax = 1_000

export interface WatcherOptions {
  readonly prefix: string
  readonly matches?: Matches | undefined
  /** Changes at or before this revision are not for this watch. */
  readonly after: number
  readonly wantsBookmarks: boolean
  readonly bufferEventsMax: number
  /** What comes before anything that is offered; read when the reader asks for it. */
  readonly opening: Iterator<WatchItem>
  /** Called once, when nothing more will be taken from what is offered. */
  readonly onEnd: (watcher: Watcher) => void
}

export class Watcher implements AsyncIterableIterator<WatchItem> {
  readonly prefix: string
  readonly matches: Matches | undefined
  readonly after: number
  readonly wantsBookmarks: boolean
  bookmarkDueMs = Number.POSITIVE_INFINITY
  readonly #bufferEventsMax: number
  readonly #onEnd: (watcher: Watcher) => void
  #opening: Iterator<WatchItem> | undefined
  #queue: WatchItem[] = []
  #queuedEvents = 0
  #waiting: ((result: IteratorResult<WatchItem>) => void) | undefined
  #isEnded = false

  constructor({ prefix, matches, after, wantsBookmarks, bufferEventsMax, opening, onEnd }: WatcherOptions) {
    this.prefix = prefix
    this.matches = matches
    this.after = after
    this.wantsBookmarks = wantsBookmarks
    this.#bufferEventsMax = bufferEventsMax
    this.#opening = opening
    this.#onEnd = onEnd
  }

  offer(item: WatchItem): void {
    if (this.#isEnded) return
    if (this.#waiting !== undefined) {
      this.#wake({ done: false, value: item })
      return
    }
    // A bookmark says where the reader stands; only the newest is worth a place.
    if (item.type === 'bookmark' && this.#queue.at(-1)?.type === 'bookmark') this.#queue.pop()
    this.#queue.push(item)
    this.#queuedEvents += eventsOf(item)
    if (this.#queue.length > bufferItemsMax || this.#queuedEvents > this.#bufferEventsMax) {
      this.fail(expired('the watch was too slow to take its events: list again').status)
    }
  }

  /** What waits is dropped, and the error is the last thing the reader gets. */
  fail(status: Status): void {
    if (this.#isEnded) return
    this.#opening = undefined
    this.#queue = []
    this.#queuedEvents = 0
    if (this.#waiting === undefined) this.#queue.push({ type: 'error', status })
    else this.#wake({ done: false, value: { type: 'error', status } })
    this.finish()
  }

  /** The reader gets what waits, then the end. */
  finish(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onEnd(this)
    this.#wake({ done: true, value: undefined })
  }

  /** Nothing more is read: everything is freed. */
  stop(): void {
    this.#opening = undefined
    this.#queue = []
    this.finish()
  }

  async next(): Promise<IteratorResult<WatchItem>> {
    const first = this.#opening?.next()
    if (first !== undefined && first.done !== true) return first
    this.#opening = undefined
    const item = this.#queue.shift()
    if (item !== undefined) {
      this.#queuedEvents -= eventsOf(item)
      return { done: false, value: item }
    }
    if (this.#isEnded) return { done: true, value: undefined }
    return new Promise((resolve) => {
      // Only a reader that does not wait for its last answer meets this: the last one to ask is the one who gets it.
      this.#wake({ done: true, value: undefined })
      this.#waiting = resolve
    })
  }

  async return(): Promise<IteratorResult<WatchItem>> {
    this.stop()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop()
  }

  #wake(result: IteratorResult<WatchItem>): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.(result)
  }
}

const openingEventsMax = 500

/** Events as items of a bounded size, made when they are read. */
export function* inItems(events: Iterable<WatchEvent>): Generator<WatchItem> {
  let batch: WatchEvent[] = []
  for (const event of events) {
    batch.push(event)
    if (batch.length < openingEventsMax) continue
    yield { type: 'events', events: batch }
    batch = []
  }
  if (batch.length > 0) yield { type: 'events', events: batch }
}

function eventsOf(item: WatchItem): number {
  return item.type === 'events' ? item.events.length : 0
}
