// How long a failed daemon's pod stays before it is removed: a second, doubling for its node, a quarter of an hour at most.
// Kept in memory: after a restart the pauses begin anew.

const baseMs = 1_000
const maxMs = 900_000
const knownMax = 10_000

interface Pause {
  readonly atMs: number
  readonly pauseMs: number
}

export class EndedPods {
  readonly #pauses = new Map<string, Pause>()

  /** 0 when the pod may go now, and the next one of that node is held longer. */
  holdMs(key: string, node: string, nowMs: number): number {
    const id = `${key}@${node}`
    const known = this.#pauses.get(id)
    const leftMs = known === undefined ? 0 : known.atMs + known.pauseMs - nowMs
    if (leftMs > 0) return leftMs
    const isForgotten = known === undefined || nowMs - known.atMs > 2 * maxMs
    const pauseMs = isForgotten ? baseMs : Math.min(maxMs, known.pauseMs * 2)
    this.#pauses.delete(id)
    this.#pauses.set(id, { atMs: nowMs, pauseMs })
    const [oldest] = this.#pauses.keys()
    if (this.#pauses.size > knownMax && oldest !== undefined) this.#pauses.delete(oldest)
    return 0
  }

  forget(key: string): void {
    for (const id of this.#pauses.keys()) if (id.startsWith(`${key}@`)) this.#pauses.delete(id)
  }
}
