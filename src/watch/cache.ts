// Everything the store holds, in memory, up to its newest durable revision: serves all reads and all watches.
// Durability is the store's; who may see what, and the bytes on the wire, are the server's.

import type { WatchEvent, WatchItem } from '../api/contracts.ts'
import { StoredObject } from '../api/stored.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import { Retention } from '../store/retention.ts'
import type { Entry, Store, StoreEvent } from '../store/store.ts'
import { Change } from './change.ts'
import { FanOut, type WatchOptions } from './fan-out.ts'
import { defaultHistory, type HistoryLimits, Resource } from './resource.ts'
import { RevisionWaiters } from './waiters.ts'

export interface WatchCacheOptions {
  readonly store: Store
  readonly clock?: Clock
  readonly log?: Logger
  readonly history?: HistoryLimits
  /** How often a watch that wants them gets a bookmark. */
  readonly bookmarkIntervalMs?: number
}

/** For listeners in the process: what changed, with the state before it. */
export interface ChangeEvent extends WatchEvent {
  readonly key: string
  readonly before: StoredObject | undefined
}

/** Keys are `<group or core>/<plural>/[<namespace>/]<name>`; keys with fewer than two slashes are not looked at. */
export interface WatchCache extends AsyncDisposable {
  /** The newest revision that reads show; never older than a commit that was acknowledged. */
  readonly revision: number
  /** How many watches are open now. */
  readonly openWatches: number
  get(key: string): StoredObject | undefined
  /** A new array in bytewise key order. */
  list(prefix: string): readonly StoredObject[]
  count(prefix: string): number
  /** What `list` answered at that revision; undefined when it is no longer known, or not yet. */
  listAt(prefix: string, revision: number): readonly StoredObject[] | undefined
  /** True as soon as `revision` is shown; false when the time is up or the signal fires first. */
  waitFor(
    revision: number,
    options: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<boolean>
  /**
   * Registered when this returns, so that nothing between is missed; ended by the signal, by the iterator's `return`,
   * by an error item, or by closing the cache.
   */
  watch(options: WatchOptions): AsyncIterable<WatchItem>
  /** Calls `listener` with each commit's changes below `prefix`, after reads show them. Returns what ends it. */
  subscribe(prefix: string, listener: (events: readonly ChangeEvent[]) => void): () => void
  /** Ends all watches. The store stays open. */
  close(): Promise<void>
}

/** Loads all of the store and follows it. */
export async function openWatchCache({
  store,
  clock = systemClock,
  log = silentLogger,
  history = defaultHistory,
  bookmarkIntervalMs = 60_000,
}: WatchCacheOptions): Promise<WatchCache> {
  const cache = new Cache({ clock, log, history, bookmarkIntervalMs })
  const revision = await store.scan('', (entries) => cache.load(entries))
  // What the store still remembers of the past lets watches resume over a restart.
  const from = Math.max(store.compactedRevision, revision - replayedRevisionsMax)
  cache.begin({ revision, horizon: from })
  cache.follow(await store.subscribe(from, (events) => cache.take(events)))
  return cache
}

const replayedRevisionsMax = 1_000

class Cache implements WatchCache {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #history: HistoryLimits
  readonly #resources = new Map<string, Resource>()
  readonly #fanOut: FanOut
  readonly #waiters: RevisionWaiters
  readonly #ages: Retention
  readonly #listeners = new Set<{ prefix: string; call: (events: readonly ChangeEvent[]) => void }>()
  #replayed: Map<string, StoredObject> | undefined = new Map()
  #revision = 0
  #loadedRevision = 0
  #horizon = 0
  #forgottenRevision = 0
  #unfollow: () => void = () => undefined

  constructor({ clock, log, history, bookmarkIntervalMs }: Required<Omit<WatchCacheOptions, 'store'>>) {
    this.#clock = clock
    this.#log = log
    this.#history = history
    this.#fanOut = new FanOut({ clock, log, bookmarkIntervalMs, revision: () => this.#revision })
    this.#waiters = new RevisionWaiters(clock)
    this.#ages = new Retention({ clock, limits: { ...byAgeOnly, ageMinMs: history.ageMaxMs } })
  }

  get revision(): number {
    return this.#revision
  }

  get openWatches(): number {
    return this.#fanOut.size
  }

  get(key: string): StoredObject | undefined {
    const prefix = resourceOf(key)
    return prefix === undefined ? undefined : this.#resources.get(prefix)?.objects.get(key)
  }

  list(prefix: string): readonly StoredObject[] {
    return this.#below(prefix).flatMap(({ objects }) => objects.slice(prefix))
  }

  count(prefix: string): number {
    return this.#below(prefix).reduce((sum, { objects }) => sum + objects.count(prefix), 0)
  }

  listAt(prefix: string, revision: number): readonly StoredObject[] | undefined {
    if (revision > this.#revision || revision < this.#horizon) return undefined
    this.#forgottenRevision = this.#ages.takeExpired() ?? this.#forgottenRevision
    if (revision < this.#forgottenRevision) return undefined
    const all: StoredObject[][] = []
    for (const resource of this.#below(prefix)) {
      const objects = resource.listAt(prefix, revision)
      if (objects === undefined) return undefined
      all.push(objects)
    }
    return all.length === 1 ? all[0] : all.flat()
  }

  async waitFor(
    revision: number,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<boolean> {
    return revision <= this.#revision || this.#waiters.wait(revision, { timeoutMs, signal })
  }

  watch(options: WatchOptions): AsyncIterable<WatchItem> {
    const prefix = resourceOf(options.prefix)
    if (prefix === undefined || !options.prefix.endsWith('/')) {
      throw new TypeError(`a watch needs the prefix of one resource, ending with a slash: ${options.prefix}`)
    }
    return this.#fanOut.open(this.#resource(prefix), options)
  }

  subscribe(prefix: string, listener: (events: readonly ChangeEvent[]) => void): () => void {
    const entry = { prefix, call: listener }
    this.#listeners.add(entry)
    return () => void this.#listeners.delete(entry)
  }

  async close(): Promise<void> {
    this.#unfollow()
    this.#fanOut.close()
    this.#waiters.close()
    this.#listeners.clear()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  load(entries: readonly Entry[]): void {
    for (const { key, value, revision } of entries) {
      const prefix = resourceOf(key)
      if (prefix !== undefined) this.#resource(prefix).objects.set(new StoredObject(key, value, revision))
    }
  }

  /** All of `revision` is loaded; of what happened up to `horizon` nothing is known. */
  begin({ revision, horizon }: { revision: number; horizon: number }): void {
    this.#revision = revision
    this.#loadedRevision = revision
    this.#horizon = horizon
    for (const resource of this.#resources.values()) resource.forgetUpTo(horizon)
  }

  follow(unfollow: () => void): void {
    this.#unfollow = unfollow
    this.#replayed = undefined
  }

  /** One commit, as the store tells it. */
  take(events: readonly StoreEvent[]): void {
    const revision = events[0]?.revision
    if (revision === undefined) return
    if (revision <= this.#loadedRevision) this.#replay(events)
    else this.#apply(events, revision)
  }

  #apply(events: readonly StoreEvent[], revision: number): void {
    const changes: Change[] = []
    const changed = new Map<Resource, Change[]>()
    for (const { key, value } of events) {
      const prefix = resourceOf(key)
      if (prefix === undefined) continue
      const resource = this.#resource(prefix)
      const after = value === undefined ? undefined : new StoredObject(key, value, revision)
      const change = new Change({ key, revision, before: resource.objects.get(key), after })
      resource.apply(change)
      resource.remember(change, this.#clock.monotonic())
      changes.push(change)
      const ofResource = changed.get(resource)
      if (ofResource === undefined) changed.set(resource, [change])
      else ofResource.push(change)
    }
    this.#revision = revision
    this.#ages.add({ revision, events: 1, bytes: 0 })
    this.#forgottenRevision = this.#ages.takeExpired() ?? this.#forgottenRevision
    for (const [resource, ofResource] of changed) this.#fanOut.publish(resource, ofResource)
    this.#tell(changes)
    this.#waiters.reached(revision)
  }

  // Already in what was loaded: only the past is filled. A version that still stands is the same object in both.
  #replay(events: readonly StoreEvent[]): void {
    for (const { key, value, revision, previous } of events) {
      const prefix = resourceOf(key)
      if (prefix === undefined) continue
      const resource = this.#resource(prefix)
      const before =
        this.#replayed?.get(key) ??
        (previous === undefined ? undefined : new StoredObject(key, previous.value, previous.revision))
      const now = resource.objects.get(key)
      let after = now?.revision === revision ? now : undefined
      if (after === undefined && value !== undefined) after = new StoredObject(key, value, revision)
      resource.remember(new Change({ key, revision, before, after }), this.#clock.monotonic())
      if (after === undefined) this.#replayed?.delete(key)
      else this.#replayed?.set(key, after)
    }
  }

  #tell(changes: readonly Change[]): void {
    for (const { prefix, call } of this.#listeners) {
      const events: ChangeEvent[] = []
      for (const change of changes) {
        const event = change.key.startsWith(prefix) ? change.seenThrough() : undefined
        if (event !== undefined) events.push({ ...event, key: change.key, before: change.before })
      }
      if (events.length === 0) continue
      try {
        call(events)
      } catch (error) {
        this.#log.error('a listener for changes failed', { prefix, error })
      }
    }
  }

  #resource(prefix: string): Resource {
    const known = this.#resources.get(prefix)
    if (known !== undefined) return known
    const made = new Resource({ prefix, horizon: this.#horizon, limits: this.#history })
    this.#resources.set(prefix, made)
    return made
  }

  // Usually the one resource; a shorter prefix spans several, whose order is that of their prefixes.
  #below(prefix: string): Resource[] {
    const own = resourceOf(prefix)
    if (own !== undefined) {
      const resource = this.#resources.get(own)
      return resource === undefined ? [] : [resource]
    }
    const all = [...this.#resources.values()].filter((resource) => resource.prefix.startsWith(prefix))
    return all.sort((left, right) => Buffer.compare(Buffer.from(left.prefix), Buffer.from(right.prefix)))
  }
}

const byAgeOnly = { eventsMin: 0, eventsMax: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY }

/** `apps/deployments/` of `apps/deployments/default/web`. */
function resourceOf(key: string): string | undefined {
  const second = key.indexOf('/', key.indexOf('/') + 1)
  return second <= 0 || key.indexOf('/') === second ? undefined : key.slice(0, second + 1)
}
