// The files of one folder of one commit, read from git objects. Nothing is checked out, so no link can lead anywhere.
// Which of the files mean something is the package's to say.

import nodeFileSystem from 'node:fs'
import { readBlob, readTree, type TreeEntry } from 'isomorphic-git'
import {
  fileBytesMax,
  filesMax,
  type PackageFiles,
  packageBytesMax,
  packageFiles,
} from '../packages/files.ts'
import { isUnsafeName, SourceError } from './source.ts'

export interface Place {
  readonly gitdir: string
  /** What the library remembers between calls; without it every read opens the pack again. */
  readonly cache: object
}

const depthMax = 16
const fileModes = new Set(['100644', '100755', '100664'])

// As when a folder is packed: what tools leave behind is no part of a package.
const ignored = (name: string): boolean =>
  name === 'node_modules' || name.startsWith('.') || name.endsWith('.tgz')

/** The id of the folder's tree: it stays the same while nothing below changes. Throws SourceError. */
export async function findFolder(place: Place, commit: string, path: readonly string[]): Promise<string> {
  let { oid, tree } = await list(place, commit)
  for (const [index, name] of path.entries()) {
    const entry = tree.find((candidate) => candidate.path === name)
    if (entry === undefined || entry.type !== 'tree')
      throw new SourceError(`the commit has no folder ${path.slice(0, index + 1).join('/')}`)
    ;({ oid, tree } = await list(place, entry.oid))
  }
  return oid
}

/** Throws SourceError for what a package must not hold, also when it holds nothing. */
export async function readFiles(place: Place, folder: string): Promise<PackageFiles> {
  const blobs = new Map<string, string>()
  await collect(place, { oid: folder, inside: '', depth: 0 }, blobs)
  if (blobs.size === 0)
    throw new SourceError('the folder holds no files; nothing is deployed and nothing removed')
  const files: [string, Uint8Array][] = []
  let total = 0
  for (const [path, oid] of blobs) {
    const { blob } = await readBlob({ fs: nodeFileSystem, ...place, oid })
    total += blob.length
    if (blob.length > fileBytesMax || total > packageBytesMax) {
      throw new SourceError(
        `${path}: a package's files have ${fileBytesMax} bytes, together ${packageBytesMax}`,
      )
    }
    files.push([path, blob])
  }
  return packageFiles(files)
}

interface Folder {
  readonly oid: string
  readonly inside: string
  readonly depth: number
}

async function collect(place: Place, folder: Folder, blobs: Map<string, string>): Promise<void> {
  const { oid, inside, depth } = folder
  if (depth > depthMax) throw new SourceError(`${inside}: folders are nested more than ${depthMax} deep`)
  const { tree } = await list(place, oid)
  for (const entry of tree) {
    const path = inside === '' ? entry.path : `${inside}/${entry.path}`
    refuse(entry, path)
    if (ignored(entry.path)) continue
    if (entry.type === 'tree') await collect(place, { oid: entry.oid, inside: path, depth: depth + 1 }, blobs)
    else blobs.set(path, entry.oid)
    if (blobs.size > filesMax) throw new SourceError(`${inside}: more than ${filesMax} files`)
  }
}

function refuse({ mode, path: name, type }: TreeEntry, path: string): void {
  if (isUnsafeName(name)) throw new SourceError(`${JSON.stringify(path)}: not a name for a file`)
  if (mode === '120000') throw new SourceError(`${path}: a link; a package holds files and folders only`)
  if (type === 'commit') throw new SourceError(`${path}: a submodule; a package holds its own files`)
  if (type === 'blob' && !fileModes.has(mode))
    throw new SourceError(`${path}: mode ${mode} is not that of a file`)
}

const list = (place: Place, oid: string) => readTree({ fs: nodeFileSystem, ...place, oid })
