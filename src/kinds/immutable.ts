// Fields that may not change after creation.

import { type FieldError, fieldInvalid } from '../api/status.ts'
import { isEqual } from './fields.ts'

export const immutableText = 'field is immutable'

/** An error when the two values differ; the value shown is the new one. */
export function immutableField(field: string, value: unknown, old: unknown): readonly FieldError[] {
  return isEqual(value, old) ? [] : [fieldInvalid(field, value, immutableText)]
}
