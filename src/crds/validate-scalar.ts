// The checks of one value against one node: its type, the limits of a number, the rules of a text.
// Walking down is validate.ts's.

import type { Schema } from '../api/schema.ts'
import { isKnownFormat, matchesFormat } from './formats/formats.ts'
import { matchesPattern } from './formats/patterns.ts'
import type { Problem } from './problem.ts'
import * as problem from './problem.ts'

const none: readonly Problem[] = []
const int64Max = 2 ** 63
const int32Max = 2 ** 31
const float32Max = 3.4028234663852886e38

/** The JSON types that a node allows; none when it says nothing. */
export function typesOf(schema: Schema): readonly string[] {
  if (schema.intOrString === true) return ['integer', 'string']
  return schema.type === 'any' ? [] : [schema.type]
}

const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) <= int64Max

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** The format, unless it means nothing for these types: then it is ignored. */
export function formatOf({ format = '' }: Schema, types: readonly string[]): string {
  return format !== '' && isKnownFormat(format, types) ? format : ''
}

export function checkType(
  value: unknown,
  schema: Schema,
  types: readonly string[],
  path: string,
): readonly Problem[] {
  if (value === null) {
    if (types.length === 0 || schema.nullable === true) return none
    return [problem.wrongType(path, types.join(','), 'null')]
  }
  const found = typeOf(value)
  const fits = types.includes(found) || (found === 'integer' && types.includes('number'))
  const format = formatOf(schema, types)
  if (format === '')
    return fits || types.length === 0 ? none : [problem.wrongType(path, types.join(','), found)]
  // With a format upstream shows the format in place of the type, and lets lists pass where texts are meant.
  if (found !== 'string' && found !== 'array') {
    return fits ? none : [problem.wrongType(path, format, goFormats[found] ?? '')]
  }
  const isNumeric = types.includes('number') || types.includes('integer')
  return isNumeric && !fits ? [problem.wrongType(path, types.join(','), found)] : none
}

const goFormats: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' }

export function checkText(
  text: string,
  schema: Schema,
  types: readonly string[],
  path: string,
): readonly Problem[] {
  const problems = checkLengths(text, schema, path)
  const format = formatOf(schema, types)
  if (format === '' || matchesFormat(format, text)) return problems
  return [...problems, problem.wrongType(path, format, text)]
}

function checkLengths(text: string, { constraints = {} }: Schema, path: string): readonly Problem[] {
  const { minLength, maxLength, pattern } = constraints
  if (maxLength !== undefined && text.length > maxLength && codePoints(text) > maxLength) {
    return [problem.tooLong(path, maxLength)]
  }
  if (minLength !== undefined && codePoints(text) < minLength)
    return [problem.tooShort(path, text, minLength)]
  if (pattern !== undefined && !matchesPattern(pattern, text)) return [problem.noMatch(path, text, pattern)]
  return none
}

function codePoints(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

export function checkNumber(
  value: number,
  schema: Schema,
  types: readonly string[],
  path: string,
): readonly Problem[] {
  const { constraints = {} } = schema
  const { minimum, maximum, exclusiveMinimum = false, exclusiveMaximum = false, multipleOf } = constraints
  const problems: Problem[] = []
  const range = rangeProblem(value, schema, types, path)
  if (range !== undefined) problems.push(problem.unplaced(range))
  if (multipleOf !== undefined && !isMultiple(value, multipleOf))
    problems.push(problem.notMultiple(path, value, multipleOf))
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum))
    problems.push(problem.belowMinimum(path, value, minimum, exclusiveMinimum))
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum))
    problems.push(problem.aboveMaximum(path, value, maximum, exclusiveMaximum))
  return problems
}

function rangeProblem(
  value: number,
  schema: Schema,
  types: readonly string[],
  path: string,
): string | undefined {
  const [type] = types
  const format = formatOf(schema, types)
  const where = `${format === '' ? '(default format)' : `with format ${format}`} in ${path}`
  if (types.length !== 1) return undefined
  if (type === 'integer') {
    const fits = format === 'int32' ? value >= -int32Max && value < int32Max : Math.abs(value) <= int64Max
    return Number.isInteger(value) && fits ? undefined : `Checked value must be of type integer ${where}`
  }
  if (format !== 'float' || Math.abs(value) <= float32Max) return undefined
  return `Checked value must be of type number ${where}`
}

const relativeError = 1e-9

function isMultiple(value: number, factor: number): boolean {
  if (factor <= 0) return false
  if (Number.isInteger(value) && Number.isInteger(factor)) return value % factor === 0
  const times = factor < 1 ? (1 / factor) * value : value / factor
  const whole = Math.trunc(times)
  return times === whole || Math.abs(times - whole) / (Math.abs(times) + Math.abs(whole)) < relativeError
}
