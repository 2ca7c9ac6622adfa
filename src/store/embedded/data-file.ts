// The data file: how it is made, and what must be true of one that is there already.
// The rows in it are database.ts's.

import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { corrupt, foreign, networkVolume, newerFormat } from './faults.ts'

export const formatVersion = 1

// Says to everybody that the file is ours: "k3v" and a zero, in SQLite's header.
const applicationId = 0x6b337600

/** The one key id so far: values stand as they are. A later format seals values with keys of other ids. */
export const plainKeyId = 1

// `versions` is the log and the state in one: a version is a row, and the newest row of a key is its value. A row
// without a value is a deletion. `previous` is the row that this one replaced, which goes when this one is compacted.
const tables = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE sealing_keys (id INTEGER PRIMARY KEY, algorithm TEXT NOT NULL);
  CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    previous INTEGER NOT NULL,
    sealing_key INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB
  );
  INSERT INTO sealing_keys VALUES (${plainKeyId}, 'none');
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${formatVersion};
`

export function openDataFile({ directory, epoch }: { directory: string; epoch: string }): DatabaseSync {
  const path = join(directory, 'state.db')
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  refuseNetworkVolume(directory)
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === 0) throw corrupt(path, 'it is empty')
  if (size === undefined && statSync(`${path}-wal`, { throwIfNoEntry: false }) !== undefined) {
    throw corrupt(path, 'it is gone, but its -wal file is there')
  }
  if (size === undefined) createDataFile({ path, directory, epoch })
  const database = new DatabaseSync(path)
  try {
    // Before the first access: then SQLite needs no shared memory file, and nobody else gets in.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    checkDataFile(database, path)
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA cell_size_check = ON;
      PRAGMA trusted_schema = OFF;
      BEGIN IMMEDIATE; COMMIT;
    `)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

// Made whole under another name: a crash in between leaves no half a store behind that would be refused for ever.
function createDataFile({
  path,
  directory,
  epoch,
}: {
  path: string
  directory: string
  epoch: string
}): void {
  const draft = `${path}.${process.pid}.new`
  for (const file of [draft, `${draft}-wal`, `${draft}-journal`]) rmSync(file, { force: true })
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    const database = new DatabaseSync(draft)
    try {
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN; ${tables}`)
      const insert = database.prepare('INSERT INTO meta VALUES (?, ?)')
      // A new store is at 1: no list ever answers 0, which means something else to clients.
      for (const pair of [
        ['epoch', epoch],
        ['revision', '1'],
        ['compacted', '1'],
      ] as const)
        insert.run(...pair)
      database.exec('COMMIT')
    } finally {
      database.close()
    }
    giveName(draft, path)
    syncDirectory(directory)
  } catch (error) {
    // Somebody else was quicker: theirs is opened, and found locked.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

// A link fails when the name is taken, which a rename does not; but not every volume knows links.
function giveName(draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!noLinks.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    renameSync(draft, path)
  }
}

const noLinks: ReadonlySet<string> = new Set(['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK'])

function checkDataFile(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) throw foreign(path)
  const format = pragma(database, 'user_version')
  if (format > formatVersion) throw newerFormat(path, format, formatVersion)
  if (format < 1) throw corrupt(path, `it has format ${format}`)
  const faults = database
    .prepare('PRAGMA quick_check(3)')
    .all()
    .map((row) => String(Object.values(row)[0]))
  if (faults.join() !== 'ok') throw corrupt(path, faults.join('; '))
}

function pragma(database: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

// statfs(2); there, locks and syncs are somebody else's promise.
const networkVolumes: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'SMB'],
  [0xfe534d42, 'SMB'],
])

function refuseNetworkVolume(directory: string): void {
  const kind = networkVolumes.get(statfsSync(directory).type >>> 0)
  if (process.platform === 'linux' && kind !== undefined) throw networkVolume(directory, kind)
}
