// All objects of one resource, and its recent past: what a watch resumes from and a list pages over.
// Who watches it stands here; what a watcher gets, and when it is cut off, is watcher.ts's.

import type { StoredObject } from '../api/stored.ts'
import type { Change } from './change.ts'
import { OrderedObjects } from './ordered.ts'
import type { Watcher } from './watcher.ts'

/** The past is dropped over either maximum; over the age too, except the last `changesMin`. */
export interface HistoryLimits {
  readonly changesMax: number
  readonly changesMin: number
  readonly bytesMax: number
  readonly ageMaxMs: number
}

// Upstream keeps 75 s of events a kind, and compacts after five minutes.
export const defaultHistory: HistoryLimits = {
  changesMax: 10_000,
  changesMin: 100,
  bytesMax: 64 * 1024 * 1024,
  ageMaxMs: 5 * 60_000,
}

interface Past {
  readonly change: Change
  readonly atMs: number
  readonly bytes: number
}

export class Resource {
  /** `apps/deployments/` */
  readonly prefix: string
  readonly objects = new OrderedObjects()
  readonly watchers = new Set<Watcher>()
  readonly #limits: HistoryLimits
  #past: Past[] = []
  #first = 0
  #bytes = 0
  #horizon: number

  /** `horizon`: nothing is known about changes at or before this revision. */
  constructor({ prefix, horizon, limits }: { prefix: string; horizon: number; limits: HistoryLimits }) {
    this.prefix = prefix
    this.#horizon = horizon
    this.#limits = limits
  }

  /** A watch can resume from this revision, and from no older one. */
  get horizon(): number {
    return this.#horizon
  }

  forgetUpTo(revision: number): void {
    this.#horizon = Math.max(this.#horizon, revision)
  }

  apply(change: Change): void {
    if (change.after === undefined) this.objects.delete(change.key)
    else this.objects.set(change.after)
  }

  remember(change: Change, atMs: number): void {
    const bytes = change.after?.bytes.byteLength ?? 0
    this.#past.push({ change, atMs, bytes })
    this.#bytes += bytes
    for (let oldest = this.#past[this.#first]; oldest !== undefined; oldest = this.#past[this.#first]) {
      if (!this.#isOver(atMs - oldest.atMs)) break
      this.#first += 1
      this.#bytes -= oldest.bytes
      this.#horizon = oldest.change.revision
    }
    if (this.#first > 64 && this.#first * 2 > this.#past.length) {
      this.#past = this.#past.slice(this.#first)
      this.#first = 0
    }
  }

  /** The changes after `revision`, oldest first; it must not be before the horizon. */
  changesAfter(revision: number): readonly Change[] {
    let low = this.#first
    let high = this.#past.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#past[middle] as Past).change.revision <= revision) low = middle + 1
      else high = middle
    }
    return this.#past.slice(low).map(({ change }) => change)
  }

  /** The objects below `prefix` as they stood at `revision`; undefined when that is forgotten. */
  listAt(prefix: string, revision: number): StoredObject[] | undefined {
    if (revision < this.#horizon) return undefined
    const changed = new Map<string, StoredObject | undefined>()
    for (const { key, before } of this.changesAfter(revision)) {
      if (key.startsWith(prefix) && !changed.has(key)) changed.set(key, before)
    }
    if (changed.size === 0) return this.objects.slice(prefix)
    const then = new OrderedObjects()
    for (const object of this.objects.slice(prefix)) if (!changed.has(object.key)) then.set(object)
    for (const before of changed.values()) if (before !== undefined) then.set(before)
    return then.slice(prefix)
  }

  #isOver(ageMs: number): boolean {
    const { changesMax, changesMin, bytesMax, ageMaxMs } = this.#limits
    const changes = this.#past.length - this.#first
    if (changes > changesMax || (this.#bytes > bytesMax && changes > 1)) return true
    return ageMs > ageMaxMs && changes > changesMin
  }
}
