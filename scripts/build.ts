// Bundles the plane into dist/plane.mjs: one file that runs on any stock Node image, without node_modules.

import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { repositoryRoot } from './run.ts'

const entry = join(repositoryRoot, 'src/plane/main.ts')
const outfile = join(repositoryRoot, 'dist/plane.mjs')

// Some dependencies are CommonJS and call require() for Node's own modules; an ES module has none.
const banner = `import { createRequire as k3vCreateRequire } from 'node:module'
const require = k3vCreateRequire(import.meta.url)`

if (!existsSync(entry)) {
  console.error('nothing to build: src/plane/main.ts does not exist yet')
  process.exitCode = 1
} else {
  await build({
    entryPoints: [entry],
    outfile,
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
  const { size } = await stat(outfile)
  console.log(`dist/plane.mjs: ${(size / 1024).toFixed(0)} KiB`)
}
