// The type that an expression sees of a schema node; undefined where no expression may look.
// Upstream: apiserver/pkg/cel/common/schemas.go.

import type { Schema } from '../api/schema.ts'
import { escapeName } from './escape.ts'
import { type CelField, type CelType, dynType, listOf, mapOf, plainType, stringType } from './type.ts'

const made = new WeakMap<Schema, { readonly type: CelType | undefined }>()

export function typeOfSchema(schema: Schema): CelType | undefined {
  const known = made.get(schema)
  if (known !== undefined) return known.type
  const type = toType(schema)
  made.set(schema, { type })
  return type
}

const formats: Readonly<Record<string, string>> = {
  byte: 'bytes',
  duration: 'duration',
  date: 'timestamp',
  'date-time': 'timestamp',
}

function toType(schema: Schema): CelType | undefined {
  if (schema.intOrString === true) return dynType
  switch (schema.type) {
    case 'array': {
      const item = schema.items === undefined ? undefined : typeOfSchema(schema.items)
      return item === undefined ? undefined : listOf(item)
    }
    case 'object':
      return objectType(schema)
    case 'string':
      return plainType(formats[schema.format ?? ''] ?? 'string')
    case 'boolean':
      return plainType('bool')
    case 'number':
      return plainType('double')
    case 'integer':
      return plainType('int')
    default:
      return undefined
  }
}

function objectType(schema: Schema): CelType | undefined {
  const { additionalProperties: additional, properties } = schema
  // Without a type and without a word about its fields it is `additionalProperties: true`, an object without fields.
  const isAnything = additional?.type === 'any' && additional.preserveUnknownFields !== true
  if (additional !== undefined && (additional.intOrString === true || !isAnything)) {
    const value = typeOfSchema(additional)
    return value === undefined ? undefined : mapOf(stringType, value)
  }
  const fields = new Map<string, CelField>()
  let isRead = false
  const field = (name: string): CelField | undefined => {
    if (!isRead) {
      isRead = true
      for (const [property, inner] of visibleProperties(schema, properties)) {
        const escaped = escapeName(property)
        const type = escaped === undefined ? undefined : typeOfSchema(inner)
        if (escaped !== undefined && type !== undefined) fields.set(escaped, { property, type })
      }
    }
    return fields.get(name)
  }
  return { kind: 'object', field }
}

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Of the metadata that every object has only the names can be asked for. */
function visibleProperties(
  { name }: Schema,
  properties: Schema['properties'],
): readonly (readonly [string, Schema])[] {
  const all = [...(properties ?? [])]
  return name === objectMeta ? all.filter(([key]) => key === 'name' || key === 'generateName') : all
}
