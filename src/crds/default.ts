// Fills in the defaults of a structural schema. Upstream: apiextensions-apiserver schema/defaulting.
// Metadata is passed by: what an object's metadata lacks is the server's to fill.

import type { Schema } from '../api/schema.ts'
import { isFields } from '../kinds/fields.ts'
import { mapFields, mapItems, setField } from './copy.ts'
import { isNullAllowed } from './prune.ts'
import { isObjectMeta } from './structural.ts'

/** The same value when nothing is missing. Defaults go in as they are: nothing writes into them. */
export function applyDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (schema === undefined || isObjectMeta(schema)) return value
  if (Array.isArray(value)) {
    const { items } = schema
    if (items === undefined) return value
    return mapItems(value, (item) => applyDefaults(fillNull(item, items), items))
  }
  if (!isFields(value)) return value
  return mapFields(withMissing(value, schema), (inner, key) => {
    const property = schema.properties?.get(key)
    if (property !== undefined) return applyDefaults(inner, property)
    const { additionalProperties } = schema
    if (additionalProperties === undefined) return inner
    return applyDefaults(fillNull(inner, additionalProperties), additionalProperties)
  })
}

function withMissing(
  fields: Readonly<Record<string, unknown>>,
  schema: Schema,
): Readonly<Record<string, unknown>> {
  let copy: Record<string, unknown> | undefined
  for (const [name, property] of schema.properties ?? []) {
    if (property.default === undefined) continue
    const isMissing = !Object.hasOwn(fields, name) || (fields[name] === null && property.nullable !== true)
    if (!isMissing) continue
    copy ??= { ...fields }
    setField(copy, name, property.default)
  }
  return copy ?? fields
}

function fillNull(value: unknown, schema: Schema): unknown {
  return value === null && !isNullAllowed(schema) && schema.default !== undefined ? schema.default : value
}
