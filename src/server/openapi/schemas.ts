// Schema nodes -> OpenAPI schemas, as version 3 has them and as version 2 does.
// Named types become definitions that others point to; what a CRD describes stays where it is.

import type { Constraints, Schema } from '../../api/schema.ts'
import { descriptionOf } from '../../kinds/facts/descriptions.ts'

export type Dialect = 'v2' | 'v3'
type Document = Record<string, unknown>

export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Collects the definitions that a document needs; each named type is written once. */
export class Definitions {
  readonly #dialect: Dialect
  readonly #made = new Map<string, Document>()
  readonly #waiting: Schema[] = []

  constructor(dialect: Dialect) {
    this.#dialect = dialect
  }

  /** `{ $ref }` to a definition that `all()` will hold. */
  refTo(name: string): Document {
    return { $ref: `${this.#dialect === 'v3' ? '#/components/schemas/' : '#/definitions/'}${name}` }
  }

  /** Adds a schema under a name, with the kinds that it is the schema of. */
  add(name: string, schema: Schema, kinds: readonly GroupVersionKind[]): void {
    const made = this.#definition(schema, name)
    this.#made.set(name, { ...this.#made.get(name), ...made, ...kindsOf(kinds, this.#made.get(name)) })
  }

  addDocument(name: string, document: Document): void {
    this.#made.set(name, document)
  }

  has(name: string): boolean {
    return this.#made.has(name)
  }

  /** Every definition that was added or pointed to, sorted by name. */
  all(): Document {
    for (let schema = this.#waiting.pop(); schema !== undefined; schema = this.#waiting.pop()) {
      const { name } = schema
      if (name !== undefined && !this.#made.has(name)) this.#made.set(name, this.#definition(schema, name))
    }
    return Object.fromEntries([...this.#made].sort(([one], [other]) => (one < other ? -1 : 1)))
  }

  #definition(schema: Schema, name: string): Document {
    const special = specials[schema.format ?? '']
    const description = schema.description ?? descriptionOf(name)
    const described = description === undefined ? {} : { description }
    if (special !== undefined) return { ...described, ...special[this.#dialect] }
    return { ...described, ...this.#inline(schema, name) }
  }

  /** A use of a schema: a pointer when it has a name, else the schema itself. */
  #use(schema: Schema, extra: Document): Document {
    if (schema.name === undefined) return { ...extra, ...this.#inline(schema, undefined) }
    this.#waiting.push(schema)
    const ref = this.refTo(schema.name)
    const siblings = { ...extra, ...usage(schema) }
    if (Object.keys(siblings).length === 0) return ref
    return this.#dialect === 'v2' ? { ...siblings, ...ref } : { ...siblings, allOf: [ref] }
  }

  /** `definition` is the named type that the schema is, for its fields' descriptions. */
  #inline(schema: Schema, definition: string | undefined): Document {
    const isFree =
      this.#dialect === 'v2' && schema.preserveUnknownFields === true && schema.constraints !== undefined
    const document: Document = { ...typeOf(schema, this.#dialect) }
    if (schema.format !== undefined && !isOwnFormat(schema)) document['format'] = schema.format
    if (schema.enum !== undefined) document['enum'] = schema.enum
    Object.assign(document, definition === undefined ? usage(schema) : ofType(schema), extensions(schema))
    if (isFree) return document
    if (schema.items !== undefined) document['items'] = this.#use(schema.items, {})
    if (schema.additionalProperties !== undefined) {
      document['additionalProperties'] = this.#use(schema.additionalProperties, {})
    }
    const { properties } = schema
    if (properties !== undefined && properties.size > 0) {
      document['properties'] = Object.fromEntries(
        [...properties].map(([field, inner]) => [
          field,
          this.#use(inner, describe(inner, definition, field)),
        ]),
      )
    }
    if (schema.required !== undefined && schema.required.length > 0)
      document['required'] = [...schema.required].sort()
    return { ...document, ...this.#constraints(schema.constraints), ...this.#nullable(schema) }
  }

  #nullable({ nullable }: Schema): Document {
    return this.#dialect === 'v3' && nullable === true ? { nullable: true } : {}
  }

  // Version 2 has no words for alternatives; upstream leaves them out there.
  #constraints(constraints: Constraints | undefined): Document {
    if (constraints === undefined) return {}
    const { allOf, anyOf, oneOf, not, validations, ...limits } = constraints
    const lists = { allOf, anyOf, oneOf }
    const document: Document = { ...limits }
    if (validations !== undefined) document['x-kubernetes-validations'] = validations
    if (this.#dialect === 'v2') return document
    for (const [name, schemas] of Object.entries(lists)) {
      if (schemas !== undefined) document[name] = schemas.map((one) => this.#inline(one, undefined))
    }
    if (not !== undefined) document['not'] = this.#inline(not, undefined)
    return document
  }
}

function kindsOf(kinds: readonly GroupVersionKind[], known: Document | undefined): Document {
  const before = (known?.['x-kubernetes-group-version-kind'] as readonly GroupVersionKind[] | undefined) ?? []
  const all = [...before, ...kinds.map(({ group, version, kind }) => ({ group, kind, version }))]
  return all.length === 0 ? {} : { 'x-kubernetes-group-version-kind': all }
}

function describe(schema: Schema, definition: string | undefined, field: string): Document {
  const description =
    schema.description ?? (definition === undefined ? undefined : descriptionOf(definition, field))
  return description === undefined ? {} : { description }
}

const quantity = { v3: { oneOf: [{ type: 'string' }, { type: 'number' }] }, v2: { type: 'string' } }
const intOrString = {
  v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  v2: { format: 'int-or-string', type: 'string' },
}
const time = { type: 'string', format: 'date-time' }

/** What the special types of apimachinery look like, by their format here. */
const specials: Readonly<Record<string, Readonly<Record<Dialect, Document>>>> = {
  quantity,
  'int-or-string': intOrString,
  time: { v3: time, v2: time },
  'micro-time': { v3: time, v2: time },
  duration: { v3: { type: 'string' }, v2: { type: 'string' } },
}

const isOwnFormat = ({ format = '', name }: Schema): boolean =>
  name !== undefined && Object.hasOwn(specials, format)

function typeOf(schema: Schema, dialect: Dialect): Document {
  if (schema.name !== undefined && schema.format !== undefined && specials[schema.format] !== undefined) {
    return specials[schema.format]?.[dialect] ?? {}
  }
  if (schema.name?.endsWith('.RawExtension')) return { type: 'object' }
  return schema.type === 'any' ? {} : { type: schema.type }
}

/** What belongs to a field rather than to its type. */
function usage(schema: Schema): Document {
  const document: Document = {}
  if (schema.default !== undefined) document['default'] = schema.default
  if (schema.listType !== undefined && !isImplied(schema))
    document['x-kubernetes-list-type'] = schema.listType
  if (schema.listMapKeys !== undefined && schema.listMapKeys.length > 0) {
    document['x-kubernetes-list-map-keys'] = schema.listMapKeys
  }
  if (schema.mapType === 'granular') document['x-kubernetes-map-type'] = schema.mapType
  if (schema.name === undefined) Object.assign(document, ofType(schema))
  if (schema.patchStrategy !== undefined) document['x-kubernetes-patch-strategy'] = schema.patchStrategy
  if (schema.patchMergeKey !== undefined) document['x-kubernetes-patch-merge-key'] = schema.patchMergeKey
  return document
}

/** What a named type says once, in its definition. */
const ofType = ({ mapType }: Schema): Document =>
  mapType === 'atomic' ? { 'x-kubernetes-map-type': mapType } : {}

// A named list (a wrapper on the wire) is atomic without saying so upstream.
const isImplied = ({ name, type }: Schema): boolean => name !== undefined && type === 'array'

/** A CRD's own marks; built-in types have none of them. */
function extensions(schema: Schema): Document {
  const document: Document = {}
  if (schema.name !== undefined) return document
  if (schema.preserveUnknownFields === true && schema.proto === undefined) {
    document['x-kubernetes-preserve-unknown-fields'] = true
  }
  if (schema.embeddedResource === true) document['x-kubernetes-embedded-resource'] = true
  if (schema.intOrString === true) document['x-kubernetes-int-or-string'] = true
  return document
}
