// YAML as kubectl reads it: 1.1 booleans and octal numbers, merge keys, no timestamps, bounded aliases.
// Upstream: sigs.k8s.io/yaml, which reads with go-yaml v2 and hands on JSON.

import { CORE_SCHEMA, defineScalarTag, loadAll, mergeTag, NOT_RESOLVED, YAMLException } from 'js-yaml'
import { packageError } from '../failure.ts'

export const documentsMax = 5_000
const depthMax = 100
const aliasesMax = 100
// A few aliases of aliases make gigabytes out of a kilobyte: what counts is the size once they are followed.
const nodesMax = 200_000

// Not y and n, which go-yaml v2 takes too: they are names of coordinates and sizes, and upstream calls that a mistake.
const truths = new Set(['yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'])
const lies = new Set(['no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'])

const bool = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (source) => (truths.has(source) ? true : lies.has(source) ? false : NOT_RESOLVED),
  identify: (data) => typeof data === 'boolean',
})

const int = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: [...'+-0123456789'],
  resolve: (source) => readInt(source) ?? NOT_RESOLVED,
  identify: (data) => Number.isSafeInteger(data),
})

const schema = CORE_SCHEMA.withTags(bool, int, mergeTag)

/** Every document of a text; empty ones are `undefined` or `null`. Throws PackageError with file and line. */
export function loadYaml(text: string, file: string): unknown[] {
  const documents = read(text, file)
  if (documents.length > documentsMax) throw packageError(file, `more than ${documentsMax} documents`)
  for (const document of documents) checkSize(document, file)
  return documents
}

/** The text's one document. */
export function loadOneYaml(text: string, file: string): unknown {
  const documents = loadYaml(text, file)
  if (documents.length > 1) throw packageError(file, 'more than one document; this file holds one')
  return documents[0]
}

function read(text: string, file: string): unknown[] {
  try {
    return loadAll(text, { schema, maxDepth: depthMax, maxAliases: aliasesMax })
  } catch (error) {
    if (!(error instanceof YAMLException)) throw packageError(file, `not YAML: ${String(error)}`)
    const { mark, reason } = error
    throw packageError(file, `not YAML: ${reason}`, { line: mark === undefined ? undefined : mark.line + 1 })
  }
}

// Go's strconv.ParseInt with base 0, with underscores dropped: 0644 and 0o644 are octal.
function readInt(source: string): number | undefined {
  const plain = source.replaceAll('_', '')
  const match = /^([+-]?)(0x[0-9a-fA-F]+|0b[01]+|0o[0-7]+|[0-9]+)$/.exec(plain)
  if (match === null) return undefined
  const digits = match[2] ?? ''
  // What starts like an octal number and is none is taken as a decimal one.
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits)
  return match[1] === '-' ? 0 - value : value
}

function checkSize(document: unknown, file: string): void {
  let nodes = 0
  const stack = [document]
  while (stack.length > 0) {
    nodes += 1
    if (nodes > nodesMax)
      throw packageError(file, `a document of more than ${nodesMax} values, aliases followed`)
    const value = stack.pop()
    if (typeof value === 'object' && value !== null) stack.push(...Object.values(value))
  }
}
