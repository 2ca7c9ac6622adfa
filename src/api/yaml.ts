// Reads one YAML document as Go's sigs.k8s.io/yaml would: YAML 1.1's booleans and octals, all keys as text.
// The grammar is js-yaml's; aliases are bounded here, because they multiply when the value is written out.

import {
  constructFromEvents,
  defineScalarTag,
  EVENT_ID,
  type Event,
  mapTag,
  mergeTag,
  NOT_RESOLVED,
  parseEvents,
  Schema,
  seqTag,
  strTag,
} from 'js-yaml'
import type { Json } from './object.ts'
import { badRequest } from './status.ts'
import { isList, isObject } from './value.ts'

export interface ParsedYaml {
  readonly value: Json
  /** One text for all keys that are set twice; undefined when there are none, or nobody asked. */
  readonly duplicates: string | undefined
}

const depthMax = 500
const aliasesMax = 1_000
/** Values that a document may have once its aliases are written out. */
const valuesMax = 500_000
const duplicatesMax = 100

/** Throws a 400 when the text is not one YAML document. */
export function parseYaml(
  text: string,
  { reportDuplicates = false }: { readonly reportDuplicates?: boolean } = {},
): ParsedYaml {
  try {
    const events = parseEvents(text, { maxDepth: depthMax })
    const [document = null, ...others] = constructFromEvents(events, {
      source: text,
      schema: goSchema,
      json: true,
      maxAliases: aliasesMax,
    })
    if (others.length > 0) throw new Error('the body holds more than one YAML document')
    const hasAliases = events.some((event) => event.type === EVENT_ID.ALIAS)
    const value = hasAliases ? unfolded(document as Json, { left: valuesMax }, 0) : (document as Json)
    return { value, duplicates: reportDuplicates ? findDuplicates(text, events) : undefined }
  } catch (error) {
    throw badRequest(
      `error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : 'unreadable'}`,
    )
  }
}

const trueWords = ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']
const falseWords = ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']

const booleanTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  resolve: (text) => {
    if (trueWords.includes(text)) return true
    return falseWords.includes(text) ? false : NOT_RESOLVED
  },
  identify: () => false,
})

const nullTag = defineScalarTag<null>('tag:yaml.org,2002:null', {
  implicit: true,
  resolve: (text) => (['', '~', 'null', 'Null', 'NULL'].includes(text) ? null : NOT_RESOLVED),
  identify: () => false,
})

const integerTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  resolve: (text) => readInteger(text) ?? NOT_RESOLVED,
  identify: () => false,
})

/** Go's ParseInt with base 0: a leading zero is octal, underscores are allowed. */
function readInteger(text: string): number | undefined {
  const found = /^([-+]?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)$/.exec(text)
  if (found === null) return undefined
  const digits = (found[2] ?? '').replaceAll('_', '')
  if (/^0[0-9]*[89]/.test(digits)) return undefined
  const isOldOctal = /^0[0-7]+$/.test(digits)
  const value = Number(isOldOctal ? `0o${digits.slice(1)}` : digits)
  if (Number.isNaN(value)) return undefined
  return found[1] === '-' ? -value : value
}

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  resolve: (text) => {
    const plain = text.replaceAll('_', '')
    if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(plain)) return NOT_RESOLVED
    const value = Number(plain)
    return Number.isFinite(value) ? value : NOT_RESOLVED
  },
  identify: () => false,
})

const goSchema = new Schema([strTag, nullTag, booleanTag, integerTag, floatTag, mergeTag, seqTag, mapTag])

/** Copies what aliases share, so that no change to one place reaches another, and counts it. */
function unfolded(value: Json, budget: { left: number }, depth: number): Json {
  budget.left -= 1
  if (budget.left < 0 || depth > depthMax) throw new Error('document contains excessive aliasing')
  if (isList(value)) return value.map((item) => unfolded(item, budget, depth + 1))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, unfolded(inner, budget, depth + 1)]),
  )
}

interface Level {
  readonly isMapping: boolean
  readonly keys: Set<string>
  /** Keys and values take turns. */
  isKeyNext: boolean
}

/** The text that Go's strict decoding has for keys set twice, with their lines. */
function findDuplicates(text: string, events: readonly Event[]): string | undefined {
  const levels: Level[] = []
  const found: { readonly position: number; readonly key: string }[] = []
  const turn = () => {
    const level = levels.at(-1)
    if (level?.isMapping === true) level.isKeyNext = !level.isKeyNext
  }
  for (const event of events) {
    if (event.type === EVENT_ID.POP) {
      levels.pop()
      turn()
    } else if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) {
      levels.push({ isMapping: event.type === EVENT_ID.MAPPING, keys: new Set(), isKeyNext: true })
    } else if (event.type === EVENT_ID.DOCUMENT) {
      levels.push({ isMapping: false, keys: new Set(), isKeyNext: false })
    } else {
      const level = levels.at(-1)
      if (event.type === EVENT_ID.SCALAR && level?.isMapping === true && level.isKeyNext) {
        const key = text.slice(event.valueStart, event.valueEnd)
        if (level.keys.has(key) && found.length < duplicatesMax)
          found.push({ position: event.valueStart, key })
        level.keys.add(key)
      }
      turn()
    }
  }
  if (found.length === 0) return undefined
  const lines = found.map(({ position, key }) => {
    const line = text.slice(0, position).split('\n').length
    return `  line ${line}: key ${JSON.stringify(key)} already set in map`
  })
  return `yaml: unmarshal errors:\n${lines.join('\n')}`
}
