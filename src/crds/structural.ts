// Makes Schema nodes, the one form that all walkers use, out of a CRD's openAPIV3Schema.
// Whether the schema may be used at all is check/schema.ts's; a conversion never fails.

import type { Json } from '../api/object.ts'
import type { Constraints, Schema, SchemaType } from '../api/schema.ts'
import { schemaOf } from '../kinds/facts/schema.ts'
import { additionalOf, itemsOf, type Props } from './check/props.ts'

const objectMetaDefinition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** `additionalProperties: true`: any value, of which nothing is known. */
export const anyValue: Schema = Object.freeze({ type: 'any' })
/** `additionalProperties: false`: no key but the known ones; told apart by identity. */
export const noValue: Schema = Object.freeze({ type: 'any' })

const impliedText: Schema = Object.freeze({ type: 'string' })
const metaNodes = new WeakSet<Schema>()

/** Metadata that every object has: handled by embedded.ts, so that walkers pass it by. */
export const isObjectMeta = (schema: Schema | undefined): boolean =>
  schema !== undefined && metaNodes.has(schema)

/** A node that nobody wrote: every object has it. */
export const isImplied = (schema: Schema): boolean =>
  schema === impliedText || schema === anyValue || schema === noValue || isObjectMeta(schema)

/** The schema of a whole custom resource: `apiVersion`, `kind` and `metadata` are implied. */
export function rootSchema(props: Props): Schema {
  return toSchema({ type: 'object', ...props }, true)
}

/** One node and all below it. */
export function structuralSchema(props: Props): Schema {
  return toSchema(props, false)
}

function toSchema(props: Props, isRoot: boolean): Schema {
  const isEmbedded = props['x-kubernetes-embedded-resource'] === true
  const isIntOrString = props['x-kubernetes-int-or-string'] === true
  const properties = propertiesOf(props, isRoot || isEmbedded)
  const items = itemsOf(props)
  const additional = additionalNode(props)
  const constraints = constraintsOf(props)
  return {
    type: isIntOrString ? 'any' : typeOf(props),
    ...(props.format === undefined || props.format === '' ? {} : { format: props.format }),
    ...(props.description === undefined ? {} : { description: props.description }),
    ...(properties === undefined ? {} : { properties }),
    ...(props.required === undefined ? {} : { required: props.required }),
    ...(additional === undefined ? {} : { additionalProperties: additional }),
    ...(items === undefined ? {} : { items: toSchema(items, false) }),
    ...listNode(props),
    ...(props['x-kubernetes-map-type'] === 'atomic' || props['x-kubernetes-map-type'] === 'granular'
      ? { mapType: props['x-kubernetes-map-type'] }
      : {}),
    ...(props.enum === undefined || props.enum.length === 0 ? {} : { enum: props.enum as readonly Json[] }),
    ...(props.default === undefined ? {} : { default: props.default as Json }),
    ...(props.nullable === true ? { nullable: true } : {}),
    ...(props['x-kubernetes-preserve-unknown-fields'] === true ? { preserveUnknownFields: true } : {}),
    ...(isEmbedded ? { embeddedResource: true } : {}),
    ...(isIntOrString ? { intOrString: true } : {}),
    ...(constraints === undefined ? {} : { constraints }),
  }
}

const types: readonly string[] = ['object', 'array', 'string', 'integer', 'number', 'boolean']

function typeOf({ type = '' }: Props): SchemaType {
  return types.includes(type) ? (type as SchemaType) : 'any'
}

function listNode(props: Props): Pick<Schema, 'listType' | 'listMapKeys'> {
  const listType = props['x-kubernetes-list-type']
  if (listType !== 'atomic' && listType !== 'set' && listType !== 'map') return {}
  const listMapKeys = props['x-kubernetes-list-map-keys']
  return listMapKeys === undefined ? { listType } : { listType, listMapKeys }
}

function additionalNode(props: Props): Schema | undefined {
  if (props.additionalProperties === undefined) return undefined
  if (props.additionalProperties === true) return anyValue
  const additional = additionalOf(props)
  return additional === undefined ? noValue : toSchema(additional, false)
}

function propertiesOf(props: Props, hasMeta: boolean): ReadonlyMap<string, Schema> | undefined {
  const written = Object.entries(props.properties ?? {})
  if (written.length === 0 && !hasMeta) return undefined
  const properties = new Map<string, Schema>()
  if (hasMeta) {
    properties.set('apiVersion', impliedText)
    properties.set('kind', impliedText)
    properties.set('metadata', metaNode(props.properties?.['metadata']))
  }
  for (const [name, inner] of written) {
    if (!hasMeta || name !== 'metadata') properties.set(name, toSchema(inner, false))
  }
  return properties
}

/** The implied metadata; a CRD may narrow `name` and `generateName` at its root and nothing else. */
function metaNode(written: Props | undefined): Schema {
  const meta = schemaOf(objectMetaDefinition)
  if (!metaNodes.has(meta)) metaNodes.add(meta)
  if (written === undefined || written.properties === undefined) return meta
  const properties = new Map(meta.properties)
  for (const name of ['name', 'generateName']) {
    const narrowed = written.properties[name]
    if (narrowed !== undefined) properties.set(name, toSchema(narrowed, false))
  }
  const node: Schema = { type: 'object', name: objectMetaDefinition, properties }
  metaNodes.add(node)
  return node
}

const plainConstraints = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const

function constraintsOf(props: Props): Constraints | undefined {
  const constraints: Record<string, unknown> = {}
  for (const keyword of plainConstraints) {
    const value = props[keyword]
    if (value !== undefined && value !== false && value !== '') constraints[keyword] = value
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf'] as const) {
    const inner = props[keyword]
    if (inner !== undefined && inner.length > 0) constraints[keyword] = inner.map(structuralSchema)
  }
  if (props.not !== undefined) constraints['not'] = structuralSchema(props.not)
  const validations = props['x-kubernetes-validations']
  if (validations !== undefined && validations.length > 0) constraints['validations'] = validations
  return Object.keys(constraints).length === 0 ? undefined : (constraints as Constraints)
}
