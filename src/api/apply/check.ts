// Whether an applied configuration fits its schema; says where it does not, in upstream's words.
// Upstream: structured-merge-diff's typed/validate.go. Values are checked later, as those of any write.

import type { Json } from '../object.ts'
import type { Schema } from '../schema.ts'
import { isList, isObject, type JsonObject } from '../value.ts'
import { elementText } from './fields.ts'
import { fieldSchema, isUndeclared, itemElement, shapesFor } from './shape.ts'

const problemsMax = 20

/** The texts of what is wrong: `.spec.foo: field not declared in schema`. */
export function typeProblems(config: JsonObject, schema: Schema | undefined): readonly string[] {
  return problemsIn(config, schema, '').slice(0, problemsMax)
}

const problem = (path: string, text: string): readonly string[] => [path === '' ? text : `${path}: ${text}`]

function problemsIn(value: Json, schema: Schema | undefined, path: string): readonly string[] {
  if (value === null || schema === undefined) return []
  const shape = shapesFor(schema, value)[0]
  if (shape === 'map') {
    if (!isObject(value)) return problem(path, `expected map, got ${show(value)}`)
    return mapProblems(value, schema, path)
  }
  if (shape === 'list') {
    if (!isList(value)) return problem(path, `expected list, got ${show(value)}`)
    return listProblems(value, schema, path)
  }
  return scalarProblems(value, schema, path)
}

function mapProblems(map: JsonObject, schema: Schema, path: string): readonly string[] {
  return Object.entries(map).flatMap(([name, value]) => {
    const inner = `${path}.${name}`
    if (isUndeclared(schema, name)) return problem(inner, 'field not declared in schema')
    return problemsIn(value, fieldSchema(schema, name), inner)
  })
}

function listProblems(list: readonly Json[], schema: Schema, path: string): readonly string[] {
  const isAssociative = schema.listType === 'set' || schema.listType === 'map'
  const seen = new Set<string>()
  const problems: string[] = []
  for (const [index, item] of list.entries()) {
    let step = `[${index}]`
    if (isAssociative) {
      const found = itemElement(schema, item)
      if ('problem' in found) return [...problems, ...problem(path, `element ${index}: ${found.problem}`)]
      step = elementText(found.element)
      if (seen.has(found.element)) problems.push(...problem(path, `duplicate entries for key ${step}`))
      seen.add(found.element)
    }
    problems.push(...problemsIn(item, schema.items, `${path}${step}`))
  }
  return problems
}

function scalarProblems(value: Json, schema: Schema, path: string): readonly string[] {
  const isScalar = typeof value !== 'object'
  if (schema.type === 'any' || schema.intOrString === true || schema.format !== undefined) {
    const isNumber = schema.type === 'integer' || schema.type === 'number'
    if (!isNumber) return isScalar ? [] : problem(path, `expected any scalar, got ${show(value)}`)
  }
  if (schema.type === 'integer' || schema.type === 'number')
    return typeof value === 'number'
      ? []
      : problem(path, `expected numeric (int or float), got ${goType(value)}`)
  if (schema.type === 'boolean')
    return typeof value === 'boolean' ? [] : problem(path, `expected boolean, got ${show(value)}`)
  return typeof value === 'string' ? [] : problem(path, `expected string, got ${show(value)}`)
}

function goType(value: Json): string {
  if (isObject(value)) return 'map[string]interface {}'
  if (isList(value)) return '[]interface {}'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

const show = (value: Json): string => JSON.stringify(value).slice(0, 200)
