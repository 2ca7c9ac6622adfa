// One probe of one container: asks again and again and tells when the answer has changed for good.
// Upstream: pkg/kubelet/prober/worker.go. What is asked is action.ts's.

import type { Probe } from '../../api/models.ts'
import type { Cancel, Clock } from '../../platform/clock.ts'

export interface ProberOptions {
  readonly probe: Probe
  /** Why it failed, undefined when it went well. */
  readonly check: (options: { readonly signal: AbortSignal }) => Promise<string | undefined>
  /** After as many equal answers as the threshold says; a failure tells why. */
  readonly onResult: (isSuccess: boolean, reason: string) => void
  /** Each failure, also below the threshold. */
  readonly onFailure: (reason: string) => void
  readonly clock: Clock
}

export class Prober {
  readonly #options: ProberOptions
  readonly #stopping = new AbortController()
  #cancel: Cancel | undefined
  #isBusy = false
  #isDelayed = true
  #isSuccess: boolean | undefined
  #inARow = 0

  constructor(options: ProberOptions) {
    this.#options = options
    this.#schedule((options.probe.initialDelaySeconds ?? 0) * 1_000)
  }

  /** Asks at once, unless the first question is not due yet: something may have changed. */
  poke(): void {
    if (this.#isBusy || this.#isDelayed || this.#stopping.signal.aborted) return
    this.#cancel?.()
    this.#schedule(0)
  }

  stop(): void {
    this.#stopping.abort(new Error('the probe is stopped'))
    this.#cancel?.()
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.clock.setTimer(delayMs, () => {
      this.#isDelayed = false
      this.#isBusy = true
      void this.#ask()
    })
  }

  async #ask(): Promise<void> {
    const { probe, clock } = this.#options
    const startedMs = clock.monotonic()
    const reason = await this.#checkWithin((probe.timeoutSeconds ?? 1) * 1_000)
    this.#isBusy = false
    if (this.#stopping.signal.aborted) return
    this.#note(reason)
    const periodMs = (probe.periodSeconds ?? 10) * 1_000
    if (!this.#stopping.signal.aborted) this.#schedule(Math.max(0, startedMs + periodMs - clock.monotonic()))
  }

  async #checkWithin(timeoutMs: number): Promise<string | undefined> {
    const { clock, check } = this.#options
    const limit = new AbortController()
    const late = Promise.withResolvers<string>()
    const cancel = clock.setTimer(timeoutMs, () => {
      late.resolve(`no answer within ${timeoutMs / 1_000}s`)
      limit.abort(new Error('the probe took too long'))
    })
    const signal = AbortSignal.any([limit.signal, this.#stopping.signal])
    try {
      return await Promise.race([check({ signal }).catch(String), late.promise])
    } finally {
      cancel()
    }
  }

  #note(reason: string | undefined): void {
    const { probe, onResult, onFailure } = this.#options
    const isSuccess = reason === undefined
    this.#inARow = this.#isSuccess === isSuccess ? this.#inARow + 1 : 1
    this.#isSuccess = isSuccess
    if (!isSuccess) onFailure(reason)
    const threshold = isSuccess ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3)
    if (this.#inARow >= threshold) onResult(isSuccess, reason ?? '')
  }
}
