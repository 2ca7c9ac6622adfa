// Opens watches and hands each commit to all of them: one shared item for all who see the same.
// What a reader has not taken yet waits in its watcher.ts.

import type { WatchEvent, WatchItem } from '../api/contracts.ts'
import { expired, internalError } from '../api/status.ts'
import type { StoredObject } from '../api/stored.ts'
import type { Cancel, Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Change, Matches } from './change.ts'
import type { Resource } from './resource.ts'
import { inItems, Watcher } from './watcher.ts'

export interface WatchOptions {
  /** `apps/deployments/` or `apps/deployments/default/`. */
  readonly prefix: string
  /** Changes after this revision; absent or 0: what is there now, as ADDED, then what follows. */
  readonly from?: number | undefined
  /** Must be pure and must not throw: it is asked about the state before and the state after. */
  readonly matches?: Matches | undefined
  readonly bookmarks?: boolean | undefined
  /** Begins with what is there now, whatever `from` says, and with a bookmark that marks its end (if they are on). */
  readonly sendInitialEvents?: boolean | undefined
  /** How many events may wait for a reader before it is cut off. */
  readonly bufferEventsMax?: number | undefined
  /** Ends the watch by itself; a bookmark goes out two seconds before. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const bufferEventsMaxDefault = 10_000
const lastBookmarkMs = 2_000

export class FanOut {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #bookmarkIntervalMs: number
  readonly #revision: () => number
  readonly #watchers = new Set<Watcher>()
  #cancelTick: Cancel | undefined

  constructor({
    clock,
    log,
    bookmarkIntervalMs,
    revision,
  }: {
    clock: Clock
    log: Logger
    bookmarkIntervalMs: number
    revision: () => number
  }) {
    this.#clock = clock
    this.#log = log
    this.#bookmarkIntervalMs = bookmarkIntervalMs
    this.#revision = revision
  }

  get size(): number {
    return this.#watchers.size
  }

  open(resource: Resource, options: WatchOptions): Watcher {
    const { from = 0, bookmarks = false, timeoutMs, signal } = options
    const startsNow = from === 0 || options.sendInitialEvents === true
    const isTooOld = !startsNow && from < resource.horizon
    const cancels: Cancel[] = []
    const watcher = new Watcher({
      prefix: options.prefix,
      matches: options.matches,
      after: Math.max(startsNow ? 0 : from, this.#revision()),
      wantsBookmarks: bookmarks,
      bufferEventsMax: options.bufferEventsMax ?? bufferEventsMaxDefault,
      opening: isTooOld ? [].values() : this.#opening(resource, options, startsNow ? undefined : from),
      onEnd: () => {
        for (const cancel of cancels) cancel()
        resource.watchers.delete(watcher)
        this.#watchers.delete(watcher)
        if (this.#watchers.size === 0) this.#stopTicking()
      },
    })
    if (isTooOld) {
      watcher.fail(expired(`too old resource version: ${from} (${resource.horizon})`).status)
      return watcher
    }
    if (signal?.aborted === true) {
      watcher.stop()
      return watcher
    }
    resource.watchers.add(watcher)
    this.#watchers.add(watcher)
    cancels.push(onAbort(signal, () => watcher.stop()))
    if (timeoutMs !== undefined) {
      cancels.push(this.#clock.setTimer(timeoutMs, () => watcher.finish()))
      cancels.push(this.#clock.setTimer(timeoutMs - lastBookmarkMs, () => this.#bookmark(watcher)))
    }
    watcher.bookmarkDueMs = this.#clock.monotonic() + this.#bookmarkIntervalMs
    if (bookmarks) this.#startTicking()
    return watcher
  }

  /** `changes`: one commit's, of one resource. */
  publish(resource: Resource, changes: readonly Change[]): void {
    if (resource.watchers.size === 0) return
    // Watches without a selector over the same part share one item, so that the server can share its bytes.
    const shared = new Map<string, WatchItem | undefined>()
    for (const watcher of resource.watchers) {
      if ((changes[0]?.revision ?? 0) <= watcher.after) continue
      try {
        const item =
          watcher.matches === undefined
            ? plain(watcher.prefix)
            : itemOf(changes, watcher.prefix, watcher.matches)
        if (item !== undefined) watcher.offer(item)
      } catch (error) {
        this.#log.error('a watch failed to judge a change', { prefix: watcher.prefix, error })
        watcher.fail(internalError('the watch failed').status)
      }
    }
    function plain(prefix: string): WatchItem | undefined {
      if (!shared.has(prefix)) shared.set(prefix, itemOf(changes, prefix))
      return shared.get(prefix)
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.finish()
    this.#stopTicking()
  }

  // Fixed at the moment of opening, what follows it is offered; but judged and cut up only as it is read.
  #opening(resource: Resource, options: WatchOptions, from: number | undefined): Iterator<WatchItem> {
    if (from !== undefined) return past(resource.changesAfter(from), options)
    return present(resource.objects.slice(options.prefix), options, this.#revision())
  }

  #bookmark(watcher: Watcher): void {
    const revision = this.#revision()
    if (watcher.wantsBookmarks && revision >= watcher.after) {
      watcher.offer({ type: 'bookmark', revision, isInitialEventsEnd: false })
    }
    watcher.bookmarkDueMs = this.#clock.monotonic() + this.#bookmarkIntervalMs
  }

  #startTicking(): void {
    this.#cancelTick ??= this.#clock.setTimer(this.#bookmarkIntervalMs / 12, () => {
      this.#cancelTick = undefined
      const nowMs = this.#clock.monotonic()
      for (const watcher of this.#watchers) if (nowMs >= watcher.bookmarkDueMs) this.#bookmark(watcher)
      if (this.#watchers.size > 0) this.#startTicking()
    })
  }

  #stopTicking(): void {
    this.#cancelTick?.()
    this.#cancelTick = undefined
  }
}

function* present(
  objects: readonly StoredObject[],
  { matches, bookmarks = false, sendInitialEvents = false }: WatchOptions,
  revision: number,
): Generator<WatchItem> {
  yield* inItems(added(objects, matches))
  if (bookmarks && sendInitialEvents) yield { type: 'bookmark', revision, isInitialEventsEnd: true }
}

function* added(objects: readonly StoredObject[], matches: Matches | undefined): Generator<WatchEvent> {
  for (const object of objects) if (matches === undefined || matches(object)) yield { type: 'ADDED', object }
}

function* past(changes: readonly Change[], { prefix, matches }: WatchOptions): Generator<WatchItem> {
  yield* inItems(seen(changes, prefix, matches))
}

function* seen(
  changes: readonly Change[],
  prefix: string,
  matches: Matches | undefined,
): Generator<WatchEvent> {
  for (const change of changes) {
    const event = change.key.startsWith(prefix) ? change.seenThrough(matches) : undefined
    if (event !== undefined) yield event
  }
}

function itemOf(changes: readonly Change[], prefix: string, matches?: Matches): WatchItem | undefined {
  const events = [...seen(changes, prefix, matches)]
  return events.length === 0 ? undefined : { type: 'events', events }
}

function onAbort(signal: AbortSignal | undefined, act: () => void): Cancel {
  signal?.addEventListener('abort', act, { once: true })
  return () => signal?.removeEventListener('abort', act)
}
