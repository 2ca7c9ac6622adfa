// What the store and its worker say to each other. Requests are answered one by one, in order.

import type { Revision, StoreFault } from '../store.ts'
import type { Slab } from './slab.ts'

export type Request =
  | OpenRequest
  | CommitRequest
  | { readonly type: 'read'; readonly ids: Float64Array }
  /** Rows after `after`, up to and with `upTo`: as many as fit into an answer. */
  | { readonly type: 'events'; readonly after: number; readonly upTo: number }
  | { readonly type: 'compact'; readonly revision: Revision }
  | { readonly type: 'checkpoint' }
  | { readonly type: 'close' }

export interface OpenRequest {
  readonly type: 'open'
  readonly directory: string
  /** The epoch of the file if it must be made. */
  readonly epoch: string
  readonly bytesMax: number | undefined
}

/** Rows to append, in order; `previous` is the row that each one replaces, or 0. */
export interface CommitRequest {
  readonly type: 'commit'
  readonly ids: Float64Array
  readonly previous: Float64Array
  readonly keys: readonly string[]
  readonly values: Slab
}

export interface Opened {
  readonly epoch: string
  readonly revision: Revision
  readonly compactedRevision: Revision
  /** Keys that have a value, sorted, and the row of each. */
  readonly keys: readonly string[]
  readonly ids: Float64Array
  /** How many rows are newer than what was compacted. */
  readonly events: number
  /** The size of the log that is not in the file yet, at most. */
  readonly logBytes: number
}

/** The values that the committed rows replaced. */
export interface Committed {
  readonly previous: Slab
}

/** The first of the values that were asked for, at least one. */
export interface ReadValues {
  readonly values: Slab
}

export interface ReadEvents {
  readonly ids: Float64Array
  readonly previousIds: Float64Array
  readonly keys: readonly string[]
  readonly values: Slab
  readonly previous: Slab
}

export interface Answers {
  readonly open: Opened
  readonly commit: Committed
  readonly read: ReadValues
  readonly events: ReadEvents
  readonly compact: Record<never, never>
  readonly checkpoint: Record<never, never>
  readonly close: Record<never, never>
}

export type Answer = { readonly serial: number } & (
  | { readonly ok: true; readonly answer: Answers[Request['type']] }
  | { readonly ok: false; readonly fault: StoreFault; readonly message: string }
)

export type Envelope = { readonly serial: number; readonly request: Request }
