// What a field selection means for a type, and how it is done on a value.

import { CompileError } from '../failure.ts'
import { type CelType, dynType, isDyn, writeType } from '../type.ts'
import { MapValue, Optional, type Value } from '../value.ts'

/** The field of a value or of what an optional holds; undefined when there is none. */
export function presentField(value: Value, property: string): Value | undefined {
  const inner = value instanceof Optional ? value.value : value
  return inner instanceof MapValue ? inner.get(property) : undefined
}

export interface Selected {
  readonly property: string
  readonly type: CelType
}

export function selectOf(target: CelType, field: string, offset: number): Selected {
  if (isDyn(target)) return { property: field, type: dynType }
  if (target.kind === 'optional') return selectOf(target.inner, field, offset)
  if (target.kind === 'map') return { property: field, type: target.value }
  if (target.kind !== 'object')
    throw new CompileError(`type '${writeType(target)}' does not support field selection`, offset)
  const found = target.field(field)
  if (found === undefined) throw new CompileError(`undefined field '${field}'`, offset)
  return found
}
