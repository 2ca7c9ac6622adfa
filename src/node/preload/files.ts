// Lets a container's file calls reach what is mounted: paths go in mapped, errors and answers come out as they went in.
// Best effort: native code that opens files by itself is not seen.

import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type AnyFunction, replace } from './patch.ts'
import type { PathMap } from './path-map.ts'

const readers = [
  'access',
  'exists',
  'lstat',
  'opendir',
  'openAsBlob',
  'readdir',
  'readFile',
  'readlink',
  'realpath',
  'stat',
  'statfs',
  'unwatchFile',
  'watch',
  'watchFile',
  'createReadStream',
]
const writers = [
  'appendFile',
  'chmod',
  'chown',
  'createWriteStream',
  'lchmod',
  'lchown',
  'lutimes',
  'mkdir',
  'mkdtemp',
  'rm',
  'rmdir',
  'truncate',
  'unlink',
  'utimes',
  'writeFile',
]
// `from` and `to`; of a symbolic link only the place where it is made is mapped, what it says stays as it is.
const pairs = ['copyFile', 'cp', 'link', 'rename']
const answersPath = new Set(['realpath', 'mkdtemp', 'mkdir', 'realpathSync', 'mkdtempSync', 'mkdirSync'])

export function patchFiles(paths: PathMap): void {
  for (const module of [fs, fs.promises]) {
    const patch = (name: string, positions: readonly number[], writes: readonly number[]) => {
      for (const variant of module === fs ? [name, `${name}Sync`] : [name]) {
        replace(module, variant, (original) =>
          redirect(original, { paths, name: variant, positions, writes, isPromise: module === fs.promises }),
        )
      }
    }
    for (const name of readers) patch(name, [0], [])
    for (const name of writers) patch(name, [0], [0])
    for (const name of pairs) patch(name, [0, 1], name === 'rename' ? [0, 1] : [1])
    patch('symlink', [1], [1])
    patch('open', [0], [])
  }
  for (const name of ['realpath', 'realpathSync'] as const) {
    replace(fs[name], 'native', (original) =>
      redirect(original, { paths, name: 'realpath', positions: [0], writes: [] }),
    )
  }
  replace(process, 'chdir', (original) =>
    redirect(original, { paths, name: 'chdir', positions: [0], writes: [] }),
  )
}

interface Redirect {
  readonly paths: PathMap
  readonly name: string
  readonly positions: readonly number[]
  /** Where a path that is written to stands. */
  readonly writes: readonly number[]
  readonly isPromise?: boolean
}

function redirect(original: AnyFunction, options: Redirect): AnyFunction {
  const { paths, name, positions, isPromise = false } = options
  const show = (value: unknown): unknown => {
    if (value instanceof Error) return showError(value, paths)
    return typeof value === 'string' && answersPath.has(name) ? paths.toVirtual(value) : value
  }
  return function (this: unknown, ...args: unknown[]): unknown {
    const mapped = [...args]
    for (const position of positions) mapped[position] = toReal(args[position], paths)
    const refusal = readOnly(mapped, options)
    const callback = typeof args.at(-1) === 'function' ? (args.at(-1) as AnyFunction) : undefined
    if (refusal !== undefined) return refuse(refusal, { name, callback, isPromise })
    if (callback !== undefined) {
      mapped[args.length - 1] = function (this: unknown, ...results: unknown[]): unknown {
        return callback.apply(this, results.map(show))
      }
      return original.apply(this, mapped)
    }
    try {
      const result = original.apply(this, mapped)
      return result instanceof Promise
        ? result.then(show, (error) => Promise.reject(show(error)))
        : show(result)
    } catch (error) {
      throw show(error)
    }
  }
}

function toReal(path: unknown, paths: PathMap): unknown {
  if (typeof path === 'string') return paths.toReal(path)
  if (path instanceof URL && path.protocol === 'file:') {
    const plain = fileURLToPath(path)
    const real = paths.toReal(plain)
    return real === plain ? path : real
  }
  if (Buffer.isBuffer(path)) {
    const plain = path.toString('utf8')
    const real = paths.toReal(plain)
    return real === plain ? path : Buffer.from(real)
  }
  return path
}

function readOnly(args: readonly unknown[], { paths, name, writes }: Redirect): Error | undefined {
  const isOpen = name === 'open' || name === 'openSync'
  const positions = isOpen && isForWriting(args[1]) ? [0] : writes
  const path = positions.map((position) => args[position]).find((one) => isHeld(one, paths))
  if (path === undefined) return undefined
  const syscall = name.replace(/Sync$/, '')
  const shown = paths.toVirtual(String(path))
  const error = new Error(`EROFS: read-only file system, ${syscall} '${shown}'`)
  return Object.assign(error, { code: 'EROFS', errno: -30, syscall, path: shown })
}

const isHeld = (path: unknown, paths: PathMap): boolean =>
  (typeof path === 'string' || Buffer.isBuffer(path)) && paths.isReadOnly(String(path))

function isForWriting(flags: unknown): boolean {
  if (typeof flags === 'string') return /[wa+]/.test(flags)
  return typeof flags === 'number' && (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0
}

function refuse(
  error: Error,
  { name, callback, isPromise }: { name: string; callback: AnyFunction | undefined; isPromise: boolean },
): unknown {
  if (callback !== undefined && !name.endsWith('Sync')) return void process.nextTick(callback, error)
  if (isPromise) return Promise.reject(error)
  throw error
}

function showError(error: Error, paths: PathMap): Error {
  const shown = error as Error & { path?: unknown; dest?: unknown }
  if (typeof shown.path === 'string') shown.path = paths.toVirtual(shown.path)
  if (typeof shown.dest === 'string') shown.dest = paths.toVirtual(shown.dest)
  error.message = paths.textToVirtual(error.message)
  return error
}
