// Writes a set of files so that a program sees all of the old ones or all of the new ones.
// Upstream: pkg/volume/util/atomic_writer.go. What is in the files is payload.ts's.

import { chmod, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface PayloadFile {
  readonly data: Buffer
  readonly mode: number
}

/** Relative paths, without `..`. */
export type Payload = ReadonlyMap<string, PayloadFile>

const current = '..data'

/** `stamp` names this state and differs from the last one's. Answers whether anything changed. */
export async function writeAtomically(directory: string, payload: Payload, stamp: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  const old = await readlink(join(directory, current)).catch(() => undefined)
  if (old !== undefined && (await isSame(join(directory, old), payload))) return false
  const folder = `..${stamp}`
  await writeAll(join(directory, folder), payload)
  const draft = join(directory, '..data_tmp')
  await rm(draft, { force: true })
  await symlink(folder, draft)
  await rename(draft, join(directory, current))
  await linkNames(directory, payload)
  if (old !== undefined && old !== folder) await rm(join(directory, old), { recursive: true, force: true })
  return true
}

async function isSame(folder: string, payload: Payload): Promise<boolean> {
  const files = await filesBelow(folder)
  if (files.length !== payload.size) return false
  for (const [path, { data }] of payload) {
    const there = await readFile(join(folder, path)).catch(() => undefined)
    if (there === undefined || !there.equals(data)) return false
  }
  return true
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
}

async function writeAll(folder: string, payload: Payload): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true, mode: 0o755 })
  for (const [path, { data, mode }] of payload) {
    const full = join(folder, path)
    await mkdir(dirname(full), { recursive: true, mode: 0o755 })
    await writeFile(full, data)
    // The owner is the one who reads: without group and owner ids a file must at least be readable to itself.
    await chmod(full, mode | 0o400)
  }
}

/** A link for each name at the top, made once, leading through `..data`. */
async function linkNames(directory: string, payload: Payload): Promise<void> {
  const wanted = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path))
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !wanted.delete(name))
      await rm(join(directory, name), { recursive: true, force: true })
  }
  for (const name of wanted) await symlink(join(current, name), join(directory, name))
}
