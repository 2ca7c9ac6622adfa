// Turns a JSON Schema fault into what a person can act on: file, line, field, and the field they may have meant.

import type { Problem } from '../failure.ts'
import type { SchemaFault } from '../sandbox/protocol.ts'
import { escapePointer, type Lines, lineAt } from '../yaml/lines.ts'

export interface Explaining {
  readonly schema: unknown
  readonly data: unknown
  readonly lines: Lines
  readonly file: string
}

/** Empty for faults that only repeat another one. */
export function explainFault(
  fault: SchemaFault,
  { schema, data, lines, file }: Explaining,
): readonly Problem[] {
  const { pointer, keyword, params } = fault
  const field = fieldOf(pointer)
  const at = (place: string, message: string): Problem[] => [{ file, line: lineAt(lines, place), message }]
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const name = String(params['additionalProperty'] ?? params['unevaluatedProperty'])
      const meant = nearest(name, knownFields(schema, pointer))
      const hint = meant === undefined ? '' : `; did you mean "${meant}"?`
      return at(`${pointer}/${escapePointer(name)}`, `${join(field, name)}: unknown field${hint}`)
    }
    case 'required':
      return at(pointer, `${join(field, String(params['missingProperty']))}: required`)
    case 'const':
      return at(
        pointer,
        `${field}: must be ${JSON.stringify(params['allowedValue'])}, not ${show(valueAt(data, pointer))}`,
      )
    case 'enum':
      return at(
        pointer,
        `${field}: must be one of ${(params['allowedValues'] as unknown[]).map(show).join(', ')}`,
      )
    case 'pattern': {
      const { description } = nodeAt(schema, pointer) ?? {}
      const told = description === undefined ? '' : ` (${description})`
      return at(
        pointer,
        `${field}: ${show(valueAt(data, pointer))} is not of the form ${String(params['pattern'])}${told}`,
      )
    }
    case 'maxProperties':
    case 'minProperties':
      return at(pointer, `${field}: names one of ${knownFields(schema, pointer).join(', ')}`)
    case 'type':
      if (params['type'] === 'string' && typeof valueAt(data, pointer) === 'number') {
        return at(pointer, `${field}: must be text; put it in quotes`)
      }
      break
    default:
      break
  }
  return at(
    pointer,
    `${field === '' ? 'the document' : field}: ${fault.message}, not ${show(valueAt(data, pointer))}`,
  )
}

/** `spec.sources[0].manifests` */
export function fieldOf(pointer: string): string {
  return segments(pointer)
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment}`))
    .join('')
    .replace(/^\./, '')
}

const join = (field: string, name: string): string => (field === '' ? name : `${field}.${name}`)

const segments = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))

function valueAt(data: unknown, pointer: string): unknown {
  return segments(pointer).reduce<unknown>(
    (at, segment) => (at as Record<string, unknown> | undefined)?.[segment],
    data,
  )
}

const shownMax = 80

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > shownMax ? `${text.slice(0, shownMax)}…` : text
}

type SchemaNode = {
  readonly description?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly additionalProperties?: SchemaNode | boolean
  readonly $ref?: string
}

/** The fields that the schema knows at a place. */
const knownFields = (schema: unknown, pointer: string): string[] =>
  Object.keys(nodeAt(schema, pointer)?.properties ?? {})

/** The part of the schema that speaks of a place, references inside the document followed. */
function nodeAt(schema: unknown, pointer: string): SchemaNode | undefined {
  let node: SchemaNode | undefined = resolve(schema, schema as SchemaNode)
  for (const segment of segments(pointer)) {
    const more = typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined
    node = resolve(
      schema,
      node?.properties?.[segment] ?? (/^\d+$/.test(segment) ? node?.items : undefined) ?? more,
    )
  }
  return node
}

function resolve(schema: unknown, node: SchemaNode | undefined): SchemaNode | undefined {
  if (node?.$ref === undefined) return node
  return valueAt(schema, node.$ref.replace(/^#/, '')) as SchemaNode | undefined
}

/** Close enough that a slip of the fingers explains it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((other) => ({ other, far: distance(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, far }) => far <= Math.max(1, Math.floor(other.length / 3)))
    .sort((a, b) => a.far - b.far)
  return scored[0]?.other
}

// Levenshtein: how many letters differ, are missing or too many.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
