// The engine under every loop: keys come in from sources, workers reconcile them, failures are tried again.
// What a key means and what is done about it is the reconciler's.

import { retryAfterMs } from '../client/failures.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { WorkQueue } from './queue.ts'
import type { Source } from './source.ts'

export interface ReconcileResult {
  /** Look again after so long, whatever happens. */
  readonly requeueAfterMs?: number | undefined
}

/**
 * Reads the world, writes what is missing. Throws to be called again after a growing pause. Never runs twice at the
 * same time for one key.
 */
export type Reconcile = (
  key: string,
  options: { readonly signal: AbortSignal },
) => Promise<ReconcileResult | undefined>

export interface ControllerOptions {
  readonly name: string
  readonly sources: readonly Source[]
  readonly reconcile: Reconcile
  readonly workers?: number | undefined
  /** One reconcile that takes longer is aborted and tried again. */
  readonly reconcileTimeoutMs?: number | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Says whether a failure is daily business (a conflict, a namespace that goes away) and not worth a warning. */
  readonly isExpected?: ((error: unknown) => boolean) | undefined
}

export interface Controller extends AsyncDisposable {
  readonly name: string
  /** All sources were heard and the workers run; rejects when stopped before. */
  readonly started: Promise<void>
  /** True when nothing waits and nothing is worked on; delayed keys do not count. */
  readonly isIdle: boolean
  enqueue(key: string): void
  enqueueAfter(key: string, delayMs: number): void
}

/** Starts at once; works when all sources are synced. Disposing waits for the reconciles under way. */
export function createController(options: ControllerOptions): Controller {
  return new KeyController(options)
}

// Failures up to this one are retried in silence at debug level: most are conflicts that the next look settles.
const quietFailures = 3

class KeyController implements Controller {
  readonly name: string
  readonly started: Promise<void>
  readonly #options: ControllerOptions
  readonly #queue: WorkQueue
  readonly #log: Logger
  readonly #stopping = new AbortController()
  readonly #unsubscribe: (() => void)[]
  readonly #running: Promise<void>

  constructor(options: ControllerOptions) {
    this.name = options.name
    this.#options = options
    this.#queue = new WorkQueue(options)
    this.#log = options.log.child({ controller: options.name })
    this.#unsubscribe = options.sources.map((source) => source.on((key) => this.#queue.add(key)))
    this.started = this.#untilSynced()
    this.started.catch(() => undefined)
    this.#running = this.#run()
  }

  get isIdle(): boolean {
    return this.#queue.length === 0
  }

  enqueue(key: string): void {
    this.#queue.add(key)
  }

  enqueueAfter(key: string, delayMs: number): void {
    this.#queue.addAfter(key, delayMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#unsubscribe) end()
    this.#stopping.abort(new Error(`the controller ${this.name} is stopped`))
    this.#queue.close()
    await this.#running
  }

  async #untilSynced(): Promise<void> {
    const stopped = Promise.withResolvers<never>()
    this.#stopping.signal.addEventListener('abort', () => stopped.reject(this.#stopping.signal.reason))
    await Promise.race([Promise.all(this.#options.sources.map((source) => source.synced)), stopped.promise])
  }

  async #run(): Promise<void> {
    try {
      await this.started
    } catch {
      return
    }
    const { workers = 2 } = this.#options
    await Promise.all(Array.from({ length: workers }, () => this.#work()))
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.take(); key !== undefined; key = await this.#queue.take()) {
      await this.#reconcile(key)
      this.#queue.done(key)
      if (this.#queue.hasOverflowed && this.#queue.length === 0) this.#lookAtAll()
    }
  }

  async #reconcile(key: string): Promise<void> {
    const { clock, reconcileTimeoutMs = 120_000 } = this.#options
    const limit = new AbortController()
    const onStop = () => limit.abort(this.#stopping.signal.reason)
    this.#stopping.signal.addEventListener('abort', onStop, { once: true })
    const cancel = clock.setTimer(reconcileTimeoutMs, () =>
      limit.abort(new Error(`a reconcile took longer than ${reconcileTimeoutMs} ms`)),
    )
    try {
      const result = await this.#options.reconcile(key, { signal: limit.signal })
      this.#queue.forget(key)
      if (result?.requeueAfterMs !== undefined) this.#queue.addAfter(key, result.requeueAfterMs)
    } catch (error) {
      this.#noteFailure(key, error)
    } finally {
      cancel()
      this.#stopping.signal.removeEventListener('abort', onStop)
    }
  }

  #noteFailure(key: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#queue.addAfterFailure(key, retryAfterMs(error))
    const failures = this.#queue.failuresOf(key)
    const isQuiet = this.#options.isExpected?.(error) === true || failures <= quietFailures
    if (isQuiet) this.#log.debug('could not reconcile, tries again', { key, failures, error })
    else this.#log.warn('could not reconcile, tries again', { key, failures, error })
  }

  #lookAtAll(): void {
    this.#queue.hasOverflowed = false
    this.#log.info('too many keys waited, looks at everything again')
    for (const source of this.#options.sources) {
      for (const key of source.keys()) this.#queue.add(key)
    }
  }
}
