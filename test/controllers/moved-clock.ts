// A clock that a test moves by hours, and that goes on by itself meanwhile: retries after conflicts need a little time.

import { FakeClock, systemClock } from '../../src/platform/clock.ts'

const tickMs = 20

export class MovedClock extends FakeClock implements AsyncDisposable {
  #moves: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(startMs?: number) {
    super(startMs)
    this.#tick()
  }

  /** Moves are made one after the other. */
  override advance(byMs: number): Promise<void> {
    this.#moves = this.#moves.then(() => super.advance(byMs))
    return this.#moves
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#moves
  }

  #tick(): void {
    if (this.#isStopped) return
    systemClock.setTimer(tickMs, () => {
      this.#moves = this.#moves.then(() => super.advance(tickMs))
      this.#moves.then(() => this.#tick()).catch(() => undefined)
    })
  }
}
