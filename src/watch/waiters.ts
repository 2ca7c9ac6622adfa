// Those who wait for a revision to be shown, each with a time limit.

import type { Clock } from '../platform/clock.ts'

interface Waiter {
  readonly revision: number
  readonly settle: (isReached: boolean) => void
}

export class RevisionWaiters {
  readonly #clock: Clock
  readonly #waiters = new Set<Waiter>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wait(
    revision: number,
    { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<boolean> {
    if (signal?.aborted === true) return Promise.resolve(false)
    return new Promise((resolve) => {
      const onAbort = () => waiter.settle(false)
      const cancel = this.#clock.setTimer(timeoutMs, () => waiter.settle(false))
      const waiter: Waiter = {
        revision,
        settle: (isReached) => {
          cancel()
          signal?.removeEventListener('abort', onAbort)
          this.#waiters.delete(waiter)
          resolve(isReached)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  reached(revision: number): void {
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.settle(true)
  }

  /** What has not come will not come. */
  close(): void {
    for (const waiter of this.#waiters) waiter.settle(false)
  }
}
