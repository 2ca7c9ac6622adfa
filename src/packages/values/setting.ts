// `--set a.b[0]=value`: one value by its path, typed as YAML reads a scalar. The path makes what is missing.

import { packageError } from '../failure.ts'
import { loadOneYaml } from '../yaml/load.ts'

const place = '--set'
const indexMax = 1_000

export function applySetting<T>(values: T, setting: string): T {
  const equals = setting.indexOf('=')
  if (equals < 1) throw packageError(place, `${JSON.stringify(setting)} sets nothing; write name=value`)
  const path = parsePath(setting.slice(0, equals))
  const text = setting.slice(equals + 1)
  return setAt(values, path, text === '' ? '' : scalarOf(text)) as T
}

/** Lists and mappings are read when they are bracketed: `--set 'names=[a, b]'`. Other text is no structure. */
function scalarOf(text: string): unknown {
  try {
    const value = loadOneYaml(text, place)
    const isStructure = typeof value === 'object' && value !== null
    return value === undefined || (isStructure && !/^[[{]/.test(text)) ? text : value
  } catch {
    return text
  }
}

function parsePath(text: string): (string | number)[] {
  const segments: (string | number)[] = []
  // A backslash keeps a dot inside a name.
  for (const part of text.split(/(?<!\\)\./)) {
    const match = /^([^[\]]*)((?:\[\d+\])*)$/.exec(part)
    const name = match?.[1]?.replaceAll('\\.', '.') ?? ''
    if (match === null || name === '')
      throw packageError(place, `${JSON.stringify(text)} is no path; write a.b[0].c`)
    if (name === '__proto__') throw packageError(place, 'a value may not be called __proto__')
    segments.push(name, ...[...(match[2] ?? '').matchAll(/\d+/g)].map(([digits]) => indexOf(digits)))
  }
  return segments
}

function indexOf(digits: string): number {
  const index = Number(digits)
  if (index > indexMax) throw packageError(place, `a list has ${indexMax} items at most`)
  return index
}

function setAt(below: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [first, ...rest] = path
  if (first === undefined) return value
  if (typeof first === 'number') {
    const list = Array.isArray(below) ? [...below] : []
    while (list.length < first) list.push(null)
    list[first] = setAt(list[first], rest, value)
    return list
  }
  const mapping = typeof below === 'object' && below !== null && !Array.isArray(below) ? { ...below } : {}
  const under = Object.hasOwn(mapping, first) ? (mapping as Record<string, unknown>)[first] : undefined
  return { ...mapping, [first]: setAt(under, rest, value) }
}
