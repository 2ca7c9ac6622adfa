// Mends field sets after their schema changed: a part that became atomic is owned whole.
// Upstream: structured-merge-diff's typed/reconcile_schema.go.

import type { Schema } from '../schema.ts'
import {
  type FieldPath,
  type FieldSet,
  fieldsOf,
  isEmptyFields,
  subtractTrees,
  unionFields,
} from './fields.ts'
import { fieldSchema, isAtomic, shapesOf } from './shape.ts'

/** The same set when the schema still fits it. */
export function reconcileFields(fields: FieldSet, schema: Schema | undefined): FieldSet {
  const whole: FieldPath[] = []
  findAtomic(whole, fields, schema, [])
  if (whole.length === 0) return fields
  const roots = fieldsOf(whole)
  return unionFields(subtractTrees(fields, roots), roots)
}

/** Collects the places where the set reaches below something that is now one field. */
function findAtomic(whole: FieldPath[], fields: FieldSet, schema: Schema | undefined, path: FieldPath): void {
  if (schema === undefined) return
  const shape = shapesOf(schema)[0]
  if (shape === 'scalar' || shape === undefined || schema.type === 'any') return
  if (isAtomic(schema, shape)) {
    if (path.length > 0 && !isEmptyFields(fields)) whole.push(path)
    return
  }
  for (const [element, below] of fields.children) {
    const inner = shape === 'list' ? schema.items : fieldSchema(schema, element.slice(2))
    findAtomic(whole, below, inner, [...path, element])
  }
}
