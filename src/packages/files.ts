// A package's files as a map from path to bytes: what every later step reads, wherever the package came from.
// Which of them mean something is the manifest's to say.

import { lstat, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { packageError } from './failure.ts'

/** Paths use `/`, start without one, and are sorted by their UTF-16 units. */
export type PackageFiles = ReadonlyMap<string, Uint8Array>

export const filesMax = 2_000
export const fileBytesMax = 4 * 1024 * 1024
export const packageBytesMax = 16 * 1024 * 1024
const depthMax = 16

// What tools leave behind is no part of a package; version control would make every archive another one.
const ignored = (name: string): boolean =>
  name === 'node_modules' || name.startsWith('.') || name.endsWith('.tgz')

/** Reads a folder. Links are refused: a package holds its own bytes. */
export async function readFolder(folder: string): Promise<PackageFiles> {
  const info = await stat(folder).catch(() => undefined)
  if (info === undefined) throw packageError(folder, 'no such folder')
  if (!info.isDirectory()) throw packageError(folder, 'not a folder; name the folder that holds k3v.yaml')
  const files = new Map<string, Uint8Array>()
  const paths = await listFiles(folder, '', 0)
  let total = 0
  for (const path of paths.sort(byUnits)) {
    const bytes = await readFile(join(folder, path))
    total += bytes.length
    checkSizes({ path, bytes: bytes.length, total, count: files.size + 1 })
    files.set(path, bytes)
  }
  return files
}

/** Files from elsewhere, with the bounds that a folder has. */
export function packageFiles(entries: Iterable<readonly [string, Uint8Array]>): PackageFiles {
  const sorted = [...entries].sort(([a], [b]) => byUnits(a, b))
  let total = 0
  for (const [index, [path, bytes]] of sorted.entries()) {
    total += bytes.length
    checkSizes({ path, bytes: bytes.length, total, count: index + 1 })
  }
  return new Map(sorted)
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

export const byUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

async function listFiles(root: string, inside: string, depth: number): Promise<string[]> {
  if (depth > depthMax) throw packageError(inside, `folders are nested more than ${depthMax} deep`)
  const found: string[] = []
  for (const name of await readdir(join(root, inside))) {
    if (ignored(name)) continue
    const path = inside === '' ? name : `${inside}/${name}`
    const info = await lstat(join(root, path))
    if (info.isSymbolicLink()) throw packageError(path, 'a link; a package holds files and folders only')
    if (info.isDirectory()) found.push(...(await listFiles(root, path, depth + 1)))
    else if (info.isFile()) found.push(path)
    else throw packageError(path, 'neither a file nor a folder')
    if (found.length > filesMax) throw packageError(path, `more than ${filesMax} files`)
  }
  return found
}

function checkSizes(size: {
  readonly path: string
  readonly bytes: number
  readonly total: number
  readonly count: number
}): void {
  if (size.count > filesMax) throw packageError(size.path, `more than ${filesMax} files`)
  if (size.bytes > fileBytesMax)
    throw packageError(size.path, `${size.bytes} bytes; a file has ${fileBytesMax} at most`)
  if (size.total > packageBytesMax) {
    throw packageError(
      size.path,
      `the package has more than ${packageBytesMax} bytes; leave out what is not applied`,
    )
  }
}
