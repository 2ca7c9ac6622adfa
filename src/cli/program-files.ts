// The control plane's program, as every package carries it: the files of dist/.
// From source they are built first when they are older than the source; a published package has them.

import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../platform/clock.ts'

const root = fileURLToPath(new URL('../../package.json', import.meta.url)).replace(/package\.json$/, '')
const dist = join(root, 'dist')
const entry = 'plane.mjs'
const isProgram = (name: string): boolean => !name.endsWith('.map')
const lock = join(root, '.cache', 'building')
const lockPollMs = 100
const lockAgeMsMax = 60_000

/** File name to content; throws when there is no program and none can be built. */
export async function readProgram(): Promise<ReadonlyMap<string, Uint8Array>> {
  if (await isFromSource()) await buildOnce()
  const names = (await readdir(dist).catch(() => [])).filter(isProgram).sort()
  if (!names.includes(entry)) throw new Error(`${dist} holds no ${entry}: run \`npm run build\``)
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(dist, name))] as const),
  )
  return new Map(files)
}

/** The versions that made a package, for its lock. */
export async function readTools(): Promise<Readonly<Record<string, string>>> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return { k3v: version, kubernetes: '1.36', node: process.versions.node }
}

const isFromSource = async (): Promise<boolean> => (await modifiedMs(join(root, 'src/cli/base.ts'))) > 0

/** One process builds at a time, and nobody reads what another is still writing. */
async function buildOnce(): Promise<void> {
  await mkdir(dirname(lock), { recursive: true })
  while (!(await takeLock())) await systemClock.sleep(lockPollMs)
  try {
    await buildIfStale()
  } finally {
    await rmdir(lock)
  }
}

async function takeLock(): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Left behind by a process that was killed: the next try takes it.
    if (systemClock.now() - (await modifiedMs(lock)) > lockAgeMsMax) await rmdir(lock).catch(() => undefined)
    return false
  }
}

async function buildIfStale(): Promise<void> {
  const builtMs = await modifiedMs(join(dist, entry))
  const sources = await readdir(join(root, 'src'), { recursive: true })
  const changed = await Promise.all(
    sources.filter((name) => /\.(ts|json|gz)$/.test(name)).map((name) => modifiedMs(join(root, 'src', name))),
  )
  const newestMs = Math.max(...changed, await modifiedMs(join(root, 'package.json')))
  if (newestMs <= builtMs) return
  // A process of its own: the bundler is a development tool that no command imports.
  await promisify(execFile)(process.execPath, [join(root, 'scripts', 'build.ts')], { cwd: root })
}

async function modifiedMs(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined)
  return info?.mtimeMs ?? 0
}
