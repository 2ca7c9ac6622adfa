// How server-side apply sees a value: as a map, a list or a scalar, whole or in parts, by the schema or by the look of it.
// Upstream: structured-merge-diff's schema and typed/helpers.go.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { fieldOf, isList, isObject, type JsonObject } from '../value.ts'
import { keyElement, valueElement } from './fields.ts'
import { metaSchema } from './meta-schema.ts'

export type Shape = 'list' | 'map' | 'scalar'

const anyShape: readonly Shape[] = ['map', 'scalar', 'list']
const mapShape: readonly Shape[] = ['map']
const listShape: readonly Shape[] = ['list']
const scalarShape: readonly Shape[] = ['scalar']

/** The shapes that a schema allows, the preferred one first. No schema allows all. */
export function shapesOf(schema: Schema | undefined): readonly Shape[] {
  if (schema === undefined) return anyShape
  if (schema.intOrString === true || schema.format === 'quantity') return scalarShape
  switch (schema.type) {
    case 'any':
      return anyShape
    case 'object':
      return mapShape
    case 'array':
      return listShape
    default:
      return scalarShape
  }
}

/** The shapes left when the value is known; those of the schema when it is null, absent or of a wrong shape. */
export function shapesFor(schema: Schema | undefined, value: Json | undefined): readonly Shape[] {
  const allowed = shapesOf(schema)
  if (value === undefined || value === null) return allowed
  const own = isList(value) ? listShape : isObject(value) ? mapShape : scalarShape
  return allowed.includes(own[0] ?? 'scalar') ? own : allowed
}

/** An atomic map or list is one field; lists are, unless the schema says otherwise. */
export function isAtomic(schema: Schema | undefined, shape: 'list' | 'map'): boolean {
  if (shape === 'map') return schema?.mapType === 'atomic'
  return schema?.listType !== 'set' && schema?.listType !== 'map'
}

/** The schema of a field; undefined where anything goes. */
export function fieldSchema(schema: Schema | undefined, name: string): Schema | undefined {
  if (name === 'metadata' && schema?.embeddedResource === true) return metaSchema
  return schema?.properties?.get(name) ?? schema?.additionalProperties
}

/** Whether a struct has no such field, and nothing lets it through. */
export function isUndeclared(schema: Schema | undefined, name: string): boolean {
  if (schema?.type !== 'object' || schema.preserveUnknownFields === true) return false
  return schema.properties !== undefined && fieldSchema(schema, name) === undefined
}

/** The schema of an object: its metadata is described whatever the kind says, or does not say, about it. */
export function rootSchema(schema: Schema | undefined): Schema {
  const properties = new Map(schema?.properties ?? [])
  const metadata = properties.get('metadata')
  if (metadata?.properties === undefined || metadata.properties.size < metaSchemaSize)
    properties.set('metadata', metaSchema)
  for (const name of ['apiVersion', 'kind'])
    if (!properties.has(name)) properties.set(name, { type: 'string' })
  if (schema === undefined) return { type: 'object', properties, preserveUnknownFields: true }
  return {
    type: 'object',
    name: schema.name,
    properties,
    preserveUnknownFields: schema.preserveUnknownFields,
    additionalProperties: schema.additionalProperties,
  }
}

/** A CRD may restrict names in its metadata schema; then there are fewer fields than these. */
const metaSchemaSize = 10

/** What identifies an item of an associative list, or the text of why nothing does. */
export function itemElement(
  list: Schema | undefined,
  item: Json,
): { readonly element: string } | { readonly problem: string } {
  if (list?.listType === 'map') return keyedElement(list, item)
  if (isObject(item)) return { problem: "associative list without keys has an element that's a map type" }
  if (isList(item)) return { problem: 'not supported: associative list with lists as elements' }
  if (item === null)
    return { problem: "associative list without keys has an element that's an explicit null" }
  return { element: valueElement(item) }
}

function keyedElement(list: Schema, item: Json): { readonly element: string } | { readonly problem: string } {
  if (item === null) return { problem: 'associative list with keys may not have a null element' }
  if (!isObject(item)) return { problem: 'associative list with keys may not have non-map elements' }
  const names = list.listMapKeys ?? []
  const key = keyOf(list, item, names)
  if (names.length > 0 && Object.keys(key).length === 0) {
    const shown = `[${names.map((name) => JSON.stringify(name)).join(' ')}]`
    return {
      problem: `associative list with keys has an element that omits all key fields ${shown} (and doesn't have default values for any key fields)`,
    }
  }
  return { element: keyElement(key) }
}

/** A key field that is absent and has no default is left out: such an item differs from all that have it. */
function keyOf(list: Schema, item: JsonObject, names: readonly string[]): JsonObject {
  const key: [string, Json][] = []
  for (const name of names) {
    const value = fieldOf(item, name) ?? list.items?.properties?.get(name)?.default
    if (value !== undefined) key.push([name, value])
  }
  return Object.fromEntries(key)
}
