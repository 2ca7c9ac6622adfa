// A store that lives and dies with its process: for proofs, plans and tests. What is written is durable at once,
// as far as anything here is. Losing nothing over a crash is embedded/'s work.

import assert from 'node:assert/strict'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { type Random, systemRandom } from '../../platform/random.ts'
import { sortKeys } from '../keys.ts'
import { defaultRetention, Retention, type RetentionLimits } from '../retention.ts'
import {
  type Change,
  type CommitResult,
  type Entry,
  type Revision,
  type Store,
  StoreError,
  type StoreEvent,
  type Transaction,
} from '../store.ts'

export interface MemoryStoreOptions {
  readonly random?: Random
  readonly clock?: Clock
  /** What it holds from the start, each entry with the revision it had: a fork of another store's state. */
  readonly entries?: Iterable<Entry>
  /** Where to go on counting; at least the newest entry's revision. */
  readonly revision?: Revision
  /** How many past events are kept for `subscribe`. */
  readonly retention?: RetentionLimits
}

export async function openMemoryStore(options: MemoryStoreOptions = {}): Promise<Store> {
  return new MemoryStore(options)
}

type Listener = (events: readonly StoreEvent[]) => void
interface Subscriber {
  readonly from: Revision
  readonly listener: Listener
}

// An empty store is at 1, so that no list ever answers 0, which means something else to clients.
const firstRevision: Revision = 1

class MemoryStore implements Store {
  readonly epoch: string
  readonly #entries = new Map<string, Entry>()
  readonly #retention: Retention
  readonly #subscribers = new Set<Subscriber>()
  #history: (readonly StoreEvent[])[] = []
  #revision: Revision = firstRevision
  #compactedRevision: Revision
  #isClosed = false
  readonly #outbox: (readonly StoreEvent[])[] = []
  #isDispatching = false

  constructor({
    random = systemRandom,
    clock = systemClock,
    entries = [],
    revision = firstRevision,
    retention = defaultRetention,
  }: MemoryStoreOptions) {
    this.epoch = random.uuid()
    this.#retention = new Retention({ limits: retention, clock })
    this.#revision = revision
    for (const entry of entries) {
      this.#entries.set(entry.key, entry)
      this.#revision = Math.max(this.#revision, entry.revision)
    }
    this.#compactedRevision = this.#revision
  }

  get revision(): Revision {
    return this.#revision
  }

  get compactedRevision(): Revision {
    return this.#compactedRevision
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertOpen()
    return this.#entries.get(key)
  }

  async list(prefix: string): Promise<{ revision: Revision; entries: readonly Entry[] }> {
    this.#assertOpen()
    const keys: string[] = []
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) keys.push(key)
    const entries: Entry[] = []
    for (const key of sortKeys(keys)) {
      const entry = this.#entries.get(key)
      if (entry !== undefined) entries.push(entry)
    }
    return { revision: this.#revision, entries }
  }

  async scan(prefix: string, take: (entries: readonly Entry[]) => void): Promise<Revision> {
    const { revision, entries } = await this.list(prefix)
    take(entries)
    return revision
  }

  async commit({ conditions, changes }: Transaction): Promise<CommitResult> {
    this.#assertOpen()
    for (const { key, revision } of conditions) {
      const current = this.#entries.get(key)
      if ((current?.revision ?? 0) !== revision) return { ok: false, key, current }
    }
    assert(new Set(changes.map(({ key }) => key)).size === changes.length, 'a transaction changes a key once')
    const events = this.#apply(changes)
    // A listener may commit too: the answer is this commit's revision, not the newest.
    const revision = this.#revision
    if (events.length > 0) this.#publish(events)
    return { ok: true, revision }
  }

  async subscribe(from: Revision, listener: Listener): Promise<() => void> {
    this.#assertOpen()
    if (from < this.#compactedRevision) {
      throw new StoreError(
        'compacted',
        `events after revision ${from} are gone: ${this.#compactedRevision} is the oldest`,
      )
    }
    for (const events of this.#history) if (revisionOf(events) > from) listener(events)
    // What waits in the outbox was just replayed.
    const subscriber = { from: Math.max(from, this.#revision), listener }
    this.#subscribers.add(subscriber)
    return () => void this.#subscribers.delete(subscriber)
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen()
    assert(revision <= this.#revision, 'the future cannot be compacted')
    this.#forget(revision)
    this.#retention.forget(revision)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#subscribers.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #apply(changes: readonly Change[]): StoreEvent[] {
    const revision = this.#revision + 1
    const events: StoreEvent[] = []
    for (const { key, value } of changes) {
      const previous = this.#entries.get(key)
      if (value === undefined && previous === undefined) continue
      if (value === undefined) this.#entries.delete(key)
      else this.#entries.set(key, { key, value, revision })
      events.push({ key, revision, value, previous })
    }
    if (events.length > 0) this.#revision = revision
    return events
  }

  // A listener may commit: its events wait until all listeners have seen these.
  #publish(events: readonly StoreEvent[]): void {
    this.#history.push(events)
    this.#retention.add({ revision: revisionOf(events), events: events.length, bytes: bytesOf(events) })
    const expired = this.#retention.takeExpired()
    if (expired !== undefined) this.#forget(expired)
    this.#outbox.push(events)
    if (this.#isDispatching) return
    this.#isDispatching = true
    try {
      for (let next = this.#outbox.shift(); next !== undefined; next = this.#outbox.shift()) {
        const revision = revisionOf(next)
        for (const { from, listener } of this.#subscribers) if (revision > from) listener(next)
      }
    } finally {
      this.#isDispatching = false
    }
  }

  #forget(revision: Revision): void {
    if (revision <= this.#compactedRevision) return
    this.#compactedRevision = revision
    const kept = this.#history.findIndex((events) => revisionOf(events) > revision)
    this.#history = kept === -1 ? [] : this.#history.slice(kept)
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreError('closed', 'the store is closed')
  }
}

function revisionOf(events: readonly StoreEvent[]): Revision {
  return events[0]?.revision ?? 0
}

function bytesOf(events: readonly StoreEvent[]): number {
  let bytes = 0
  for (const { value, previous } of events)
    bytes += (value?.byteLength ?? 0) + (previous?.value.byteLength ?? 0)
  return bytes
}
