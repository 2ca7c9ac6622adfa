// Go's zero values: which of them its JSON leaves out, and which it writes though nobody set them.
// The facts about each field are in its schema node's `proto`.

import type { Json } from './object.ts'
import type { Schema } from './schema.ts'
import { type Draft, isList, type JsonObject } from './value.ts'

type Properties = ReadonlyMap<string, Schema>

/** Whether a field with this value is left out; pointers keep explicit zeros. */
export function isZero({ proto }: Schema, value: Json): boolean {
  if (proto === undefined || proto.dropsZero !== true || proto.isPointer === true) return false
  if (typeof value !== 'object') return value === '' || value === 0 || value === false
  if (value === null) return true
  if (isList(value)) return value.length === 0
  const isEmptied = proto.kind === 'message' || proto.kind === 'map'
  return isEmptied && Object.keys(value).length === 0
}

/** What a null item of a list, or a null value of a map, becomes. */
export function zeroItem(schema: Schema): Json {
  switch (schema.type) {
    case 'string':
      return schema.format === 'quantity' ? '0' : schema.format === 'time' ? null : ''
    case 'integer':
    case 'number':
      return 0
    case 'boolean':
      return false
    case 'object':
      return schema.additionalProperties === undefined ? zeroStruct(schema) : null
    default:
      return null
  }
}

const structFieldsOf = new WeakMap<Properties, readonly (readonly [string, JsonObject])[]>()

/** The fields that Go writes even when nobody set them, because they are structs held by value. */
export function structFields(properties: Properties): readonly (readonly [string, JsonObject])[] {
  let fields = structFieldsOf.get(properties)
  if (fields === undefined) {
    fields = [...properties]
      .filter(([, schema]) => isHeldByValue(schema))
      .map(([name, schema]) => [name, zeroStruct(schema)] as const)
    structFieldsOf.set(properties, fields)
  }
  return fields
}

const isHeldByValue = ({ proto }: Schema): boolean =>
  proto?.kind === 'message' && proto.dropsZero !== true && proto.isPointer !== true

function zeroStruct({ properties }: Schema): JsonObject {
  return properties === undefined ? {} : Object.freeze(Object.fromEntries(structFields(properties)))
}

/** An object of a type as Go makes it before anything is set: what a created object is compared with. */
export function zeroObject(schema: Schema): JsonObject {
  const draft: Draft = {}
  for (const [name, property] of schema.properties ?? []) {
    const { proto } = property
    if (proto === undefined || proto.dropsZero === true) continue
    draft[name] = isHeldByValue(property) ? zeroObject(property) : zeroField(property)
  }
  return draft
}

function zeroField(schema: Schema): Json {
  if (schema.proto?.isPointer === true || schema.format === 'byte') return null
  return schema.intOrString === true ? 0 : schema.type === 'object' ? null : zeroItem(schema)
}
