// Time, as something that can be handed in: the one place that reads the machine's clocks and sets timers.
// What is done when a timer fires, and how long to wait, is the caller's; growing delays are backoff.ts's.

import assert from 'node:assert/strict'

/** Stops what it was returned for; harmless when called again or too late. */
export type Cancel = () => void

export interface Clock {
  /** Wall time, milliseconds since 1970. May jump: never subtract two of them to measure. */
  now(): number
  /** Milliseconds since some fixed moment, with fractions; never goes back. */
  monotonic(): number
  /**
   * Calls `fire` once after `delayMs`. A pending timer does not keep the process alive: what must stay up holds a
   * socket, a worker or an awaited promise.
   */
  setTimer(delayMs: number, fire: () => void): Cancel
  /**
   * Resolves after `delayMs`; rejects with the signal's reason when it is aborted first. Somebody awaits it, so it
   * keeps the process alive until then.
   */
  sleep(delayMs: number, options?: { signal?: AbortSignal | undefined }): Promise<void>
}

// Node turns a longer delay into one millisecond, silently.
const timerDelayMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, fire) => startTimer(delayMs, fire, { keepsAlive: false }),
  sleep: (delayMs, { signal } = {}) =>
    sleepWith((fire) => startTimer(delayMs, fire, { keepsAlive: true }), signal),
}

interface FakeTimer {
  readonly dueMs: number
  readonly fire: () => void
}

// More firings than this in one advance() is a timer that sets itself again at once.
const firingsMax = 1_000_000

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number
  #elapsedMs = 0
  // A set keeps its order: of two timers due at one moment, the one set first fires first.
  readonly #timers = new Set<FakeTimer>()

  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  now(): number {
    return this.#nowMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  setTimer(delayMs: number, fire: () => void): Cancel {
    const timer = { dueMs: this.#elapsedMs + Math.max(0, delayMs), fire }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  sleep(delayMs: number, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    return sleepWith((fire) => this.setTimer(delayMs, fire), signal)
  }

  /** How many timers wait; a test that ends with more than none has left something running. */
  get pendingTimers(): number {
    return this.#timers.size
  }

  /**
   * Moves time on, firing each timer at its own moment, in order. Promises get their turn before the first timer and
   * after each, so that code which sleeps in a loop sees every tick.
   */
  async advance(byMs: number): Promise<void> {
    assert(byMs >= 0, 'a clock does not go back')
    const untilMs = this.#elapsedMs + byMs
    await turnOfPromises()
    for (let firings = 0; firings < firingsMax; firings += 1) {
      const next = this.#nextDue(untilMs)
      if (next === undefined) {
        this.#moveTo(untilMs)
        return
      }
      this.#timers.delete(next)
      this.#moveTo(next.dueMs)
      next.fire()
      await turnOfPromises()
    }
    assert.fail(`more than ${firingsMax} timers fired in ${byMs} ms: one sets itself again without a delay`)
  }

  /** Jumps the wall clock alone, as when an administrator sets it; timers do not notice. */
  setNow(nowMs: number): void {
    this.#nowMs = nowMs
  }

  #moveTo(elapsedMs: number): void {
    this.#nowMs += elapsedMs - this.#elapsedMs
    this.#elapsedMs = elapsedMs
  }

  #nextDue(untilMs: number): FakeTimer | undefined {
    let next: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      if (next === undefined || timer.dueMs < next.dueMs) next = timer
    }
    return next
  }
}

function startTimer(delayMs: number, fire: () => void, { keepsAlive }: { keepsAlive: boolean }): Cancel {
  const restMs = delayMs - timerDelayMsMax
  let cancelRest: Cancel = () => undefined
  const onTimeout = () => {
    if (restMs > 0) cancelRest = startTimer(restMs, fire, { keepsAlive })
    else fire()
  }
  const timer = setTimeout(onTimeout, Math.min(Math.max(0, delayMs), timerDelayMsMax))
  if (!keepsAlive) timer.unref()
  return () => {
    clearTimeout(timer)
    cancelRest()
  }
}

function sleepWith(start: (fire: () => void) => Cancel, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = start(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

// setImmediate runs after all promise jobs, also those that the jobs add.
function turnOfPromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
