// How long to wait before the next try: doubling, bounded, and spread so that many who failed together do not return
// together. Waiting is the caller's, with the clock it was given.

import assert from 'node:assert/strict'
import type { Random } from './random.ts'

export interface BackoffStep {
  /** How many tries have failed before this one: 0 for the first wait. */
  readonly attempt: number
  readonly baseMs: number
  readonly maxMs: number
  readonly random: Random
}

/** Between half of `baseMs * 2 ** attempt` and all of it, never over `maxMs`. */
export function backoffDelayMs({ attempt, baseMs, maxMs, random }: BackoffStep): number {
  assert(attempt >= 0 && baseMs >= 0 && maxMs >= baseMs, 'a backoff grows from its base to its maximum')
  const fullMs = Math.min(maxMs, baseMs * 2 ** attempt)
  return fullMs / 2 + (fullMs / 2) * random.fraction()
}

/** Remembers the attempts of one thing that is tried again and again. */
export class Backoff {
  readonly #baseMs: number
  readonly #maxMs: number
  readonly #random: Random
  #attempt = 0

  constructor({ baseMs, maxMs, random }: Omit<BackoffStep, 'attempt'>) {
    assert(baseMs >= 0 && maxMs >= baseMs, 'a backoff grows from its base to its maximum')
    this.#baseMs = baseMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** Failures since the start or the last reset. */
  get attempt(): number {
    return this.#attempt
  }

  /** Counts one failure and answers how long to wait before the next try. */
  nextDelayMs(): number {
    const step = { attempt: this.#attempt, baseMs: this.#baseMs, maxMs: this.#maxMs, random: this.#random }
    this.#attempt += 1
    return backoffDelayMs(step)
  }

  /** Call after a success, or the next failure waits as long as the last. */
  reset(): void {
    this.#attempt = 0
  }
}
