// Reads the repository's own source for the tests that judge it.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repositoryRoot = fileURLToPath(new URL('..', import.meta.url))

export interface SourceFile {
  /** Relative to the repository, with forward slashes. */
  readonly path: string
  readonly text: string
}

// Written by a generator: size and wording are its business.
export const generatedPaths: readonly RegExp[] = [/^src\/kinds\/facts\//, /^src\/api\/models\.ts$/]

const skippedFolders = new Set(['node_modules', '.git', '.cache', '.tap', 'dist', 'fixtures', 'golden'])

/** All files with one of these endings below the folders, in order. A folder that is not there yet holds none. */
export function readSource(folders: readonly string[], endings: readonly string[]): readonly SourceFile[] {
  return folders
    .flatMap((folder) => listFiles(folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .sort()
    .map((path) => ({ path, text: readFileSync(join(repositoryRoot, path), 'utf8') }))
}

export function isGenerated(path: string): boolean {
  return generatedPaths.some((pattern) => pattern.test(path))
}

/** The folders directly below src/. */
export function listRooms(): readonly string[] {
  const entries = readdirSync(join(repositoryRoot, 'src'), { withFileTypes: true })
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function listFiles(folder: string): readonly string[] {
  const entries = readEntries(folder).filter((entry) => !skippedFolders.has(entry.name))
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? listFiles(path) : [path]
  })
}

function readEntries(folder: string) {
  try {
    return readdirSync(join(repositoryRoot, folder), { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
