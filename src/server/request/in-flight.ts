// How many requests are under way, and until when each may take.
// Long answers (watches) are counted apart: they wait most of the time.

import { timeout, tooManyRequests } from '../../api/status.ts'
import type { Cancel, Clock } from '../../platform/clock.ts'

export interface InFlightLimits {
  readonly requestsMax: number
  readonly longRequestsMax: number
  /** Of everything but long requests; upstream's is a minute. */
  readonly requestTimeoutMs: number
}

export const defaultInFlight: InFlightLimits = {
  requestsMax: 400,
  longRequestsMax: 20_000,
  requestTimeoutMs: 60_000,
}

export class InFlight {
  readonly #limits: InFlightLimits
  #requests = 0
  #longRequests = 0

  constructor(limits: InFlightLimits) {
    this.#limits = limits
  }

  get requests(): number {
    return this.#requests
  }

  get longRequests(): number {
    return this.#longRequests
  }

  /** Takes a place, or throws 429. Call what it returns when the request is over. */
  enter(isLong: boolean): () => void {
    const { requestsMax, longRequestsMax } = this.#limits
    if (isLong ? this.#longRequests >= longRequestsMax : this.#requests >= requestsMax) {
      throw tooManyRequests('Too many requests, please try again later.', 1)
    }
    const add = (count: number) => {
      if (isLong) this.#longRequests += count
      else this.#requests += count
    }
    add(1)
    let isOver = false
    return () => {
      if (!isOver) add(-1)
      isOver = true
    }
  }
}

interface DeadlineOptions {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Runs `work` with a signal that fires when the client goes or time is up; then it rejects with 504. */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { clock, timeoutMs, signal }: DeadlineOptions,
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  let cancel: Cancel = () => undefined
  const expired = new Promise<never>((_, reject) => {
    cancel = clock.setTimer(timeoutMs, () => {
      const error = timeout('Timeout: request did not complete within the allotted timeout')
      reject(error)
      controller.abort(error)
    })
  })
  try {
    return await Promise.race([work(controller.signal), expired])
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
