// Bundles the plane into dist/: files that run on any stock Node image, without node_modules.

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { collectDescriptions, descriptionsFile } from '../src/kinds/facts/descriptions.ts'
import { repositoryRoot } from './run.ts'

// Some dependencies are CommonJS and call require() for Node's own modules; an ES module has none.
const banner = `import { createRequire as k3vCreateRequire } from 'node:module'
const require = k3vCreateRequire(import.meta.url)`

/** Output file in dist/ to its entry. Workers are files of their own: a thread starts from a file. */
const entries = {
  'plane.mjs': 'src/plane/main.ts',
  'store-worker.mjs': 'src/store/embedded/worker.ts',
} as const

export interface BuildOptions {
  readonly root?: string
  /** The folder that is written; dist/ unless given. */
  readonly output?: string
}

/** Writes the program and answers the names of its files. */
export async function buildProgram({
  root = repositoryRoot,
  output: folder = join(root, 'dist'),
}: BuildOptions = {}): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true })
  for (const [output, entry] of Object.entries(entries)) {
    await build({
      entryPoints: [join(root, entry)],
      outfile: join(folder, output),
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      banner: { js: banner },
      minifySyntax: true,
      minifyWhitespace: true,
      keepNames: true,
      legalComments: 'linked',
      logLevel: 'warning',
    })
  }
  await writeFile(join(folder, descriptionsFile), gzipSync(JSON.stringify(collectDescriptions())))
  return [...Object.keys(entries), descriptionsFile]
}

if (import.meta.main) {
  for (const name of await buildProgram()) {
    const { size } = await stat(join(repositoryRoot, 'dist', name))
    console.log(`dist/${name}: ${(size / 1024).toFixed(0)} KiB`)
  }
}
