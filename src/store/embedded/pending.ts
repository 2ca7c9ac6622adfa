// Writes that are decided but not durable yet: what the next conditions are checked against, and the queue to the disk.

import type { Change, CommitResult, Revision } from '../store.ts'

export interface PendingRow {
  readonly id: number
  readonly key: string
  /** The row that this one replaces, 0 when there is none. */
  readonly previous: number
  readonly value: Uint8Array | undefined
}

export interface PendingCommit {
  readonly revision: Revision
  readonly rows: readonly PendingRow[]
  readonly bytes: number
  readonly resolve: (result: CommitResult) => void
  readonly reject: (error: Error) => void
}

/** What one transaction on disk holds at most: many wait for one sync, but nobody for a second of writing. */
const batchRowsMax = 1_024
const batchBytesMax = 4 * 1024 * 1024

export class PendingWrites {
  readonly #newest = new Map<string, PendingRow>()
  #queue: PendingCommit[] = []
  #bytes = 0

  /** Bytes that wait, those on their way to the disk included. */
  get bytes(): number {
    return this.#bytes
  }

  get hasQueued(): boolean {
    return this.#queue.length > 0
  }

  /** The row that the key will have, 0 when it will have none; undefined: nothing waits for this key. */
  newestId(key: string): number | undefined {
    const row = this.#newest.get(key)
    return row === undefined || row.value !== undefined ? row?.id : 0
  }

  add(commit: PendingCommit): void {
    this.#queue.push(commit)
    this.#bytes += commit.bytes
    for (const row of commit.rows) this.#newest.set(row.key, row)
  }

  /** The oldest that wait, as many as go into one transaction. */
  takeBatch(): PendingCommit[] {
    let rows = 0
    let bytes = 0
    let count = 0
    for (const commit of this.#queue) {
      rows += commit.rows.length
      bytes += commit.bytes
      if (count > 0 && (rows > batchRowsMax || bytes > batchBytesMax)) break
      count += 1
    }
    return this.#queue.splice(0, count)
  }

  /** It is durable: the index knows it now. */
  settle(commit: PendingCommit): void {
    this.#bytes -= commit.bytes
    for (const row of commit.rows) if (this.#newest.get(row.key) === row) this.#newest.delete(row.key)
  }

  /** Nothing waits any more; answers what was still queued. */
  clear(): PendingCommit[] {
    const queued = this.#queue
    this.#queue = []
    this.#bytes = 0
    this.#newest.clear()
    return queued
  }
}

export function bytesOf(changes: readonly Change[]): number {
  let bytes = 0
  for (const { key, value } of changes) bytes += key.length + (value?.byteLength ?? 0)
  return bytes
}
