// Takes the preload along into what a container starts: Node children and shells. Workers take it by themselves.

import childProcess from 'node:child_process'
import { basename } from 'node:path'
import { mapNodeArguments } from './arguments.ts'
import { type AnyFunction, replace } from './patch.ts'
import type { PathMap } from './path-map.ts'

interface SpawnOptions {
  file: string
  args: string[]
  envPairs?: string[]
  cwd?: string | URL | null
}

export function patchChildren(paths: PathMap, specifier: string): void {
  const toReal = (path: string): string => paths.toReal(path)
  replace(childProcess.ChildProcess.prototype, 'spawn', (original): AnyFunction => {
    return function (this: unknown, given: unknown): unknown {
      const options = given as SpawnOptions
      if (typeof options.cwd === 'string') options.cwd = toReal(options.cwd)
      options.file = toReal(options.file)
      if (isNode(options.file) && Array.isArray(options.args)) {
        const [name = options.file, ...args] = options.args
        options.args = [name, ...withPreload(mapNodeArguments(args, toReal), specifier)]
        options.file = process.execPath
      } else if (Array.isArray(options.envPairs)) {
        options.envPairs = withNodeOptions(options.envPairs, specifier)
      }
      return original.call(this, options)
    }
  })
  for (const name of ['spawnSync', 'execFileSync'] as const) {
    replace(childProcess, name, (original): AnyFunction => {
      return function (this: unknown, file: unknown, ...rest: unknown[]): unknown {
        const [args] = rest
        if (typeof file === 'string' && isNode(file) && Array.isArray(args)) {
          rest[0] = withPreload(mapNodeArguments(args as string[], toReal), specifier)
        }
        return original.call(this, typeof file === 'string' ? toReal(file) : file, ...rest)
      }
    })
  }
}

const isNode = (file: string): boolean => file === process.execPath || basename(file) === 'node'

/** A child under the permission model may not read the preload, and may not reach the network either. */
function withPreload(args: readonly string[], specifier: string): string[] {
  const isKnown = args.some((arg) => arg.includes(specifier))
  return isKnown || args.includes('--permission') ? [...args] : ['--import', specifier, ...args]
}

/** A shell that starts Node hands this on. */
function withNodeOptions(pairs: readonly string[], specifier: string): string[] {
  const name = 'NODE_OPTIONS='
  const given = pairs.find((pair) => pair.startsWith(name))?.slice(name.length) ?? ''
  if (given.includes(specifier)) return [...pairs]
  const others = pairs.filter((pair) => !pair.startsWith(name))
  return [...others, `${name}${given} --import=${specifier}`]
}
