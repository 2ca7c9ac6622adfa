// Reads a CRD's openAPIV3Schema as it was written: nulls and unknown keywords fall away, wrong JSON types are errors.
// What a schema may say is check/keywords.ts's and check/structure.ts's; the node that walkers use is structural.ts's.

import type { JSONSchemaProps } from '../../api/models.ts'
import { type FieldError, fieldForbidden, fieldTypeInvalid } from '../../api/status.ts'
import { isFields, isPresent } from '../../kinds/fields.ts'

/** A schema node whose keywords are of the right JSON type; null counts as absent. */
export type Props = JSONSchemaProps

/** Deeper nesting is refused: all walkers recurse along the schema. Real CRDs stay below 40. */
export const schemaDepthMax = 100
/** One version's nodes. The largest published CRDs have about 10,000. */
export const schemaNodesMax = 50_000

export interface ReadProps {
  readonly props: Props
  readonly errors: readonly FieldError[]
}

/** Total: whatever comes in, the answer can be walked. The errors say what was left out. */
export function readProps(raw: unknown, path: string): ReadProps {
  const reader = new Reader()
  const props = reader.node(raw, path, 1)
  return { props, errors: reader.errors }
}

type Read = (reader: Reader, value: unknown, path: string, depth: number) => unknown

class Reader {
  readonly errors: FieldError[] = []
  #nodes = 0

  node(raw: unknown, path: string, depth: number): Props {
    this.#nodes += 1
    if (depth > schemaDepthMax) {
      this.fail(fieldForbidden(path, `schemas may not be nested deeper than ${schemaDepthMax}`))
      return {}
    }
    if (this.#nodes > schemaNodesMax) {
      if (this.#nodes === schemaNodesMax + 1)
        this.fail(fieldForbidden(path, `a schema may not have more than ${schemaNodesMax} nodes`))
      return {}
    }
    if (!isFields(raw)) return this.wrong(path, raw, 'object') ?? {}
    const props: Record<string, unknown> = {}
    for (const [keyword, value] of Object.entries(raw)) {
      const read = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined
      if (read === undefined || !isPresent(value)) continue
      const known = read(this, value, `${path}.${keyword}`, depth)
      if (known !== undefined) props[keyword] = known
    }
    return props
  }

  fail(error: FieldError): void {
    if (this.errors.length < errorsMax) this.errors.push(error)
  }

  wrong(path: string, value: unknown, type: string): undefined {
    const shown = typeof value === 'object' ? (Array.isArray(value) ? 'array' : 'object') : value
    this.fail(fieldTypeInvalid(path, shown, `must be of type ${type}`))
  }
}

const errorsMax = 100

const typed =
  (type: 'string' | 'boolean' | 'number'): Read =>
  (reader, value, path) =>
    typeof value === type ? value : reader.wrong(path, value, type)

const text = typed('string')
const flag = typed('boolean')
const number = typed('number')
const integer: Read = (reader, value, path) =>
  Number.isInteger(value) ? value : reader.wrong(path, value, 'integer')
const anything: Read = (_, value) => value
const object: Read = (reader, value, path) => (isFields(value) ? value : reader.wrong(path, value, 'object'))

const list =
  (read: Read): Read =>
  (reader, value, path, depth) => {
    if (!Array.isArray(value)) return reader.wrong(path, value, 'array')
    return value.map((item, index) => read(reader, item, `${path}[${index}]`, depth))
  }

const map =
  (read: Read): Read =>
  (reader, value, path, depth) => {
    if (!isFields(value)) return reader.wrong(path, value, 'object')
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([key, item]) => [key, read(reader, item, `${path}[${key}]`, depth)]),
    )
  }

const schema: Read = (reader, value, path, depth) => reader.node(value, path, depth + 1)
const schemaOrFlag: Read = (reader, value, path, depth) =>
  typeof value === 'boolean' ? value : schema(reader, value, path, depth)
const schemaOrList: Read = (reader, value, path, depth) =>
  (Array.isArray(value) ? list(schema) : schema)(reader, value, path, depth)
const schemaOrTexts: Read = (reader, value, path, depth) =>
  (Array.isArray(value) ? list(text) : schema)(reader, value, path, depth)

const keywords: Readonly<Record<string, Read>> = {
  $ref: text,
  $schema: text,
  additionalItems: schemaOrFlag,
  additionalProperties: schemaOrFlag,
  allOf: list(schema),
  anyOf: list(schema),
  default: anything,
  definitions: map(schema),
  dependencies: map(schemaOrTexts),
  description: text,
  enum: list(anything),
  example: anything,
  exclusiveMaximum: flag,
  exclusiveMinimum: flag,
  externalDocs: object,
  format: text,
  id: text,
  items: schemaOrList,
  maxItems: integer,
  maxLength: integer,
  maxProperties: integer,
  maximum: number,
  minItems: integer,
  minLength: integer,
  minProperties: integer,
  minimum: number,
  multipleOf: number,
  not: schema,
  nullable: flag,
  oneOf: list(schema),
  pattern: text,
  patternProperties: map(schema),
  properties: map(schema),
  required: list(text),
  title: text,
  type: text,
  uniqueItems: flag,
  'x-kubernetes-embedded-resource': flag,
  'x-kubernetes-int-or-string': flag,
  'x-kubernetes-list-map-keys': list(text),
  'x-kubernetes-list-type': text,
  'x-kubernetes-map-type': text,
  'x-kubernetes-preserve-unknown-fields': flag,
  'x-kubernetes-validations': list(object),
}

/** The one schema of the items; undefined for the refused list form. */
export function itemsOf(props: Props): Props | undefined {
  return Array.isArray(props.items) ? undefined : (props.items as Props | undefined)
}

/** The schema of additional properties; undefined for `true`, `false` and when absent. */
export function additionalOf(props: Props): Props | undefined {
  return typeof props.additionalProperties === 'object' ? props.additionalProperties : undefined
}

/** A node and all below it with their paths, every keyword that holds schemas included. */
export function* walkProps(
  props: Props,
  path: string,
): Generator<{ readonly props: Props; readonly path: string }> {
  yield { props, path }
  for (const keyword of ['items', 'not', 'additionalProperties', 'additionalItems'] as const) {
    const inner = props[keyword]
    if (typeof inner === 'object' && !Array.isArray(inner))
      yield* walkProps(inner as Props, `${path}.${keyword}`)
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf', 'items'] as const) {
    const list = props[keyword]
    if (!Array.isArray(list)) continue
    for (const [index, inner] of (list as Props[]).entries())
      yield* walkProps(inner, `${path}.${keyword}[${index}]`)
  }
  for (const keyword of ['properties', 'patternProperties', 'definitions'] as const) {
    for (const [key, inner] of Object.entries(props[keyword] ?? {})) {
      yield* walkProps(inner, `${path}.${keyword}[${key}]`)
    }
  }
}
