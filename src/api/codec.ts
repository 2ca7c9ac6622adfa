// From bytes to an object of a kind: reading bodies, and holding them against a schema as Go's decoder would.
// Custom resources are pruned by their own rules (crds/); protobuf bodies are protobuf.ts's.

import { parseJson } from './json.ts'
import type { Json, KubeObject } from './object.ts'
import { canonicalQuantity, quantityProblem } from './quantity.ts'
import type { Schema } from './schema.ts'
import { badRequest } from './status.ts'
import { formatMicroTime, formatTime, parseTime } from './time.ts'
import { type Draft, isList, isObject, type JsonObject, setField } from './value.ts'
import { parseYaml } from './yaml.ts'
import { isZero, structFields, zeroItem } from './zero.ts'

export interface DecodedBody {
  readonly value: Json
  /** What strict field validation objects to so far: fields that the body names twice. */
  readonly warnings: readonly string[]
}

/** JSON, or YAML when the content type says so; an empty content type is JSON. Throws a 400. */
export function decodeBody({
  bytes,
  contentType,
  reportDuplicates = true,
}: {
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly reportDuplicates?: boolean | undefined
}): DecodedBody {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  // Clients send JSON under YAML's name more often than YAML; JSON is also the faster of the two.
  if (!contentType.includes('yaml') || (/^\s*\{/.test(text) && isJson(text))) {
    const { value, duplicates } = parseJson(text, { reportDuplicates })
    return { value, warnings: duplicates }
  }
  const { value, duplicates } = parseYaml(text, { reportDuplicates })
  return { value, warnings: duplicates === undefined ? [] : [duplicates] }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export interface CheckedFields {
  /** The same object when nothing had to change. */
  readonly object: KubeObject
  /** `unknown field "spec.foo"`, in order. */
  readonly unknown: readonly string[]
}

/** As many as upstream lists before it stops. */
const unknownMax = 100

/**
 * Drops unknown fields and says which, drops nulls and empty values as Go's `omitempty` does, and writes quantities
 * and times in their canonical form. Throws a 400 for values of a wrong type.
 */
export function checkFields(
  object: KubeObject,
  schema: Schema,
  kind: { readonly version: string; readonly kind: string },
): CheckedFields {
  const walk: Walk = { unknown: [], field: [], path: '', structs: [] }
  try {
    const checked = checkStruct(walk, object as unknown as JsonObject, schema)
    return { object: checked as unknown as KubeObject, unknown: walk.unknown }
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${error.message}`,
    )
  }
}

/** A value of a wrong type; becomes a 400 at the entrance of this file. */
class Mismatch extends Error {}

/** Where the check stands. `path` has indices, `field` has names only, as Go's messages do. */
interface Walk {
  readonly unknown: string[]
  readonly field: string[]
  path: string
  readonly structs: string[]
}

function checkStruct(walk: Walk, value: JsonObject, schema: Schema): JsonObject {
  const properties = schema.properties
  if (properties === undefined) return value
  const { path } = walk
  let draft: Draft | undefined
  walk.structs.push(goName(schema))
  for (const [name, inner] of Object.entries(value)) {
    const property = properties.get(name)
    walk.path = path === '' ? name : `${path}.${name}`
    let next: Json | undefined
    if (property === undefined) {
      if (schema.preserveUnknownFields === true) continue
      if (walk.unknown.length < unknownMax) walk.unknown.push(`unknown field ${JSON.stringify(walk.path)}`)
    } else {
      walk.field.push(name)
      next = inner === null ? undefined : checkValue(walk, inner, property)
      walk.field.pop()
      if (next !== undefined && isZero(property, next)) next = undefined
    }
    if (next === inner) continue
    draft ??= { ...value }
    if (next === undefined) delete draft[name]
    else setField(draft, name, next)
  }
  // Go writes structs that it holds by value even when nobody set them: `resources: {}`.
  for (const [name, empty] of structFields(properties)) {
    if (Object.hasOwn(draft ?? value, name)) continue
    draft ??= { ...value }
    draft[name] = empty
  }
  walk.structs.pop()
  walk.path = path
  return draft ?? value
}

function checkValue(walk: Walk, value: Json, schema: Schema): Json {
  switch (schema.type) {
    case 'object':
      return checkObject(walk, value, schema)
    case 'array':
      return checkList(walk, value, schema)
    case 'string':
      return checkText(walk, value, schema)
    case 'integer':
      return checkInteger(walk, value, schema)
    case 'number':
      return typeof value === 'number' ? value : mismatch(walk, value, 'float64')
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(walk, value, 'bool')
    case 'any':
      return schema.intOrString === true ? checkIntOrString(value) : value
  }
}

function checkObject(walk: Walk, value: Json, schema: Schema): Json {
  if (!isObject(value)) return mismatch(walk, value, goType(schema))
  if (schema.additionalProperties !== undefined) return checkMap(walk, value, schema.additionalProperties)
  return checkStruct(walk, value, schema)
}

function checkMap(walk: Walk, value: JsonObject, values: Schema): Json {
  const { path } = walk
  let draft: Draft | undefined
  for (const [key, inner] of Object.entries(value)) {
    walk.path = `${path}.${key}`
    const next = inner === null ? zeroItem(values) : checkValue(walk, inner, values)
    if (next === inner) continue
    draft ??= { ...value }
    setField(draft, key, next)
  }
  walk.path = path
  return draft ?? value
}

function checkList(walk: Walk, value: Json, schema: Schema): Json {
  if (!isList(value)) return mismatch(walk, value, goType(schema))
  const { items } = schema
  if (items === undefined) return value
  const { path } = walk
  let draft: Json[] | undefined
  for (const [index, item] of value.entries()) {
    walk.path = `${path}[${index}]`
    const next = item === null ? zeroItem(items) : checkValue(walk, item, items)
    if (next === item) continue
    draft ??= [...value]
    draft[index] = next
  }
  walk.path = path
  return draft ?? value
}

function checkText(walk: Walk, value: Json, schema: Schema): Json {
  if (schema.format === 'quantity') return checkQuantity(value)
  // Times read themselves from text, so Go speaks of a string.
  if (typeof value !== 'string') return mismatch(walk, value, schema.format === 'byte' ? '[]uint8' : 'string')
  switch (schema.format) {
    case 'time':
    case 'micro-time':
      return checkTime(value, schema.format)
    case 'byte':
      return checkBytes(value)
    default:
      return value
  }
}

function checkQuantity(value: Json): Json {
  if (typeof value !== 'string' && typeof value !== 'number')
    throw new Mismatch(quantityProblem('x') ?? 'unable to parse quantity')
  const canonical = canonicalQuantity(value)
  if (canonical === undefined) throw new Mismatch(quantityProblem(value) ?? 'unable to parse quantity')
  return canonical
}

function checkTime(value: string, format: 'micro-time' | 'time'): Json {
  const isCanonical = format === 'time' ? timePattern : microTimePattern
  const at = parseTime(value)
  if (at === undefined) {
    const layout = format === 'time' ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00'
    const shown = JSON.stringify(value)
    throw new Mismatch(`parsing time ${shown} as ${JSON.stringify(layout)}: cannot parse ${shown} as "2006"`)
  }
  if (isCanonical.test(value)) return value
  return format === 'time' ? formatTime(at) : formatMicroTime(at)
}

const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const microTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/

/** Standard base64 with padding; line ends are passed over, as Go does. */
function checkBytes(value: string): Json {
  const text = /[\r\n]/.test(value) ? value.replaceAll(/[\r\n]/g, '') : value
  const wrong = /[^A-Za-z0-9+/]/.exec(text.replace(/={1,2}$/, ''))
  if (wrong !== null) throw new Mismatch(`illegal base64 data at input byte ${wrong.index}`)
  if (text.length % 4 !== 0)
    throw new Mismatch(`illegal base64 data at input byte ${text.length - (text.length % 4)}`)
  return text
}

const int32Max = 2 ** 31 - 1
const int64Max = 2 ** 63

function checkInteger(walk: Walk, value: Json, schema: Schema): Json {
  const goInteger = schema.format === 'int32' ? 'int32' : 'int64'
  if (typeof value !== 'number') return mismatch(walk, value, goInteger)
  const isInRange =
    goInteger === 'int32' ? value <= int32Max && value >= -int32Max - 1 : Math.abs(value) <= int64Max
  if (!Number.isInteger(value) || !isInRange) return mismatch(walk, value, goInteger, `number ${value}`)
  return value
}

function checkIntOrString(value: Json): Json {
  if (typeof value === 'string') return value
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= int32Max + 1) return value
  const given = typeof value === 'number' ? `number ${value}` : goKind(value)
  throw new Mismatch(`json: cannot unmarshal ${given} into Go value of type int32`)
}

function mismatch(walk: Walk, value: Json, type: string, given = goKind(value)): never {
  const struct = walk.structs.at(-1) ?? ''
  throw new Mismatch(
    `json: cannot unmarshal ${given} into Go struct field ${struct}.${walk.field.join('.')} of type ${type}`,
  )
}

function goKind(value: Json): string {
  if (isList(value)) return 'array'
  if (isObject(value)) return 'object'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** `PodSpec` of `io.k8s.api.core.v1.PodSpec`. */
const goName = ({ name = '' }: Schema): string => name.slice(name.lastIndexOf('.') + 1)

function goType(schema: Schema): string {
  if (schema.type === 'array')
    return `[]${schema.items === undefined ? 'interface {}' : goType(schema.items)}`
  if (schema.additionalProperties !== undefined) return `map[string]${goType(schema.additionalProperties)}`
  if (schema.name !== undefined) return schema.name.split('.').slice(-2).join('.')
  switch (schema.type) {
    case 'object':
      return 'map[string]interface {}'
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64'
    case 'number':
      return 'float64'
    case 'boolean':
      return 'bool'
    case 'string':
      return schema.format === 'byte' ? '[]uint8' : 'string'
    default:
      return 'interface {}'
  }
}
