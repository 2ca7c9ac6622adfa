// Makes Schema nodes of the built-in types out of facts.json, each type when it is first asked for.
// How the table is made is scripts/facts's work; what is done with nodes is up to the rooms that walk them.

import type { Json } from '../../api/object.ts'
import type { ProtoField, ProtoInline, Schema } from '../../api/schema.ts'
import table from './facts.json' with { type: 'json' }

/** The facts of one JSON field; README.md explains the short names. */
export interface FieldFacts {
  readonly t: string
  readonly p?: number
  readonly r?: 1
  readonly ptr?: 1
  readonly zero?: 'keep' | 'drop'
  readonly enum?: readonly string[]
  readonly list?: 'atomic' | 'set' | 'map'
  readonly keys?: readonly string[]
  readonly map?: 'atomic' | 'granular'
  readonly patch?: string
  readonly mergeKey?: string
  readonly default?: Json
}

export interface TypeFacts {
  readonly map?: 'atomic' | 'granular'
  readonly wrapper?: string
  readonly inline?: readonly { readonly p: number; readonly t: string }[]
  readonly fields?: Readonly<Record<string, FieldFacts>>
}

export interface KindFacts {
  readonly g: string
  readonly v: string
  readonly k: string
  readonly t: string
}

export interface Facts {
  readonly kubernetes: string
  readonly kinds: readonly KindFacts[]
  readonly types: Readonly<Record<string, TypeFacts>>
}

export const facts = table as Facts

/** The schema of a definition such as `io.k8s.api.core.v1.PodSpec`. It throws for a name that is not in the table. */
export function schemaOf(definition: string): Schema {
  let schema = schemas.get(definition)
  if (schema === undefined) {
    schema = nodeOf({ t: definition }, undefined)
    schemas.set(definition, schema)
  }
  return schema
}

/**
 * The schema of a kind of 1.36, lists and option kinds included. The kinds of meta/v1 (DeleteOptions, Status) are
 * found in every group, as Go's clients name them after the group they talk to. Undefined for any other kind.
 */
export function schemaOfKind({
  group,
  version,
  kind,
}: {
  readonly group: string
  readonly version: string
  readonly kind: string
}): Schema | undefined {
  const definition =
    definitions().get(`${group}/${version}/${kind}`) ?? definitions().get(`${metaGroupVersion}/${kind}`)
  return definition === undefined ? undefined : schemaOf(definition)
}

const metaGroupVersion = 'meta.k8s.io/v1'
const schemas = new Map<string, Schema>()
const shapes = new Map<string, Shape>()
let kindDefinitions: ReadonlyMap<string, string> | undefined

function definitions(): ReadonlyMap<string, string> {
  kindDefinitions ??= new Map(facts.kinds.map(({ g, v, k, t }) => [`${g}/${v}/${k}`, t]))
  return kindDefinitions
}

/** What a struct holds: made once per definition, shared by all nodes of that type. */
interface Shape {
  readonly properties: ReadonlyMap<string, Schema>
  readonly required: readonly string[]
  readonly inline: readonly ProtoInline[]
}

function shapeOf(definition: string): Shape {
  let shape = shapes.get(definition)
  if (shape === undefined) {
    shape = makeShape(typeFacts(definition))
    shapes.set(definition, shape)
  }
  return shape
}

function makeShape(type: TypeFacts): Shape {
  const properties = new Map<string, Schema>()
  const required: string[] = []
  const inline: ProtoInline[] = []
  const add = (fields: Readonly<Record<string, FieldFacts>>, isInline: boolean) => {
    for (const [name, field] of Object.entries(fields)) {
      properties.set(name, nodeOf(field, isInline ? undefined : field.p))
      if (field.r === 1) required.push(name)
    }
  }
  const addInline = (struct: TypeFacts) => {
    for (const { t } of struct.inline ?? []) {
      addInline(typeFacts(t))
      add(typeFacts(t).fields ?? {}, true)
    }
  }
  addInline(type)
  for (const { p, t } of type.inline ?? []) inline.push({ number: p, schema: schemaOf(t) })
  add(type.fields ?? {}, false)
  return { properties, required, inline }
}

function typeFacts(definition: string): TypeFacts {
  const type = facts.types[definition]
  if (type === undefined) throw new Error(`no facts about ${definition}`)
  return type
}

/** Inlined fields get no number: the wire has them in a message of their own, see `protoInline`. */
function nodeOf(field: FieldFacts, number: number | undefined): Schema {
  const { t: expression } = field
  if (expression.startsWith('[]')) return listNode(field, expression.slice('[]'.length), number)
  if (expression.startsWith(mapPrefix)) return mapNode(field, expression.slice(mapPrefix.length), number)
  const leaf = leaves[expression]
  if (leaf !== undefined) return leafNode(field, leaf, number)
  const type = typeFacts(expression)
  if (type.wrapper !== undefined) return wrapperNode(field, type.wrapper, number)
  return structNode(field, type, number)
}

const mapPrefix = 'map[string]'

function listNode(field: FieldFacts, element: string, number: number | undefined): Schema {
  return {
    type: 'array',
    items: nodeOf(elementFacts(field, element), number ?? 0),
    listType: field.list,
    listMapKeys: field.keys,
    patchStrategy: field.patch,
    patchMergeKey: field.mergeKey,
    default: field.default,
    proto: protoOf(field, 'list', number),
  }
}

function wrapperNode(field: FieldFacts, element: string, number: number | undefined): Schema {
  return {
    type: 'array',
    name: field.t,
    items: nodeOf(elementFacts(field, element), 1),
    listType: 'atomic',
    proto: protoOf(field, 'wrapper', number),
  }
}

function mapNode(field: FieldFacts, element: string, number: number | undefined): Schema {
  return {
    type: 'object',
    additionalProperties: nodeOf(elementFacts(field, element), 2),
    mapType: field.map,
    patchStrategy: field.patch,
    default: field.default,
    proto: protoOf(field, 'map', number),
  }
}

function elementFacts(field: FieldFacts, element: string): FieldFacts {
  return field.enum === undefined
    ? { t: element, zero: 'keep' }
    : { t: element, zero: 'keep', enum: field.enum }
}

function structNode(field: FieldFacts, type: TypeFacts, number: number | undefined): Schema {
  return {
    type: 'object',
    name: field.t,
    get properties() {
      return shapeOf(field.t).properties
    },
    get required() {
      return shapeOf(field.t).required
    },
    get protoInline() {
      return shapeOf(field.t).inline
    },
    mapType: field.map ?? type.map,
    patchStrategy: field.patch,
    default: field.default,
    proto: protoOf(field, 'message', number),
  }
}

/** A value without fields of its own, and how the wire has it. */
interface Leaf {
  readonly node: Schema
  readonly kind: ProtoField['kind']
  /** The message inside, of the two-faced types of apiextensions. */
  readonly inline?: { readonly number: number; readonly definition: string }
}

function leafNode(field: FieldFacts, { node, kind, inline }: Leaf, number: number | undefined): Schema {
  const made: Schema = {
    ...node,
    enum: field.enum,
    mapType: field.map,
    patchStrategy: field.patch,
    default: field.default,
    proto: protoOf(field, kind, number),
  }
  if (inline === undefined) return made
  return {
    ...made,
    get protoInline() {
      return [{ number: inline.number, schema: schemaOf(inline.definition) }]
    },
  }
}

function protoOf(
  field: FieldFacts,
  kind: ProtoField['kind'],
  number: number | undefined,
): ProtoField | undefined {
  if (number === undefined) return undefined
  const isKept = field.zero === undefined ? field.r === 1 : field.zero === 'keep'
  return { number, kind, isPointer: field.ptr === 1, dropsZero: !isKept }
}

const jsonSchemaProps = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'

const leaves: Readonly<Record<string, Leaf>> = {
  string: { node: { type: 'string' }, kind: 'string' },
  bool: { node: { type: 'boolean' }, kind: 'bool' },
  int32: { node: { type: 'integer', format: 'int32' }, kind: 'int32' },
  int64: { node: { type: 'integer', format: 'int64' }, kind: 'int64' },
  double: { node: { type: 'number', format: 'double' }, kind: 'double' },
  bytes: { node: { type: 'string', format: 'byte' }, kind: 'bytes' },
  quantity: {
    node: { type: 'string', format: 'quantity', name: 'io.k8s.apimachinery.pkg.api.resource.Quantity' },
    kind: 'quantity',
  },
  time: {
    node: { type: 'string', format: 'time', name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time' },
    kind: 'time',
  },
  microtime: {
    node: { type: 'string', format: 'micro-time', name: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime' },
    kind: 'micro-time',
  },
  intorstring: {
    node: {
      type: 'any',
      format: 'int-or-string',
      name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
      intOrString: true,
    },
    kind: 'int-or-string',
  },
  rawextension: {
    node: { type: 'any', name: 'io.k8s.apimachinery.pkg.runtime.RawExtension', preserveUnknownFields: true },
    kind: 'raw-extension',
  },
  json: { node: { type: 'any', preserveUnknownFields: true }, kind: 'json' },
  fieldsv1: {
    node: {
      type: 'object',
      name: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
      preserveUnknownFields: true,
    },
    kind: 'json',
  },
  schemaorarray: {
    node: { type: 'any', name: `${jsonSchemaProps}OrArray`, preserveUnknownFields: true },
    kind: 'schema-or-array',
    inline: { number: 1, definition: jsonSchemaProps },
  },
  schemaorbool: {
    node: { type: 'any', name: `${jsonSchemaProps}OrBool`, preserveUnknownFields: true },
    kind: 'schema-or-bool',
    inline: { number: 2, definition: jsonSchemaProps },
  },
  schemaorstrings: {
    node: { type: 'any', name: `${jsonSchemaProps}OrStringArray`, preserveUnknownFields: true },
    kind: 'schema-or-strings',
    inline: { number: 1, definition: jsonSchemaProps },
  },
}
