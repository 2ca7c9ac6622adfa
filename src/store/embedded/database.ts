// The rows of the data file: append, read, forget. Runs in the worker, where it may wait for the disk.
// It checks nothing that the other side has checked; the order of requests is the order of things.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { sortKeys } from '../keys.ts'
import type { Revision } from '../store.ts'
import { openDataFile, plainKeyId } from './data-file.ts'
import { corrupt, faultOf, unknownSealingKey } from './faults.ts'
import type { Answers, CommitRequest, Opened, OpenRequest, ReadEvents, ReadValues } from './messages.ts'
import { lastRowOf, revisionOf } from './row-id.ts'
import { pack, unpack } from './slab.ts'

/** An answer is cut after this much; what is left is asked for again. */
const answerBytesMax = 8 * 1024 * 1024
const answerRowsMax = 10_000
const pageBytes = 4_096

type Row = [
  id: number,
  key: string,
  previous: number,
  sealingKey: number,
  checksum: number,
  value: Uint8Array | null,
]
const columns = 'id, key, previous, sealing_key, checksum, value'

export class Database {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #select: StatementSync
  readonly #range: StatementSync
  readonly #remove: StatementSync
  readonly #setMeta: StatementSync
  #compactedRevision: Revision

  constructor({ directory, epoch, bytesMax }: Omit<OpenRequest, 'type'>) {
    this.#path = join(directory, 'state.db')
    try {
      const database = openDataFile({ directory, epoch })
      this.#database = database
      const prepare = (sql: string) => {
        const statement = database.prepare(sql)
        statement.setReturnArrays(true)
        return statement
      }
      if (bytesMax !== undefined) database.exec(`PRAGMA max_page_count = ${Math.ceil(bytesMax / pageBytes)}`)
      this.#insert = prepare(`INSERT INTO versions (${columns}) VALUES (?, ?, ?, ?, ?, ?)`)
      this.#select = prepare(`SELECT ${columns} FROM versions WHERE id = ?`)
      this.#range = prepare(`SELECT ${columns} FROM versions WHERE id > ? AND id <= ? ORDER BY id`)
      this.#remove = prepare('DELETE FROM versions WHERE id = ?')
      this.#setMeta = prepare('UPDATE meta SET value = ? WHERE name = ?')
      this.#compactedRevision = Number(this.#meta('compacted'))
    } catch (error) {
      throw faultOf(this.#path, error)
    }
  }

  /** Everything but the values. */
  describe(): Opened {
    return this.#guard(() => {
      const newest = new Map<string, number>()
      const scan = this.#database.prepare('SELECT id, key, value IS NULL FROM versions ORDER BY id')
      scan.setReturnArrays(true)
      let last = 0
      let events = 0
      for (const row of scan.iterate()) {
        const [id, key, isDeletion] = row as unknown as [number, string, number]
        if (isDeletion === 1) newest.delete(key)
        else newest.set(key, id)
        last = id
        if (revisionOf(id) > this.#compactedRevision) events += 1
      }
      const keys = sortKeys([...newest.keys()])
      return {
        epoch: this.#meta('epoch'),
        revision: Math.max(Number(this.#meta('revision')), revisionOf(last)),
        compactedRevision: this.#compactedRevision,
        keys,
        ids: Float64Array.from(keys, (key) => newest.get(key) ?? 0),
        events,
        logBytes: statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      }
    })
  }

  /** One transaction, synced when this returns; or nothing of it. */
  commit({ ids, previous, keys, values }: CommitRequest): Answers['commit'] {
    return this.#guard(() => {
      const replaced: (Uint8Array | undefined)[] = []
      this.#database.exec('BEGIN IMMEDIATE')
      for (const [at, value] of unpack(values).entries()) {
        const id = ids[at] ?? 0
        const before = previous[at] ?? 0
        const key = keys[at] ?? ''
        replaced.push(before === 0 ? undefined : this.#valueOf(before))
        const checksum = checksumOf({ id, key, previous: before, sealingKey: plainKeyId, value })
        this.#insert.run(id, key, before, plainKeyId, checksum, value ?? null)
      }
      this.#database.exec('COMMIT')
      return { previous: pack(replaced) }
    })
  }

  read(ids: Float64Array): ReadValues {
    return this.#guard(() => {
      const values: (Uint8Array | undefined)[] = []
      let bytes = 0
      for (const id of ids) {
        const value = this.#valueOf(id)
        values.push(value)
        bytes += value.byteLength
        if (bytes >= answerBytesMax || values.length >= answerRowsMax) break
      }
      return { values: pack(values) }
    })
  }

  events({ after, upTo }: { after: number; upTo: number }): ReadEvents {
    return this.#guard(() => {
      const rows: Row[] = []
      const previous: (Uint8Array | undefined)[] = []
      let bytes = 0
      for (const found of this.#range.iterate(after, upTo)) {
        const row = this.#checked(found as unknown as Row)
        rows.push(row)
        const before = row[2] === 0 ? undefined : this.#valueOf(row[2])
        previous.push(before)
        bytes += (row[5]?.byteLength ?? 0) + (before?.byteLength ?? 0)
        if (bytes >= answerBytesMax || rows.length >= answerRowsMax) break
      }
      return {
        ids: Float64Array.from(rows, (row) => row[0]),
        previousIds: Float64Array.from(rows, (row) => row[2]),
        keys: rows.map((row) => row[1]),
        values: pack(rows.map((row) => row[5] ?? undefined)),
        previous: pack(previous),
      }
    })
  }

  /** Removes what the events up to `revision` replaced, and the deletions among them. */
  compact(revision: Revision): Answers['compact'] {
    return this.#guard(() => {
      const list = this.#database.prepare(
        'SELECT id, previous, value IS NULL FROM versions WHERE id > ? AND id <= ?',
      )
      list.setReturnArrays(true)
      const rows = list.all(lastRowOf(this.#compactedRevision), lastRowOf(revision)) as unknown as number[][]
      const newest = this.#database.prepare('SELECT max(id) FROM versions').get()?.['max(id)']
      this.#database.exec('BEGIN IMMEDIATE')
      for (const [id = 0, previous = 0, isDeletion = 0] of rows) {
        if (previous !== 0) this.#remove.run(previous)
        if (isDeletion === 1) this.#remove.run(id)
      }
      // The newest row may be a deletion that goes now: its revision must not be given again.
      const last = Math.max(Number(this.#meta('revision')), revisionOf(Number(newest ?? 0)))
      this.#setMeta.run(String(last), 'revision')
      this.#setMeta.run(String(revision), 'compacted')
      this.#database.exec('COMMIT')
      this.#compactedRevision = revision
      return {}
    })
  }

  /** Moves the log into the file. The log keeps its size: writing over it is quicker than making it grow. */
  checkpoint(): Answers['checkpoint'] {
    return this.#guard(() => {
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)')
      return {}
    })
  }

  close(): Answers['close'] {
    this.#database.close()
    return {}
  }

  #valueOf(id: number): Uint8Array {
    const row = this.#select.get(id) as unknown as Row | undefined
    const value = row === undefined ? undefined : this.#checked(row)[5]
    if (value === undefined || value === null) throw corrupt(this.#path, `the value of row ${id} is missing`)
    return value
  }

  #checked(row: Row): Row {
    const [id, key, previous, sealingKey, checksum, value] = row
    if (checksumOf({ id, key, previous, sealingKey, value: value ?? undefined }) !== checksum) {
      throw corrupt(this.#path, `row ${id} does not match its checksum`)
    }
    if (sealingKey !== plainKeyId) throw unknownSealingKey(this.#path, sealingKey)
    return row
  }

  #meta(name: 'epoch' | 'revision' | 'compacted'): string {
    const value = this.#database.prepare('SELECT value FROM meta WHERE name = ?').get(name)?.['value']
    if (typeof value !== 'string') throw corrupt(this.#path, `its ${name} is missing`)
    return value
  }

  #guard<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      const fault = faultOf(this.#path, error)
      // SQLite has rolled back by itself after most faults, but not after all.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw fault
    }
  }
}

function checksumOf({
  id,
  key,
  previous,
  sealingKey,
  value,
}: {
  id: number
  key: string
  previous: number
  sealingKey: number
  value: Uint8Array | undefined
}): number {
  const head = crc32(`${id} ${previous} ${sealingKey} ${value === undefined ? 'deleted' : 'value'} ${key}`)
  return value === undefined ? head : crc32(value, head)
}
