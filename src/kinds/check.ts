// The floor of validation that every kind gets from its schema: what is required, and which words are known.
// Rules that need more than the schema stand in the kinds' own files and are said first.

import type { Schema } from '../api/schema.ts'
import { type FieldError, fieldNotSupported, fieldRequired } from '../api/status.ts'
import { type Fields, fieldsOf, isFields, isPresent, listOf } from './fields.ts'

/**
 * Errors for missing required fields and unknown enum words, in the order of the schema. `metadata` and `status` at the
 * root are left to others. A missing required object is walked as an empty one, as Go's decoder makes it.
 */
export function checkRequiredAndEnums(object: Fields, schema: Schema, path = ''): readonly FieldError[] {
  const errors: FieldError[] = []
  checkObject(object, schema, path, errors)
  return errors
}

function checkObject(object: Fields, schema: Schema, path: string, errors: FieldError[]): void {
  const { properties } = schema
  if (properties === undefined) return
  for (const name of schema.required ?? []) {
    if (isPresent(object[name]) || isElsewhere(name, path)) continue
    const missing = properties.get(name)
    if (missing === undefined || mayBeZero(missing) || tolerated.has(`${schema.name}.${name}`)) continue
    if (missing.properties === undefined) errors.push(fieldRequired(join(path, name)))
    else checkObject({}, missing, join(path, name), errors)
  }
  for (const [name, value] of Object.entries(object)) {
    const inner = properties.get(name)
    if (inner !== undefined && isPresent(value) && !isElsewhere(name, path)) {
      checkValue(value, inner, join(path, name), errors)
    }
  }
}

function checkValue(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  if (schema.items !== undefined) {
    listOf(value).forEach((item, index) => {
      if (schema.items !== undefined) checkValue(item, schema.items, `${path}[${index}]`, errors)
    })
    return
  }
  if (schema.enum !== undefined) {
    // Empty text is Go's "not given"; where it is wrong the kind's own rule says so.
    if (value !== '' && !schema.enum.some((known) => known === value)) {
      errors.push(fieldNotSupported(path, value, schema.enum.map(String)))
    }
    return
  }
  if (schema.additionalProperties !== undefined) {
    for (const [key, item] of Object.entries(fieldsOf(value))) {
      checkValue(item, schema.additionalProperties, `${path}[${key}]`, errors)
    }
    return
  }
  if (isFields(value)) checkObject(value, schema, path, errors)
}

/** Upstream decodes a missing number as zero, and says so only where zero is wrong: those rules are written by hand. */
function mayBeZero(schema: Schema): boolean {
  return schema.type === 'integer' || schema.type === 'number' || schema.type === 'boolean'
}

/** Required by the letter of the schema, and let through when empty all the same. */
const tolerated = new Set([
  'io.k8s.api.core.v1.HTTPHeader.value',
  'io.k8s.api.core.v1.LimitRangeSpec.limits',
  'io.k8s.api.core.v1.PreferredSchedulingTerm.preference',
  'io.k8s.api.core.v1.Sysctl.value',
])

/** Metadata is checked once for all kinds, status by whoever writes it; apiVersion and kind by routing. */
function isElsewhere(name: string, path: string): boolean {
  if (name === 'metadata') return true
  return path === '' && (name === 'status' || name === 'apiVersion' || name === 'kind')
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
