// Small rules that many kinds share: known words, numbers in range, ports, relative paths.
// Each answers its errors; what an absent value means is said by name.

import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../api/status.ts'
import { checkText } from '../api/validate/labels.ts'
import { portNameRule, portNumberProblems } from '../api/validate/names.ts'
import { isPresent, textOf } from './fields.ts'

type Errors = readonly FieldError[]
const none: Errors = []

export const int32Max = 2_147_483_647
export const notNegativeText = 'must be greater than or equal to 0'
export const notPositiveText = 'must be greater than zero'

/** The errors, when the field is there at all. */
export function whenPresent(value: unknown, check: () => Errors): Errors {
  return isPresent(value) ? check() : none
}

/** Empty text is missing. */
export function checkRequired(value: unknown, field: string, detail = ''): Errors {
  return isPresent(value) && value !== '' ? none : [fieldRequired(field, detail)]
}

/** One of the words; empty text is missing. */
export function checkWord(value: unknown, allowed: readonly string[], field: string): Errors {
  if (!isPresent(value) || value === '') return [fieldRequired(field)]
  return allowed.includes(textOf(value)) ? none : [fieldNotSupported(field, value, allowed)]
}

export function checkNotNegative(value: unknown, field: string): Errors {
  return typeof value === 'number' && value < 0 ? [fieldInvalid(field, value, notNegativeText)] : none
}

export function checkPositive(value: unknown, field: string): Errors {
  return typeof value === 'number' && value > 0 ? none : [fieldInvalid(field, value ?? 0, notPositiveText)]
}

export function checkRange(value: number, min: number, max: number, field: string): Errors {
  return value >= min && value <= max ? none : [fieldInvalid(field, value, rangeText(min, max))]
}

export const rangeText = (min: number, max: number): string => `must be between ${min} and ${max}, inclusive`

export function checkPortNumber(port: unknown, field: string): Errors {
  const number = typeof port === 'number' ? port : 0
  return portNumberProblems(number).map((problem) => fieldInvalid(field, number, problem))
}

/** A number, or the name of a container's port. */
export function checkPort(port: unknown, field: string): Errors {
  return typeof port === 'string' ? checkText(portNameRule, port, field) : checkPortNumber(port, field)
}

export function checkNoBacksteps(path: string, field: string): Errors {
  return path.split('/').includes('..') ? [fieldInvalid(field, path, "must not contain '..'")] : none
}

export function checkRelativePath(path: string, field: string): Errors {
  const errors = checkNoBacksteps(path, field)
  return path.startsWith('/') ? [fieldInvalid(field, path, 'must be a relative path'), ...errors] : errors
}

/** A file inside a volume: names that start with two dots are the volume's own. */
export function checkFilePath(path: string, field: string): Errors {
  const errors = checkRelativePath(path, field)
  if (!path.startsWith('..') || path.startsWith('../')) return errors
  return [...errors, fieldInvalid(field, path, "must not start with '..'")]
}

const modeMax = 0o777

export function checkFileMode(mode: unknown, field: string): Errors {
  if (typeof mode !== 'number' || (mode >= 0 && mode <= modeMax)) return none
  return [fieldInvalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
}
