// The published package, installed in an empty folder without a network: unpacked, its dependencies copied from here.
// Only what the lock calls a production dependency is there, so a forgotten one is missed.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { packPackage } from '../../scripts/package.ts'
import { repositoryRoot } from '../source-files.ts'

const run = promisify(execFile)

/** Large, and nothing is resolved from within it that is not here too. */
const linked = 'node_modules/@kubernetes/client-node'

export interface Installed extends AsyncDisposable {
  readonly folder: string
  /** Below node_modules, as npm puts it. */
  readonly package: string
  k3v(args: readonly string[], nodeArgs?: readonly string[]): Promise<Result>
  start(args: readonly string[]): ChildProcess
}

export interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-installed-'))
  const place = join(folder, 'node_modules', 'k3v')
  await mkdir(place, { recursive: true })
  const archive = await packPackage(folder)
  await run('tar', ['-xzf', archive, '-C', place, '--strip-components=1'])
  for (const path of await productionPaths()) await bring(path, folder)
  const environment = {
    PATH: dirname(process.execPath),
    HOME: folder,
    TMPDIR: folder,
    NO_COLOR: '1',
    NO_PROXY: '*',
  }
  const options = { cwd: folder, env: environment }
  const bin = join(place, 'bin', 'k3v.js')
  return {
    folder,
    package: place,
    k3v: (args, nodeArgs = []) =>
      new Promise((resolve) => {
        execFile(process.execPath, [...nodeArgs, bin, ...args], options, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
        })
      }),
    start: (args) =>
      spawn(process.execPath, [bin, ...args], { ...options, stdio: ['ignore', 'ignore', 'pipe'] }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  }
}

async function productionPaths(): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(repositoryRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev, optional, link }]) => isInstalled(path) && !dev && !optional && !link)
    .map(([path]) => path)
}

interface LockedPackage {
  readonly dev?: boolean
  readonly optional?: boolean
  readonly link?: boolean
}

const isInstalled = (path: string): boolean => /^node_modules\/(?!.*\/node_modules\/)/.test(path)

// A top package is copied with the packages it nests.
async function bring(path: string, folder: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  if (path === linked) await symlink(join(repositoryRoot, path), join(folder, path))
  else await cp(join(repositoryRoot, path), join(folder, path), { recursive: true })
}
