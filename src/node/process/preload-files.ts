// Where the preload is for the processes that load it: in the published package as it stands there; from source as a
// copy without types, because stripping them in each process costs 30 MB and 50 ms.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const isSource = import.meta.url.endsWith('.ts')
const folder = new URL('../preload/', import.meta.url)

/** Answers the URL of the module to load. `directory` is written anew at each start. */
export async function preparePreload(directory: string): Promise<string> {
  if (!isSource) return new URL('start.js', folder).href
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.ts')) continue
    const text = stripQuietly(await readFile(fileURLToPath(new URL(name, folder)), 'utf8'))
    const plain = text.replaceAll(/(from\s+'\.\/[\w-]+)\.ts'/g, "$1.js'")
    await writeFile(join(directory, name.replace(/\.ts$/, '.js')), plain)
  }
  return pathToFileURL(join(directory, 'start.js')).href
}

// The function is marked as experimental; what it does is what Node does to every file of this repository.
function stripQuietly(text: string): string {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return stripTypeScriptTypes(text)
  } finally {
    process.emitWarning = emitWarning
  }
}
