// node:sqlite opens files by itself: its paths are mapped here.

import { type AnyFunction, replace } from './patch.ts'
import type { PathMap } from './path-map.ts'

export function patchDatabases(paths: PathMap): void {
  const sqlite = quietly(() => process.getBuiltinModule('node:sqlite'))
  if (sqlite === undefined) return
  const toReal = (path: unknown): unknown => (typeof path === 'string' ? paths.toReal(path) : path)
  const Original = sqlite.DatabaseSync
  class DatabaseSync extends Original {
    constructor(path: string, ...rest: never[]) {
      super(toReal(path) as string, ...rest)
    }
  }
  Object.defineProperty(sqlite, 'DatabaseSync', {
    value: DatabaseSync,
    configurable: true,
    enumerable: true,
    writable: true,
  })
  replace(sqlite, 'backup', (original): AnyFunction => {
    return (database, path, ...rest) => original(database, toReal(path), ...rest)
  })
}

// Older versions of Node warn when the module is loaded; a program that never uses it should not show that.
function quietly<T>(load: () => T): T | undefined {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return load()
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}
