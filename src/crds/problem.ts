// What schema validation finds wrong, before it becomes a field error.
// Texts and their odd cases follow kube-openapi/pkg/validation/errors and apiextensions' conversion of them.

import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong, fieldTooMany } from '../api/status.ts'

/** `name` is undefined for what upstream reports without a place. */
export interface Problem {
  readonly name: string | undefined
  readonly text: string
  readonly error: (field: string) => FieldError
}

const fallback = (value: unknown): unknown => value ?? ''

const invalidValue = (name: string, value: unknown, text: string): Problem => ({
  name,
  text,
  error: (field) => fieldInvalid(field, fallback(value), text),
})

/** A rule that upstream's field errors know no place for: `<nil>: Invalid value: "": …`. */
export const unplaced = (text: string): Problem => ({
  name: undefined,
  text,
  error: (field) => fieldInvalid(field, '', text),
})

export const wrongType = (name: string, wanted: string, found: unknown): Problem => {
  const shown = typeof found === 'string' ? `: ${JSON.stringify(found)}` : ''
  const text = `${name} in body must be of type ${wanted}${shown}`
  return {
    name,
    text,
    error: (field) => ({ ...fieldInvalid(field, fallback(found), text), type: 'FieldValueTypeInvalid' }),
  }
}

export const missing = (name: string): Problem => ({
  name,
  text: `${name} in body is required`,
  error: (field) => fieldRequired(field),
})

export const notInEnum = (name: string, value: unknown, allowed: readonly unknown[]): Problem => {
  const words = allowed.map((one) => JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)))
  const shown = JSON.stringify(value ?? null)
  return {
    name,
    text: `${name} in body should be one of [${words.join(' ')}]`,
    // Not sorted: in the order of the schema.
    error: (field) => ({
      type: 'FieldValueNotSupported',
      field,
      message: `Unsupported value: ${shown}: supported values: ${words.join(', ')}`,
    }),
  }
}

export const tooLong = (name: string, max: number): Problem => ({
  name,
  text: `${name} in body should be at most ${max} chars long`,
  error: (field) => fieldTooLong(field, max),
})

export const tooShort = (name: string, value: string, min: number): Problem =>
  invalidValue(name, value, `${name} in body should be at least ${min} chars long`)

export const noMatch = (name: string, value: string, pattern: string): Problem =>
  invalidValue(name, value, `${name} in body should match '${pattern}'`)

export const tooManyItems = (name: string, actual: number, max: number): Problem => ({
  name,
  text: `${name} in body should have at most ${max} items`,
  error: (field) => fieldTooMany(field, actual, max),
})

export const tooFewItems = (name: string, actual: number, min: number): Problem =>
  invalidValue(name, actual, `${name} in body should have at least ${min} items`)

export const tooManyProperties = (name: string, actual: number, max: number): Problem => ({
  name,
  text: `${name} in body should have at most ${max} properties`,
  error: (field) => fieldTooMany(field, actual, max),
})

export const tooFewProperties = (name: string, actual: number, min: number): Problem =>
  invalidValue(name, actual, `${name} in body should have at least ${min} properties`)

export const forbiddenProperty = (name: string, key: string): Problem =>
  invalidValue(name, key, `${name}.${key} in body is a forbidden property`)

export const aboveMaximum = (name: string, value: number, max: number, isExclusive: boolean): Problem =>
  invalidValue(name, value, `${name} in body should be less than ${isExclusive ? '' : 'or equal to '}${max}`)

export const belowMinimum = (name: string, value: number, min: number, isExclusive: boolean): Problem =>
  invalidValue(
    name,
    value,
    `${name} in body should be greater than ${isExclusive ? '' : 'or equal to '}${min}`,
  )

export const notMultiple = (name: string, value: number, factor: number): Problem =>
  invalidValue(name, value, `${name} in body should be a multiple of ${factor}`)

/** Each text once, below `base` (`status` for a write of the status alone). */
export function toFieldErrors(problems: readonly Problem[], base: string): readonly FieldError[] {
  const unique = new Map(problems.map((problem) => [problem.text, problem]))
  return [...unique.values()].map(({ name, error }) => {
    const inner = name?.replace(/^\./, '') ?? ''
    const field = base === '' ? inner : inner === '' ? base : `${base}.${inner}`
    return error(field === '' ? '<nil>' : field)
  })
}
