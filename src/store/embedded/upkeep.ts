// What keeps the file small and quick: forgetting old events, and moving the log into the file.
// Both are done in steps behind the writes, the second when nothing else is to be done or the log is large.

import type { Cancel, Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'
import { Retention, type RetentionLimits } from '../retention.ts'
import type { Revision, StoreError } from '../store.ts'
import type { Link } from './link.ts'

export interface UpkeepOptions {
  readonly link: Link
  readonly clock: Clock
  readonly log: Logger
  readonly retention: RetentionLimits
  readonly compactedRevision: Revision
  readonly logBytes: number
  readonly onFailure: (error: StoreError) => void
}

interface CompactWaiter {
  readonly revision: Revision
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

// A step holds up the writes behind it for some milliseconds.
const compactStepRevisions = 500

// Rare enough that the wait for it stays out of the 99th percentile of writes.
const logBytesMax = 32 * 1024 * 1024
const idleLogBytesMin = 4 * 1024 * 1024
const idleMs = 2_000

export class Upkeep {
  readonly #link: Link
  readonly #clock: Clock
  readonly #log: Logger
  readonly #retention: Retention
  readonly #onFailure: (error: StoreError) => void
  readonly #waiters = new Set<CompactWaiter>()
  #compactedRevision: Revision
  #target: Revision
  #logBytes: number
  #commits = 0
  #readers = 0
  #isWorking = false
  #isStopped = false
  #cancelIdle: Cancel | undefined

  constructor({ link, clock, log, retention, compactedRevision, logBytes, onFailure }: UpkeepOptions) {
    this.#link = link
    this.#clock = clock
    this.#log = log
    this.#retention = new Retention({ limits: retention, clock })
    this.#onFailure = onFailure
    this.#compactedRevision = compactedRevision
    this.#target = compactedRevision
    this.#logBytes = logBytes
  }

  get compactedRevision(): Revision {
    return this.#compactedRevision
  }

  committed(commit: { revision: Revision; events: number; bytes: number }): void {
    this.#retention.add(commit)
    this.#commits += 1
    // About a page for each row beside its value.
    this.#logBytes += commit.bytes + 4_096 * commit.events
    const expired = this.#retention.takeExpired()
    if (expired !== undefined) this.#target = Math.max(this.#target, expired)
  }

  /** Does what is due. Call it when writes have been sent on their way. */
  run(): void {
    this.#watchForIdle()
    if (!this.#isWorking) void this.#work()
  }

  /** Resolves when everything up to `revision` is forgotten. */
  compact(revision: Revision): Promise<void> {
    this.#retention.forget(revision)
    this.#target = Math.max(this.#target, revision)
    return new Promise((resolve, reject) => {
      this.#waiters.add({ revision, resolve, reject })
      this.run()
    })
  }

  /** Nothing is forgotten while `read` goes on: it may need several answers of one moment. */
  async during<T>(read: () => Promise<T>): Promise<T> {
    this.#readers += 1
    try {
      return await read()
    } finally {
      this.#readers -= 1
      if (this.#readers === 0) this.run()
    }
  }

  stop(error: StoreError): void {
    this.#isStopped = true
    this.#cancelIdle?.()
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters.clear()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    try {
      while (!this.#isStopped) {
        if (this.#logBytes > logBytesMax) await this.#checkpoint()
        else if (this.#compactedRevision < this.#target && this.#readers === 0) await this.#compactStep()
        else break
        this.#settleWaiters()
      }
      this.#settleWaiters()
    } catch (error) {
      this.#fail(error as StoreError)
    } finally {
      this.#isWorking = false
    }
  }

  async #compactStep(): Promise<void> {
    const revision = Math.min(this.#target, this.#compactedRevision + compactStepRevisions)
    // At once: who comes to read the past from now on comes after this request.
    this.#compactedRevision = revision
    await this.#link.request({ type: 'compact', revision })
  }

  async #checkpoint(): Promise<void> {
    this.#logBytes = 0
    await this.#link.request({ type: 'checkpoint' })
  }

  #settleWaiters(): void {
    for (const waiter of this.#waiters) {
      if (waiter.revision > this.#compactedRevision) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  #fail(error: StoreError): void {
    for (const { reject } of this.#waiters) reject(error)
    this.#waiters.clear()
    if (this.#isStopped) return
    if (error.fault === 'full') this.#log.warn('no space for the upkeep of the store', { error })
    else this.#onFailure(error)
  }

  #watchForIdle(): void {
    if (this.#isStopped || this.#cancelIdle !== undefined || this.#logBytes < idleLogBytesMin) return
    const commits = this.#commits
    this.#cancelIdle = this.#clock.setTimer(idleMs, () => {
      this.#cancelIdle = undefined
      if (this.#commits !== commits || this.#isWorking) this.#watchForIdle()
      else void this.#checkpointIdle()
    })
  }

  async #checkpointIdle(): Promise<void> {
    try {
      await this.#checkpoint()
    } catch (error) {
      this.#fail(error as StoreError)
    }
  }
}
