// `node scripts/package.ts [FOLDER]`: the package as it is published, a .tgz that holds JavaScript only.
// Node strips no types below node_modules, so it is put together in a folder of its own: the checkout stays as it is.

import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { buildProgram } from './build.ts'
import { oclifManifest } from './generators/oclif-manifest.ts'
import { repositoryRoot } from './run.ts'

const run = promisify(execFile)

const copied = [
  'bin',
  'templates',
  'packages-registry',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'SECURITY.md',
]
/** What only the checkout can use. */
const leftOut = ['scripts', 'devDependencies', 'workspaces']
const files = [...copied, 'dist', 'src', 'oclif.manifest.json']

/** Writes the package into the folder and answers its path. */
export async function packPackage(folder: string): Promise<string> {
  const stage = await mkdtemp(join(tmpdir(), 'k3v-package-'))
  try {
    await fillStage(stage)
    await mkdir(folder, { recursive: true })
    const args = ['pack', '--json', '--ignore-scripts', '--offline', '--pack-destination', folder]
    const { stdout } = await run('npm', args, { cwd: stage, maxBuffer: 16 << 20 })
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[]
    if (packed === undefined) throw new Error('npm pack wrote nothing')
    return join(folder, packed.filename)
  } finally {
    await rm(stage, { recursive: true, force: true })
  }
}

async function fillStage(stage: string): Promise<void> {
  for (const name of copied) await cp(join(repositoryRoot, name), join(stage, name), { recursive: true })
  await compile(stage)
  await buildProgram({ output: join(stage, 'dist') })
  for (const [path, content] of await oclifManifest(repositoryRoot))
    await writeFile(join(stage, path), content)
  const description = JSON.parse(await readFile(join(repositoryRoot, 'package.json'), 'utf8')) as object
  const kept = Object.entries(description).filter(([name]) => !leftOut.includes(name))
  const published = { ...Object.fromEntries(kept), files }
  await writeFile(join(stage, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
}

/** The compiler rewrites `./a.ts` to `./a.js`, and copies the JSON that the sources import. */
async function compile(stage: string): Promise<void> {
  const settings = join(stage, 'tsconfig.json')
  const compilerOptions = {
    noEmit: false,
    rootDir: repositoryRoot,
    outDir: stage,
    types: ['node'],
    typeRoots: [join(repositoryRoot, 'node_modules', '@types')],
  }
  const include = [join(repositoryRoot, 'src')]
  await writeFile(
    settings,
    JSON.stringify({ extends: join(repositoryRoot, 'tsconfig.json'), compilerOptions, include }),
  )
  // The settings' own folder is where the compiler looks for the types of Node.
  await symlink(join(repositoryRoot, 'node_modules'), join(stage, 'node_modules'))
  await run(join(repositoryRoot, 'node_modules', '.bin', 'tsc'), ['-p', settings])
  await rm(join(stage, 'node_modules'))
  await rm(settings)
}

if (import.meta.main) console.log(await packPackage(resolve(process.argv[2] ?? '.')))
