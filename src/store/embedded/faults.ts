// What went wrong with the file, in words that name it and say how to mend it.

import { StoreError } from '../store.ts'

export const locked = (path: string, cause?: unknown): StoreError =>
  new StoreError(
    'locked',
    `${path} is in use by another process: stop that one first, or choose another directory`,
    {
      cause,
    },
  )

export const corrupt = (path: string, detail: string, cause?: unknown): StoreError =>
  new StoreError(
    'corrupt',
    `${path} is damaged (${detail}): restore it from a backup; to start empty, move it away together with its -wal file`,
    { cause },
  )

export const newerFormat = (path: string, found: number, known: number): StoreError =>
  new StoreError(
    'unsupported',
    `${path} has format ${found} and this k3v knows up to ${known}: run the newer k3v, or restore a backup made before it`,
  )

export const foreign = (path: string): StoreError =>
  new StoreError('unsupported', `${path} belongs to another program: choose another directory`)

export const unknownSealingKey = (path: string, id: number): StoreError =>
  new StoreError(
    'unsupported',
    `${path} holds values sealed with key ${id}, which this k3v does not have: give it that key`,
  )

export const networkVolume = (path: string, kind: string): StoreError =>
  new StoreError(
    'unsupported',
    `${path} is on ${kind}, which cannot promise locks and syncs: choose a directory on a local or block volume`,
  )

export const full = (path: string, cause?: unknown): StoreError =>
  new StoreError(
    'full',
    `no space is left for ${path}, nothing was written: free some, or enlarge the volume`,
    { cause },
  )

export const failed = (path: string, detail: string, cause?: unknown): StoreError =>
  new StoreError('failed', `${path} cannot be used (${detail}): check the volume, then start again`, {
    cause,
  })

// Primary result codes: https://sqlite.org/rescode.html.
const sqliteReadonly = 8
const sqliteBusy = 5
const sqliteLocked = 6
const sqliteCorrupt = 11
const sqliteFull = 13
const sqliteNotADatabase = 26

/** A fault of SQLite or of the file system, as the store's own. */
export function faultOf(path: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const detail = error instanceof Error ? error.message : String(error)
  const { code, errcode } = (error ?? {}) as { readonly code?: unknown; readonly errcode?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT') return full(path, error)
  switch (typeof errcode === 'number' ? errcode & 0xff : undefined) {
    case sqliteBusy:
    case sqliteLocked:
      return locked(path, error)
    case sqliteCorrupt:
      return corrupt(path, detail, error)
    case sqliteNotADatabase:
      return corrupt(path, 'it is not a store at all, or its beginning is lost', error)
    case sqliteFull:
      return full(path, error)
    case sqliteReadonly:
      return failed(path, 'it may not be written', error)
    default:
      return failed(path, detail, error)
  }
}
