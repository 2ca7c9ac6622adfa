// The metadata of custom resources and of resources embedded in them: typed, though the rest of the object is not.
// Upstream: apiextensions-apiserver schema/objectmeta. Rules for metadata are api/validate/meta's.

import { type ObjectMeta, parseApiVersion } from '../api/object.ts'
import type { Schema } from '../api/schema.ts'
import { badRequest, type FieldError, fieldInvalid, fieldRequired } from '../api/status.ts'
import { validateMeta } from '../api/validate/meta.ts'
import { dns1035Label } from '../api/validate/names.ts'
import { schemaOf } from '../kinds/facts/schema.ts'
import { type Fields, fieldsOf, isFields } from '../kinds/fields.ts'
import { dropped, mapFields, mapItems } from './copy.ts'
import { join, type NoteUnknown } from './prune.ts'

const objectMeta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/**
 * Metadata as Go would decode it: unknown fields and nulls fall away. Throws `badRequest` for a field of a wrong type.
 */
export function coerceMeta(metadata: unknown, path: string, note: NoteUnknown): Fields {
  if (metadata === null) return {}
  return coerce(metadata, schemaOf(objectMeta), path, note) as Fields
}

/** The same for every embedded resource below a value. */
export function coerceEmbedded(
  value: unknown,
  schema: Schema | undefined,
  path: string,
  note: NoteUnknown,
): unknown {
  if (schema === undefined) return value
  if (Array.isArray(value)) {
    return mapItems(value, (item, index) => coerceEmbedded(item, schema.items, `${path}[${index}]`, note))
  }
  if (!isFields(value)) return value
  return mapFields(value, (inner, key) => {
    const at = join(path, key)
    if (schema.embeddedResource === true) {
      if (key === 'metadata') return coerceMeta(inner, at, note)
      if ((key === 'apiVersion' || key === 'kind') && typeof inner !== 'string') {
        throw badRequest(`${at}: Invalid value: ${JSON.stringify(inner)}: must be a string`)
      }
    }
    return coerceEmbedded(inner, schema.properties?.get(key) ?? schema.additionalProperties, at, note)
  })
}

function coerce(value: unknown, schema: Schema, path: string, note: NoteUnknown): unknown {
  if (schema.preserveUnknownFields === true) return value
  if (schema.type === 'array') {
    if (!Array.isArray(value)) throw wrongType(path, value, 'array')
    return mapItems(value, (item, index) =>
      schema.items === undefined || item === null
        ? item
        : coerce(item, schema.items, `${path}[${index}]`, note),
    )
  }
  if (schema.type === 'object') {
    if (!isFields(value)) throw wrongType(path, value, 'object')
    return mapFields(value, (inner, key) => coerceField(inner, schema, key, { at: join(path, key), note }))
  }
  const isRight = schema.type === 'integer' ? Number.isInteger(value) : typeof value === schema.type
  if (!isRight) throw wrongType(path, value, schema.type)
  if (schema.format === 'time' && Number.isNaN(Date.parse(value as string)))
    throw wrongType(path, value, 'time')
  return value
}

function coerceField(
  value: unknown,
  schema: Schema,
  key: string,
  { at, note }: { readonly at: string; readonly note: NoteUnknown },
): unknown {
  const known = schema.properties?.get(key) ?? schema.additionalProperties
  if (known === undefined) {
    note(at)
    return dropped
  }
  if (value !== null) return coerce(value, known, at, note)
  // Go's decoder leaves a zero value: in a map of text that is an entry, in a struct it is nothing.
  return schema.additionalProperties === undefined ? dropped : ''
}

const goNames: Readonly<Record<string, string>> = { array: 'array', object: 'object', boolean: 'bool' }

function wrongType(path: string, value: unknown, wanted: string): Error {
  const kind = Array.isArray(value) ? 'array' : typeof value
  return badRequest(
    `json: cannot unmarshal ${goNames[kind] ?? kind} into Go struct field ${path} of type ${wanted}`,
  )
}

/** What is wrong with the embedded resources below a value; the root is not one of them. */
export function validateEmbedded(
  value: unknown,
  schema: Schema | undefined,
  path = '',
): readonly FieldError[] {
  if (schema === undefined) return []
  if (Array.isArray(value)) {
    return value.flatMap((item, index) => validateEmbedded(item, schema.items, `${path}[${index}]`))
  }
  if (!isFields(value)) return []
  const own = schema.embeddedResource === true ? validateResource(value, path) : []
  const inner = Object.entries(value).flatMap(([key, field]) => {
    const property = schema.properties?.get(key)
    if (property !== undefined) return validateEmbedded(field, property, join(path, key))
    return validateEmbedded(field, schema.additionalProperties, `${path}[${key}]`)
  })
  return own.length === 0 ? inner : [...own, ...inner]
}

function validateResource(resource: Fields, path: string): readonly FieldError[] {
  return [
    ...('apiVersion' in resource ? checkApiVersion(resource['apiVersion'], join(path, 'apiVersion')) : []),
    ...('kind' in resource ? checkKind(resource['kind'], join(path, 'kind')) : []),
    ...['apiVersion', 'kind']
      .filter((name) => !(name in resource))
      .map((name) => fieldRequired(join(path, name))),
    ...('metadata' in resource ? checkMeta(resource['metadata'], path) : []),
  ]
}

function checkApiVersion(value: unknown, path: string): readonly FieldError[] {
  if (typeof value !== 'string') return [fieldInvalid(path, value, 'must be a string')]
  if (value === '') return [fieldInvalid(path, value, 'must not be empty')]
  const { version } = parseApiVersion(value)
  return version === '' && value !== '/'
    ? [fieldInvalid(path, value, `unexpected GroupVersion string: ${value}`)]
    : []
}

function checkKind(value: unknown, path: string): readonly FieldError[] {
  if (typeof value !== 'string') return [fieldInvalid(path, value, 'must be a string')]
  if (value === '') return [fieldInvalid(path, value, 'must not be empty')]
  const problems = dns1035Label(value.toLowerCase())
  if (problems.length === 0) return []
  return [fieldInvalid(path, value, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
}

function checkMeta(value: unknown, path: string): readonly FieldError[] {
  if (!isFields(value)) return [fieldInvalid(join(path, 'metadata'), value, 'must be an object')]
  const metadata = value as ObjectMeta
  // An embedded resource may be a template and have no name; what names it is its reader's business.
  const named = {
    ...metadata,
    name: metadata.name === undefined || metadata.name === '' ? 'fakename' : metadata.name,
  }
  const isNamespaced = (fieldsOf(metadata)['namespace'] ?? '') !== ''
  const errors = validateMeta({ metadata: named }, { isNamespaced, nameRule: 'path-segment', isCustom: true })
  return errors.map((error) => ({ ...error, field: join(path, error.field) }))
}
