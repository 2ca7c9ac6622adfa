// Writes every generated file, or with --check says which are stale and changes nothing.
// A generator answers with contents; reading the disk to compare and writing to it happen here only.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oclifManifest } from './generators/oclif-manifest.ts'
import { generateModels } from './models.ts'

/** Answers the paths, relative to the repository, and the whole contents of the files it owns. */
export type Generator = (root: string) => Promise<ReadonlyMap<string, string>>

// Add a line here; `npm run check` then keeps its files fresh.
export const generators: Readonly<Record<string, Generator>> = {
  'oclif manifest': oclifManifest,
  'object models': async () => new Map([['src/api/models.ts', await generateModels()]]),
}

const root = fileURLToPath(new URL('..', import.meta.url))

if (import.meta.main) process.exitCode = await main({ isCheck: process.argv.includes('--check') })

async function main({ isCheck }: { isCheck: boolean }): Promise<number> {
  const stale: string[] = []
  for (const [name, generate] of Object.entries(generators)) {
    for (const [path, content] of await generate(root)) {
      if ((await readOrNothing(join(root, path))) === content) continue
      stale.push(`${path} (${name})`)
      if (!isCheck) await write(join(root, path), content)
    }
  }
  if (stale.length === 0) console.log('generated files are fresh')
  for (const path of stale) console.log(isCheck ? `stale: ${path}` : `written: ${path}`)
  if (isCheck && stale.length > 0) console.log('run: npm run generate')
  return isCheck && stale.length > 0 ? 1 : 0
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`cannot read ${relative(root, path)}`, { cause: error })
  }
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}
