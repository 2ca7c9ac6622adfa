// How long a container that ended waits before it is started again.
// Upstream: client-go/util/flowcontrol (Backoff) as the kubelet uses it; 10 s doubling to five minutes.

const baseMs = 10_000
const maxMs = 300_000
// After so long without a restart, the next one is the first again.
const forgottenAfterMs = 2 * maxMs

export class CrashLoop {
  #delayMs = 0
  #updatedMs = 0

  /** The pause of the restart after next. */
  get delayMs(): number {
    return this.#delayMs
  }

  /** How long still; 0 means now, and counts as a restart. The very first one does not wait. */
  waitMs({ endedMs, nowMs }: { readonly endedMs: number; readonly nowMs: number }): number {
    const isForgotten = this.#delayMs === 0 || endedMs - this.#updatedMs > forgottenAfterMs
    if (!isForgotten) {
      const restMs = endedMs + this.#delayMs - nowMs
      if (restMs > 0) return restMs
    }
    this.#delayMs = isForgotten ? baseMs : Math.min(maxMs, this.#delayMs * 2)
    this.#updatedMs = nowMs
    return 0
  }
}
