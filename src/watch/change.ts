// One write as the cache remembers it: the state before and after, and the event it is to somebody who sees only
// what a selector lets through. Each event is made once and shared by all who get it.

import type { WatchEvent } from '../api/contracts.ts'
import { type StoredObject, withRevision } from '../api/stored.ts'

export type Matches = (object: StoredObject) => boolean

export class Change {
  readonly key: string
  readonly revision: number
  readonly before: StoredObject | undefined
  readonly after: StoredObject | undefined
  #added: WatchEvent | undefined
  #modified: WatchEvent | undefined
  #deleted: WatchEvent | undefined

  constructor({
    key,
    revision,
    before,
    after,
  }: {
    key: string
    revision: number
    before: StoredObject | undefined
    after: StoredObject | undefined
  }) {
    this.key = key
    this.revision = revision
    this.before = before
    this.after = after
  }

  /** Without `matches` everything is seen. Undefined: this change passed unseen. */
  seenThrough(matches?: Matches): WatchEvent | undefined {
    const { before, after } = this
    const wasSeen = before !== undefined && (matches === undefined || matches(before))
    const isSeen = after !== undefined && (matches === undefined || matches(after))
    if (isSeen) return wasSeen ? this.#modifiedTo(after) : this.#addedAs(after)
    return wasSeen ? this.#gone(before) : undefined
  }

  #addedAs(after: StoredObject): WatchEvent {
    this.#added ??= Object.freeze({ type: 'ADDED', object: after })
    return this.#added
  }

  #modifiedTo(after: StoredObject): WatchEvent {
    this.#modified ??= Object.freeze({ type: 'MODIFIED', object: after })
    return this.#modified
  }

  // Who stops seeing an object gets the state that it last saw, at the revision that took it away.
  #gone(before: StoredObject): WatchEvent {
    this.#deleted ??= Object.freeze({ type: 'DELETED', object: withRevision(before, this.revision) })
    return this.#deleted
  }
}
