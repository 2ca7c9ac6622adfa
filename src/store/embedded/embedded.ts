// The store on disk: decides on this thread, at once and in memory; writes on another, many commits with one sync.
// Nothing is acknowledged, read or told before it is durable. The file and its rows are database.ts's, in the worker.

import assert from 'node:assert/strict'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { type Logger, silentLogger } from '../../platform/log.ts'
import { type Random, systemRandom } from '../../platform/random.ts'
import { sortKeys } from '../keys.ts'
import { defaultRetention, type RetentionLimits } from '../retention.ts'
import {
  type CommitResult,
  type Entry,
  type Revision,
  type Store,
  StoreError,
  type StoreEvent,
  type Transaction,
} from '../store.ts'
import { Link } from './link.ts'
import type { Opened } from './messages.ts'
import { bytesOf, type PendingCommit, type PendingRow, PendingWrites } from './pending.ts'
import { revisionOf, rowId } from './row-id.ts'
import { pack, unpack } from './slab.ts'
import { type Listener, Subscribers } from './subscribers.ts'
import { Upkeep } from './upkeep.ts'
import { workerUrl } from './worker-url.ts'

export interface EmbeddedStoreOptions {
  /** Made when it is missing. Holds `state.db` and what SQLite keeps beside it. */
  readonly directory: string
  readonly clock?: Clock
  readonly log?: Logger
  readonly random?: Random
  /** Called once when the disk has failed: the store is closed then, and the process should end. */
  readonly onFailure?: (error: StoreError) => void
  /** Beyond this size of the file writes are refused with `full`. */
  readonly bytesMax?: number
  readonly retention?: RetentionLimits
}

/** Rejects with a StoreError (`locked`, `corrupt`, `unsupported`, `full`, `failed`) that says what to do. */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<Store> {
  const { directory, bytesMax, random = systemRandom } = options
  let onLost: (error: StoreError) => void = () => undefined
  const link = new Link({ url: workerUrl(), onLost: (error) => onLost(error) })
  try {
    const opened = await link.request({ type: 'open', directory, epoch: random.uuid(), bytesMax })
    const store = new EmbeddedStore(options, link, opened)
    onLost = (error) => store.fail(error)
    return store
  } catch (error) {
    await link.end()
    throw error
  }
}

/** What may wait for the disk. */
const pendingBytesMax = 64 * 1024 * 1024

class EmbeddedStore implements Store {
  readonly epoch: string
  readonly #link: Link
  readonly #log: Logger
  readonly #onFailure: (error: StoreError) => void
  /** The row of each key's newest durable value. */
  readonly #index = new Map<string, number>()
  readonly #pending = new PendingWrites()
  readonly #subscribers: Subscribers
  readonly #upkeep: Upkeep
  #revision: Revision
  #assignedRevision: Revision
  #isWriting = false
  #isFull = false
  /** Set when nothing more is accepted. */
  #ended: StoreError | undefined
  #closing: Promise<void> | undefined

  constructor(options: EmbeddedStoreOptions, link: Link, opened: Opened) {
    const { clock = systemClock, log = silentLogger, retention = defaultRetention } = options
    this.epoch = opened.epoch
    this.#link = link
    this.#log = log
    this.#onFailure = options.onFailure ?? (() => undefined)
    this.#revision = opened.revision
    this.#assignedRevision = opened.revision
    for (const [at, key] of opened.keys.entries()) this.#index.set(key, opened.ids[at] ?? 0)
    this.#subscribers = new Subscribers(log)
    this.#upkeep = new Upkeep({
      link,
      clock,
      log,
      retention,
      compactedRevision: opened.compactedRevision,
      logBytes: opened.logBytes,
      onFailure: (error) => this.fail(error),
    })
    if (opened.events > 0)
      this.#upkeep.committed({ revision: opened.revision, events: opened.events, bytes: 0 })
  }

  get revision(): Revision {
    return this.#revision
  }

  get compactedRevision(): Revision {
    return this.#upkeep.compactedRevision
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertOpen()
    const id = this.#index.get(key)
    if (id === undefined) return undefined
    const [entry] = await this.#upkeep.during(() => this.#readChunk([key], [id]))
    return entry
  }

  async list(prefix: string): Promise<{ revision: Revision; entries: readonly Entry[] }> {
    const pieces: (readonly Entry[])[] = []
    const revision = await this.scan(prefix, (entries) => void pieces.push(entries))
    return { revision, entries: pieces.flat() }
  }

  async scan(prefix: string, take: (entries: readonly Entry[]) => void): Promise<Revision> {
    this.#assertOpen()
    const revision = this.#revision
    const keys: string[] = []
    for (const key of this.#index.keys()) if (key.startsWith(prefix)) keys.push(key)
    sortKeys(keys)
    const ids = keys.map((key) => this.#index.get(key) ?? 0)
    await this.#upkeep.during(() => this.#readAll(keys, ids, take))
    return revision
  }

  async commit({ conditions, changes }: Transaction): Promise<CommitResult> {
    this.#assertOpen()
    const broken = conditions.find(({ key, revision }) => revisionOf(this.#newestId(key)) !== revision)
    if (broken !== undefined) return this.#refuse(broken.key)
    assert(new Set(changes.map(({ key }) => key)).size === changes.length, 'a transaction changes a key once')
    const effective = changes.filter(({ key, value }) => value !== undefined || this.#newestId(key) !== 0)
    if (effective.length === 0) {
      await this.#allDurable()
      return { ok: true, revision: this.#revision }
    }
    if (this.#pending.bytes > pendingBytesMax)
      throw new StoreError('busy', 'too many writes wait for the disk')
    const revision = this.#assignedRevision + 1
    const rows = effective.map(({ key, value }, place) => {
      return { id: rowId(revision, place), key, previous: this.#newestId(key), value }
    })
    this.#assignedRevision = revision
    return this.#enqueue({ revision, rows, bytes: bytesOf(effective) })
  }

  async subscribe(from: Revision, listener: Listener): Promise<() => void> {
    this.#assertOpen()
    const oldest = this.#upkeep.compactedRevision
    if (from < oldest) {
      throw new StoreError('compacted', `events after revision ${from} are gone: ${oldest} is the oldest`)
    }
    const revision = this.#revision
    return this.#upkeep.during(() => this.#subscribers.add({ from, revision, link: this.#link, listener }))
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen()
    assert(revision <= this.#revision, 'the future cannot be compacted')
    if (revision > this.#upkeep.compactedRevision) await this.#upkeep.compact(revision)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The disk or the worker is not to be trusted any more: what waits is refused, and everything after it. */
  fail(error: StoreError): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    this.#log.error('the store has failed', { error })
    for (const { reject } of this.#pending.clear()) reject(error)
    this.#upkeep.stop(error)
    this.#subscribers.clear()
    this.#onFailure(error)
  }

  #newestId(key: string): number {
    return this.#pending.newestId(key) ?? this.#index.get(key) ?? 0
  }

  // What broke the condition may still be on its way to the disk, and nobody may see it before it is there.
  async #refuse(key: string): Promise<CommitResult> {
    if (this.#pending.newestId(key) !== undefined) await this.#allDurable()
    return { ok: false, key, current: await this.get(key) }
  }

  /** Resolves when all that has been accepted is durable; rejects when it never will be. */
  async #allDurable(): Promise<void> {
    if (!this.#isWriting && !this.#pending.hasQueued) return
    await this.#enqueue({ revision: this.#assignedRevision, rows: [], bytes: 0 })
  }

  #enqueue(commit: Pick<PendingCommit, 'revision' | 'rows' | 'bytes'>): Promise<CommitResult> {
    return new Promise((resolve, reject) => {
      this.#pending.add({ ...commit, resolve, reject })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  // One batch is under way at a time: those who come meanwhile share the next sync.
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    for (let batch = this.#pending.takeBatch(); batch.length > 0; batch = this.#pending.takeBatch()) {
      try {
        await this.#write(batch)
      } catch (error) {
        this.#refuseBatch(batch, error as StoreError)
      }
      this.#upkeep.run()
    }
    this.#isWriting = false
  }

  async #write(batch: readonly PendingCommit[]): Promise<void> {
    const rows = batch.flatMap((commit) => commit.rows)
    if (rows.length === 0) {
      this.#publish(batch, [])
      return
    }
    const values = pack(rows.map(({ value }) => value))
    const request = {
      type: 'commit',
      ids: Float64Array.from(rows, ({ id }) => id),
      previous: Float64Array.from(rows, ({ previous }) => previous),
      keys: rows.map(({ key }) => key),
      values,
    } as const
    const { previous } = await this.#link.request(request, [values.bytes])
    this.#isFull = false
    this.#publish(batch, unpack(previous))
  }

  #publish(batch: readonly PendingCommit[], previousValues: readonly (Uint8Array | undefined)[]): void {
    let at = 0
    for (const commit of batch) {
      const events: StoreEvent[] = []
      for (const row of commit.rows) {
        if (row.value === undefined) this.#index.delete(row.key)
        else this.#index.set(row.key, row.id)
        events.push(eventOf(row, previousValues[at]))
        at += 1
      }
      this.#pending.settle(commit)
      this.#revision = Math.max(this.#revision, commit.revision)
      if (events.length > 0) {
        this.#upkeep.committed({ revision: commit.revision, events: events.length, bytes: commit.bytes })
        this.#subscribers.publish(events)
      }
      // Whoever waits for it goes on after this loop, when all have been told.
      commit.resolve({ ok: true, revision: commit.revision })
    }
  }

  // What was queued behind was decided on top of this batch, so it goes too. A full disk may have room again later.
  #refuseBatch(batch: readonly PendingCommit[], error: StoreError): void {
    const queued = this.#pending.clear()
    this.#assignedRevision = this.#revision
    for (const { reject } of [...batch, ...queued]) reject(error)
    if (error.fault !== 'full') {
      this.fail(error)
      return
    }
    if (!this.#isFull) this.#log.error('the store is full: writes are refused', { error })
    this.#isFull = true
    // Space is worth more now than old events.
    void this.#upkeep.compact(this.#revision).catch(() => undefined)
  }

  // The worker reads the next chunk while this one is taken.
  async #readAll(
    keys: readonly string[],
    ids: readonly number[],
    take: (entries: readonly Entry[]) => void,
  ): Promise<void> {
    const chunk = (at: number) =>
      this.#readChunk(keys.slice(at, at + chunkRows), ids.slice(at, at + chunkRows))
    let next = chunk(0)
    for (let at = 0; at < ids.length; at += chunkRows) {
      const entries = await next
      next = chunk(at + chunkRows)
      take(entries)
    }
    await next
  }

  async #readChunk(keys: readonly string[], ids: readonly number[]): Promise<Entry[]> {
    const entries: Entry[] = []
    while (entries.length < ids.length) {
      const { values } = await this.#link.request({
        type: 'read',
        ids: Float64Array.from(ids.slice(entries.length)),
      })
      for (const value of unpack(values)) {
        const key = keys[entries.length]
        const id = ids[entries.length]
        assert(
          value !== undefined && key !== undefined && id !== undefined,
          'a row that is asked for has a value',
        )
        entries.push({ key, value, revision: revisionOf(id) })
      }
    }
    return entries
  }

  async #close(): Promise<void> {
    const failure = this.#ended
    this.#ended ??= new StoreError('closed', 'the store is closed')
    // Those who wrote learn of a fault themselves.
    if (failure === undefined) await this.#allDurable().catch(() => undefined)
    this.#upkeep.stop(this.#ended)
    this.#subscribers.clear()
    if (failure === undefined) await this.#link.request({ type: 'close' }).catch(() => undefined)
    await this.#link.end()
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw this.#ended
  }
}

const chunkRows = 1_000

function eventOf(
  { id, key, previous, value }: PendingRow,
  previousValue: Uint8Array | undefined,
): StoreEvent {
  return {
    key,
    revision: revisionOf(id),
    value,
    previous:
      previousValue === undefined ? undefined : { key, value: previousValue, revision: revisionOf(previous) },
  }
}
