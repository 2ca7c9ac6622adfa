// Reads and writes a value at a dot path (`.spec.replicas`), as CRDs name their scale fields.
// No lists, no filters: upstream allows none there either.

import type { KubeObject } from '../../api/object.ts'

const stepsOf = (path: string): readonly string[] => path.split('.').filter((step) => step !== '')

export function readPath(object: unknown, path: string): unknown {
  let value = object
  for (const step of stepsOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

/** A copy of the path with the value at its end. */
export function writePath(object: KubeObject, path: string, value: unknown): KubeObject {
  return writeSteps(object, stepsOf(path), value) as KubeObject
}

function writeSteps(object: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value
  const fields = typeof object === 'object' && object !== null ? (object as Record<string, unknown>) : {}
  return { ...fields, [step]: writeSteps(fields[step], rest, value) }
}
