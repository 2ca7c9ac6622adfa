// Drops what a structural schema does not know, and nulls where none may be. Upstream: schema/pruning, prunenulls.
// Metadata, at the root and of embedded resources, is embedded.ts's.

import type { Schema } from '../api/schema.ts'
import { type Fields, isFields } from '../kinds/fields.ts'
import { dropped, mapFields, mapItems } from './copy.ts'
import { isObjectMeta } from './structural.ts'

const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** Notes the path of a dropped field, `spec.list[0].foo`. */
export type NoteUnknown = (path: string) => void

/** The root and embedded resources keep apiVersion, kind and metadata whatever their schema says. */
export function pruneRoot(object: Fields, schema: Schema, note: NoteUnknown): Fields {
  return pruneValue(object, { ...schema, embeddedResource: true }, '', note) as Fields
}

export function pruneValue(
  value: unknown,
  schema: Schema | undefined,
  path: string,
  note: NoteUnknown,
): unknown {
  if (schema?.preserveUnknownFields === true) return pruneKnown(value, schema, path, note)
  if (Array.isArray(value)) {
    return mapItems(value, (item, index) => pruneValue(item, schema?.items, `${path}[${index}]`, note))
  }
  if (!isFields(value)) return value
  return mapFields(value, (inner, key) => {
    if (schema?.embeddedResource === true && metaFields.has(key)) return inner
    const known = schema?.properties?.get(key) ?? schema?.additionalProperties
    if (known !== undefined) return pruneValue(inner, known, join(path, key), note)
    note(join(path, key))
    return dropped
  })
}

/** Below preserveUnknownFields only what is described is pruned. */
function pruneKnown(value: unknown, schema: Schema | undefined, path: string, note: NoteUnknown): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    return mapItems(value, (item, index) => pruneKnown(item, schema.items, `${path}[${index}]`, note))
  }
  if (!isFields(value)) return value
  return mapFields(value, (inner, key) => {
    if (schema.embeddedResource === true && metaFields.has(key)) return inner
    const known = schema.properties?.get(key) ?? schema.additionalProperties
    return known === undefined ? inner : pruneValue(inner, known, join(path, key), note)
  })
}

/** Drops null fields that may not be null and have no default; those with a default are filled later. */
export function pruneNulls(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) return mapItems(value, (item) => pruneNulls(item, schema.items))
  if (!isFields(value)) return value
  return mapFields(value, (inner, key) => {
    const known = schema.properties?.get(key) ?? schema.additionalProperties
    // Implied metadata is no part of the structural schema: its nulls are embedded.ts's.
    if (known === undefined || isObjectMeta(known)) return inner
    if (inner === null) return isNullAllowed(known) || known.default !== undefined ? null : dropped
    return pruneNulls(inner, known)
  })
}

/** A bare node (`additionalProperties: true`) says nothing about null. */
export function isNullAllowed(schema: Schema): boolean {
  return schema.nullable === true || isBare(schema)
}

function isBare(schema: Schema): boolean {
  return schema.type === 'any' && schema.intOrString !== true && schema.preserveUnknownFields !== true
}

export const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`)
