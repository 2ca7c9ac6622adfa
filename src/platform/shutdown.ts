// The order in which what was started is stopped: last started, first stopped, each with a bound on its time.
// Each thing knows how to stop itself; this file knows only when.

import { type Clock, systemClock } from './clock.ts'
import { type Logger, silentLogger } from './log.ts'

/** Something to stop: a disposable, or a function. */
export type Stoppable = AsyncDisposable | (() => Promise<void> | void)

export interface ShutdownOptions {
  readonly clock?: Clock
  readonly log?: Logger
  /** After so long a stoppable is given up, reported, and the next one is stopped. */
  readonly stopTimeoutMs?: number
}

export class Shutdown implements AsyncDisposable {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #stopTimeoutMs: number
  readonly #stack: { readonly name: string; readonly stop: () => Promise<void> }[] = []
  readonly #abort = new AbortController()
  #stopping: Promise<void> | undefined

  constructor({ clock = systemClock, log = silentLogger, stopTimeoutMs = 10_000 }: ShutdownOptions = {}) {
    this.#clock = clock
    this.#log = log
    this.#stopTimeoutMs = stopTimeoutMs
  }

  /** Aborted when stopping begins, before anything is stopped. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Takes over the stopping of `stoppable` and returns it. Too late is an error: it would never be stopped. */
  add<T extends Stoppable>(name: string, stoppable: T): T {
    if (this.#stopping !== undefined) throw new Error(`${name} was started while stopping`)
    const stop = async () => {
      await (typeof stoppable === 'function' ? stoppable() : stoppable[Symbol.asyncDispose]())
    }
    this.#stack.push({ name, stop })
    return stoppable
  }

  /**
   * Stops everything, once; every caller gets the same promise. Rejects with an AggregateError after the last one if
   * some failed or took too long.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll()
    return this.#stopping
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /**
   * Resolves with the signal's name at the first SIGTERM or SIGINT, and stops. A second signal ends the process at
   * once, as a person who presses Ctrl-C twice expects.
   */
  async untilSignal(): Promise<NodeJS.Signals> {
    const signal = await new Promise<NodeJS.Signals>((resolve) => {
      const onSignal = (name: NodeJS.Signals) => {
        // Without a listener the next signal has its default effect: it kills.
        process.removeListener('SIGTERM', onSignal)
        process.removeListener('SIGINT', onSignal)
        resolve(name)
      }
      process.on('SIGTERM', onSignal)
      process.on('SIGINT', onSignal)
    })
    this.#log.info('stopping on a signal', { signal })
    await this.stop()
    return signal
  }

  async #stopAll(): Promise<void> {
    this.#abort.abort(new Error('stopping'))
    const errors: unknown[] = []
    for (let entry = this.#stack.pop(); entry !== undefined; entry = this.#stack.pop()) {
      try {
        await this.#withinTime(entry.name, entry.stop())
      } catch (error) {
        errors.push(new Error(`${entry.name} did not stop cleanly`, { cause: error }))
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, describe(errors))
  }

  #withinTime(name: string, stopped: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<never>()
    const cancel = this.#clock.setTimer(this.#stopTimeoutMs, () => {
      late.reject(new Error(`${name} still runs after ${this.#stopTimeoutMs} ms`))
    })
    return Promise.race([stopped, late.promise]).finally(cancel)
  }
}

function describe(errors: readonly unknown[]): string {
  return errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ')
}
