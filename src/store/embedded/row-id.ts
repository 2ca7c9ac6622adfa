// The number of a stored version: its revision and its place in the transaction, as one safe integer.
// Rows are appended in this order, so the file grows at its end and the past is a range.

import assert from 'node:assert/strict'
import type { Revision } from '../store.ts'

/** How many changes one transaction may hold. */
export const changesMax = 4_096

export function rowId(revision: Revision, place: number): number {
  assert(place < changesMax, `a transaction holds at most ${changesMax} changes`)
  const id = revision * changesMax + place
  assert(Number.isSafeInteger(id), 'revisions end at 2^41')
  return id
}

/** 0, the row that no key has, is of revision 0. */
export function revisionOf(id: number): Revision {
  return Math.floor(id / changesMax)
}

/** The last row that `revision` can have. */
export function lastRowOf(revision: Revision): number {
  return rowId(revision, changesMax - 1)
}
