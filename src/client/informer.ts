// Keeps a copy of one resource: list once, watch on, resume where the watch ended, list again when that is forgotten.
// What is done about a change is the handlers'; the copy itself is objects.ts's.

import { ApiError } from '../api/status.ts'
import { Backoff } from '../platform/backoff.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import type { AnyObject, Client, ResourceRef, Version } from './client.ts'
import { isGone, retryAfterMs } from './failures.ts'
import { type IndexFunction, keyOf, ObjectCopy } from './objects.ts'

/** `current` is absent when the object is gone, `previous` when it is new to this copy. */
export interface Change<T> {
  readonly key: string
  readonly current: Version<T> | undefined
  readonly previous: Version<T> | undefined
}

/** Must not throw and must not wait: it notes a key. */
export type ChangeHandler<T> = (change: Change<T>) => void

export interface InformerOptions<T extends AnyObject> {
  readonly client: Client
  readonly resource: ResourceRef<T>
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Only headers are wanted: over HTTP objects then hold nothing but their metadata. */
  readonly isMetadataOnly?: boolean | undefined
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly log?: Logger | undefined
}

export interface Informer<T extends AnyObject> extends AsyncDisposable {
  readonly resource: ResourceRef<T>
  /** Resolves after the first whole list; rejects only when the informer is stopped before. */
  readonly synced: Promise<void>
  readonly isSynced: boolean
  /** The newest revision that this copy has heard of; undefined before the first list. */
  readonly revision: string | undefined
  /** Why the last try failed; undefined while all is well. The copy then is old, never empty. */
  readonly failure: unknown
  get(namespace: string, name: string): T | undefined
  version(key: string): Version<T> | undefined
  list(namespace?: string): T[]
  versions(namespace?: string): Version<T>[]
  keys(): string[]
  byIndex(name: string, value: string): T[]
  versionsByIndex(name: string, value: string): Version<T>[]
  addIndex(name: string, valuesOf: IndexFunction<T>): void
  /** Tells everything that is there already, then each change. Returns the function that ends it. */
  on(handler: ChangeHandler<T>): () => void
}

/** Starts at once; dispose it to stop. */
export function createInformer<T extends AnyObject>(options: InformerOptions<T>): Informer<T> {
  return new ListWatchInformer(options)
}

const backoffBaseMs = 200
const backoffMaxMs = 30_000
const pageItems = 500
const watchTimeoutSecondsMin = 300
// Bookmarks come about every minute; a connection that is silent for so long is taken for dead.
const stallMs = 180_000
// A watch that ends sooner without news did not work, whatever it said.
const shortWatchMs = 1_000

class ListWatchInformer<T extends AnyObject> implements Informer<T> {
  readonly resource: ResourceRef<T>
  readonly synced: Promise<void>
  isSynced = false
  revision: string | undefined
  failure: unknown
  readonly #options: InformerOptions<T>
  readonly #clock: Clock
  readonly #random: Random
  readonly #log: Logger
  readonly #objects: ObjectCopy<T>
  readonly #handlers = new Set<ChangeHandler<T>>()
  readonly #stopping = new AbortController()
  readonly #firstList = Promise.withResolvers<void>()
  readonly #running: Promise<void>

  constructor(options: InformerOptions<T>) {
    this.#options = options
    this.resource = options.resource
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? systemRandom
    this.#log = (options.log ?? silentLogger).child({ resource: options.resource.resource })
    this.#objects = new ObjectCopy(options.indexes ?? {})
    this.synced = this.#firstList.promise
    // Whoever waits sees the rejection; nobody has to wait.
    this.synced.catch(() => undefined)
    this.#running = this.#run()
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(keyOf({ namespace, name }))?.object
  }

  version(key: string): Version<T> | undefined {
    return this.#objects.get(key)
  }

  list(namespace?: string): T[] {
    return this.#objects.versions(namespace).map((version) => version.object)
  }

  versions(namespace?: string): Version<T>[] {
    return this.#objects.versions(namespace)
  }

  keys(): string[] {
    return this.#objects.keys()
  }

  byIndex(name: string, value: string): T[] {
    return this.#objects.find(name, value).map((version) => version.object)
  }

  versionsByIndex(name: string, value: string): Version<T>[] {
    return this.#objects.find(name, value)
  }

  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    this.#objects.addIndex(name, valuesOf)
  }

  on(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler)
    for (const version of this.#objects.versions()) {
      handler({ key: keyOf(version.header), current: version, previous: undefined })
    }
    return () => void this.#handlers.delete(handler)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the informer is stopped'))
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const backoff = new Backoff({ baseMs: backoffBaseMs, maxMs: backoffMaxMs, random: this.#random })
    let revision: string | undefined
    while (!signal.aborted) {
      let waitMs = 0
      try {
        revision ??= await this.#listAll()
        const watched = await this.#watchFrom(revision, (next) => {
          revision = next
          backoff.reset()
        })
        if (watched.isShort) waitMs = backoff.nextDelayMs()
      } catch (error) {
        if (signal.aborted) break
        waitMs = Math.max(backoff.nextDelayMs(), retryAfterMs(error) ?? 0)
        if (isGone(error)) revision = undefined
        this.#noteFailure(error)
      }
      if (waitMs > 0) await this.#clock.sleep(waitMs, { signal }).catch(() => undefined)
    }
    this.#firstList.reject(signal.reason)
  }

  #noteFailure(error: unknown): void {
    // A forgotten revision and a server that restarts are daily business; the rest is said once until it changes.
    const isNews = String(this.failure) !== String(error)
    this.failure = error
    if (isGone(error)) this.#log.debug('lists again: the revision is forgotten')
    else if (isNews) this.#log.warn('cannot list or watch, tries again', { error })
  }

  /** The whole list or nothing: a failure on any page leaves the copy as it is. */
  async #listAll(): Promise<string> {
    const { client, resource, namespace, labelSelector, fieldSelector, isMetadataOnly } = this.#options
    const select = { namespace, labelSelector, fieldSelector, isMetadataOnly, signal: this.#stopping.signal }
    const found = new Map<string, Version<T>>()
    let page = await client.listVersions(resource, { ...select, limit: pageItems })
    const { resourceVersion } = page
    for (;;) {
      for (const version of page.versions) found.set(keyOf(version.header), version)
      if (page.continue === undefined) break
      page = await client.listVersions(resource, { ...select, limit: pageItems, continue: page.continue })
    }
    if (resourceVersion === '') throw new Error('the list has no resourceVersion')
    this.#replaceAll(found, resourceVersion)
    return resourceVersion
  }

  #replaceAll(found: ReadonlyMap<string, Version<T>>, revision: string): void {
    this.revision = revision
    for (const key of this.#objects.keys()) {
      if (!found.has(key)) this.#remove(key)
    }
    for (const [key, version] of found) this.#put(key, version)
    this.isSynced = true
    this.failure = undefined
    this.#firstList.resolve()
  }

  async #watchFrom(
    from: string,
    onRevision: (revision: string) => void,
  ): Promise<{ readonly isShort: boolean }> {
    const { client, resource, namespace, labelSelector, fieldSelector, isMetadataOnly } = this.#options
    const stall = this.#stallGuard()
    const startMs = this.#clock.monotonic()
    let isNews = false
    try {
      const items = client.watch(resource, {
        namespace,
        labelSelector,
        fieldSelector,
        isMetadataOnly,
        resourceVersion: from,
        allowWatchBookmarks: true,
        timeoutSeconds: Math.round(watchTimeoutSecondsMin * (1 + this.#random.fraction())),
        signal: stall.signal,
      })
      for await (const item of items) {
        stall.touch()
        isNews = true
        this.failure = undefined
        if (item.resourceVersion !== '') this.revision = item.resourceVersion
        if (item.type === 'DELETED') this.#remove(keyOf(item.version.header), item.version)
        else if (item.type !== 'BOOKMARK') this.#put(keyOf(item.version.header), item.version)
        if (item.resourceVersion !== '') onRevision(item.resourceVersion)
      }
    } catch (error) {
      if (!stall.isStalled) throw error
      this.#log.debug('watches again: the connection was silent')
    } finally {
      stall.release()
    }
    return { isShort: !isNews && this.#clock.monotonic() - startMs < shortWatchMs }
  }

  #stallGuard() {
    const controller = new AbortController()
    const onStop = () => controller.abort(this.#stopping.signal.reason)
    this.#stopping.signal.addEventListener('abort', onStop, { once: true })
    if (this.#stopping.signal.aborted) onStop()
    let heardMs = this.#clock.monotonic()
    const guard = {
      signal: controller.signal,
      isStalled: false,
      touch: () => {
        heardMs = this.#clock.monotonic()
      },
      release: () => {
        cancel()
        this.#stopping.signal.removeEventListener('abort', onStop)
      },
    }
    const check = () => {
      const restMs = heardMs + stallMs - this.#clock.monotonic()
      if (restMs > 0) {
        cancel = this.#clock.setTimer(restMs, check)
        return
      }
      guard.isStalled = true
      controller.abort(
        new ApiError({ code: 504, reason: 'Timeout', message: 'the watch was silent for too long' }),
      )
    }
    let cancel = this.#clock.setTimer(stallMs, check)
    return guard
  }

  #put(key: string, version: Version<T>): void {
    const previous = this.#objects.set(key, version)
    this.#tell({ key, current: version, previous })
  }

  #remove(key: string, last?: Version<T>): void {
    const previous = this.#objects.delete(key) ?? last
    if (previous !== undefined) this.#tell({ key, current: undefined, previous })
  }

  #tell(change: Change<T>): void {
    for (const handler of this.#handlers) handler(change)
  }
}
