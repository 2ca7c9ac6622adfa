// Reads JSON within bounds, and finds the fields that it names twice, which JSON.parse keeps to itself.
// What the values mean is for codec.ts.

import type { Json } from './object.ts'
import { badRequest } from './status.ts'
import { depthMax, isDeeperThan } from './value.ts'

export interface ParsedJson {
  readonly value: Json
  /** `duplicate field "spec.a"`, in order; empty unless asked for. */
  readonly duplicates: readonly string[]
}

/** As many as upstream lists before it stops. */
const duplicatesMax = 100

/** Throws a 400. A duplicate's last value counts, as in Go. */
export function parseJson(
  text: string,
  { reportDuplicates = false }: { readonly reportDuplicates?: boolean } = {},
): ParsedJson {
  const value = parse(text)
  // Each level takes at least two characters.
  if (text.length > 2 * depthMax && isDeeperThan(value, depthMax))
    throw badRequest(`json: exceeded max depth of ${depthMax}`)
  return { value, duplicates: reportDuplicates ? findDuplicates(text) : [] }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw badRequest(
      `couldn't get version/kind; json parse error: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

interface Level {
  /** Of an object: the fields so far, and the one whose value is being read. */
  readonly seen: Set<string> | undefined
  field: string
  /** Of a list: which item is being read. */
  index: number
}

/** Walks over text that is known to be JSON: only strings and brackets matter. */
function findDuplicates(text: string): readonly string[] {
  const duplicates = new Set<string>()
  const levels: Level[] = []
  let awaitsField = false
  for (let at = 0; at < text.length; at++) {
    const level = levels.at(-1)
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at)
        if (awaitsField && level?.seen !== undefined) {
          const field = fieldName(text, at, end)
          level.field = field
          if (level.seen.has(field)) duplicates.add(pathOf(levels))
          level.seen.add(field)
          if (duplicates.size >= duplicatesMax) return textsOf(duplicates)
          awaitsField = false
        }
        at = end
        break
      }
      case 0x7b:
        levels.push({ seen: new Set(), field: '', index: 0 })
        awaitsField = true
        break
      case 0x5b:
        levels.push({ seen: undefined, field: '', index: 0 })
        awaitsField = false
        break
      case 0x7d:
      case 0x5d:
        levels.pop()
        awaitsField = false
        break
      case 0x2c:
        if (level?.seen === undefined) {
          if (level !== undefined) level.index += 1
        } else awaitsField = true
        break
    }
  }
  return textsOf(duplicates)
}

const textsOf = (paths: ReadonlySet<string>): readonly string[] =>
  [...paths].map((path) => `duplicate field ${JSON.stringify(path)}`)

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

/** Whether an odd number of backslashes stands before a character. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1
  while (text.charCodeAt(before) === 0x5c) before -= 1
  return (at - before) % 2 === 0
}

function fieldName(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
}

function pathOf(levels: readonly Level[]): string {
  let path = ''
  for (const { seen, field, index } of levels) {
    if (seen === undefined) path += `[${index}]`
    else path += path === '' ? field : `.${field}`
  }
  return path
}
