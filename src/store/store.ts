// The contract of a store: revisioned keys and bytes, durable before they are acknowledged or seen.
// It knows nothing of Kubernetes. One suite (test/store/suite.ts) runs against every engine.

/** Grows by one with each committed transaction that changes anything; never reused, not after a crash either. */
export type Revision = number

export interface Entry {
  readonly key: string
  /** Owned by the store and never changed afterwards: callers must not write into it. */
  readonly value: Uint8Array
  /** The revision of the write that made this value. */
  readonly revision: Revision
}

/** What must hold when the transaction is applied: `revision` 0 says that the key is absent. */
export interface Condition {
  readonly key: string
  readonly revision: Revision
}

export interface Change {
  readonly key: string
  /** Absent: the key is deleted. */
  readonly value?: Uint8Array | undefined
}

export interface Transaction {
  readonly conditions: readonly Condition[]
  readonly changes: readonly Change[]
}

export type CommitResult =
  | { readonly ok: true; readonly revision: Revision }
  /** A condition did not hold; `current` is the newest value of that key, absent when the key is. */
  | { readonly ok: false; readonly key: string; readonly current: Entry | undefined }

/** One committed change, as watchers see it. A deletion has no value; `previous` is what it replaced or removed. */
export interface StoreEvent {
  readonly key: string
  readonly revision: Revision
  readonly value: Uint8Array | undefined
  readonly previous: Entry | undefined
}

export interface Store {
  /** The newest durable revision; reads show this and no later one. */
  readonly revision: Revision
  /** Events at or before this revision are gone. */
  readonly compactedRevision: Revision
  /** Names the data itself: fresh for every newly made store, kept by restarts, changed by restoring a backup. */
  readonly epoch: string

  get(key: string): Promise<Entry | undefined>
  /** All entries whose key starts with `prefix`, in bytewise key order, of one durable revision. */
  list(prefix: string): Promise<{ readonly revision: Revision; readonly entries: readonly Entry[] }>
  /**
   * What `list` answers, handed over in pieces so that nobody has to hold all of it; answers its revision. `take` must
   * not throw or wait.
   */
  scan(prefix: string, take: (entries: readonly Entry[]) => void): Promise<Revision>
  /**
   * Applies all changes at one revision, or none. Resolves when the result is durable. Rejects with StoreError when the
   * outcome is a fault (`busy`, `full`, `closed`, `failed`); then nothing of it is ever seen.
   */
  commit(transaction: Transaction): Promise<CommitResult>
  /**
   * Calls `listener` with the durable events of each commit, in revision order, starting after `from` (a revision >=
   * `compactedRevision`, else it throws StoreError `compacted`). Events of one transaction come in one call. The
   * listener must not throw or wait. Past events are replayed before this returns. Returns the function that ends it.
   */
  subscribe(from: Revision, listener: (events: readonly StoreEvent[]) => void): Promise<() => void>
  /** Forgets events at or before `revision`; the newest value of each key stays. */
  compact(revision: Revision): Promise<void>
  /** Waits for writes under way, then frees everything. Later calls reject with `closed`. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export const storeFaults = [
  'busy',
  'closed',
  'compacted',
  'corrupt',
  'failed',
  'full',
  'locked',
  'unsupported',
] as const
export type StoreFault = (typeof storeFaults)[number]

/** A fault of the store itself, with a message a person can act on. */
export class StoreError extends Error {
  readonly fault: StoreFault
  constructor(fault: StoreFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.fault = fault
  }
}
