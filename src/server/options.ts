// Query parameters -> CallOptions, refused with upstream's words where they make no sense.
// Upstream: apimachinery/pkg/apis/meta/{v1,internalversion}/validation. Selectors are parsed where they are used.

import type { CallOptions, PatchType, Verb } from '../api/contracts.ts'
import {
  badRequest,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooLong,
  invalid,
} from '../api/status.ts'
import { isTrue } from './route.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const fieldManagerBytesMax = 128
const fieldValidations = ['', 'Ignore', 'Strict', 'Warn']
const revisionMatches = ['Exact', 'NotOlderThan']

interface OptionsInput {
  readonly verb: Verb
  readonly query: URLSearchParams
  /** Of a path that names one object to watch or list, `/watch/…/name`: becomes a field selector. */
  readonly name?: string | undefined
  readonly patchType?: PatchType | undefined
}

/** Throws 400 for what cannot be read, 422 for what is not allowed together. DELETE's own options are elsewhere. */
export function parseOptions({ verb, query, name = '', patchType }: OptionsInput): CallOptions {
  if (verb === 'list' || verb === 'watch' || verb === 'deletecollection')
    return listOptions({ verb, query, name })
  if (verb === 'get') return defined({ resourceVersion: text(query, 'resourceVersion') })
  if (verb === 'delete') return {}
  return writeOptions({ verb, query, patchType })
}

function writeOptions({
  verb,
  query,
  patchType,
}: Pick<OptionsInput, 'verb' | 'query' | 'patchType'>): CallOptions {
  const fieldManager = text(query, 'fieldManager') ?? ''
  const fieldValidation = text(query, 'fieldValidation') ?? ''
  const dryRun = query.getAll('dryRun')
  const force = verb === 'patch' && query.has('force') ? isTrue(query.get('force')) : undefined
  const errors: FieldError[] = []
  if (patchType === 'apply' && fieldManager === '') {
    errors.push(fieldRequired('fieldManager', 'is required for apply patch'))
  }
  if (patchType !== 'apply' && force !== undefined) {
    errors.push(fieldForbidden('force', 'may not be specified for non-apply patch'))
  }
  errors.push(...fieldManagerErrors(fieldManager), ...dryRunErrors(dryRun))
  if (!fieldValidations.includes(fieldValidation)) {
    errors.push(fieldNotSupported('fieldValidation', fieldValidation, fieldValidations))
  }
  const kind = verb === 'patch' ? 'PatchOptions' : verb === 'update' ? 'UpdateOptions' : 'CreateOptions'
  refuse(kind, errors)
  return defined({
    fieldManager: fieldManager === '' ? undefined : fieldManager,
    fieldValidation: fieldValidation === '' ? undefined : (fieldValidation as CallOptions['fieldValidation']),
    dryRun: dryRun.length > 0 ? true : undefined,
    force,
  })
}

function fieldManagerErrors(fieldManager: string): readonly FieldError[] {
  const errors: FieldError[] = []
  if (Buffer.byteLength(fieldManager) > fieldManagerBytesMax) {
    errors.push(fieldTooLong('fieldManager', fieldManagerBytesMax))
  }
  let position = 0
  for (const character of fieldManager) {
    if (!isPrintable(character)) {
      const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
      errors.push(
        fieldInvalid('fieldManager', fieldManager, `invalid character ${code} (at position ${position})`),
      )
    }
    position += Buffer.byteLength(character)
  }
  return errors
}

// Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and of the spaces only the plain one.
const isPrintable = (character: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)

/** `All` is the only value there is. Go shows a list as `[]string{"x"}`. */
export function dryRunErrors(values: readonly string[]): readonly FieldError[] {
  if (values.every((value) => value === 'All')) return []
  const shown = `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`
  return [
    {
      type: 'FieldValueNotSupported',
      field: 'dryRun',
      message: `Unsupported value: ${shown}: supported values: "All"`,
    },
  ]
}

function listOptions({
  verb,
  query,
  name,
}: {
  verb: Verb
  query: URLSearchParams
  name: string
}): CallOptions {
  const options: Mutable<CallOptions> = defined({
    labelSelector: text(query, 'labelSelector'),
    fieldSelector: text(query, 'fieldSelector'),
    limit: integer(query, 'limit'),
    continue: text(query, 'continue'),
    resourceVersion: text(query, 'resourceVersion'),
    resourceVersionMatch: text(query, 'resourceVersionMatch'),
    allowWatchBookmarks: boolean(query, 'allowWatchBookmarks'),
    sendInitialEvents: boolean(query, 'sendInitialEvents'),
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  })
  const isWatch = verb === 'watch'
  if (isWatch) watchFromNow(options)
  refuse('ListOptions', isWatch ? watchErrors(options) : listErrors(options))
  if (name !== '' && options.fieldSelector === undefined) options.fieldSelector = `metadata.name=${name}`
  return options
}

/** A watch from nowhere in particular starts with what is there, as upstream's SetListOptionsDefaults has it. */
function watchFromNow(options: Mutable<CallOptions>): void {
  if (options.sendInitialEvents !== undefined || options.resourceVersionMatch !== undefined) return
  if (options.resourceVersion !== undefined && options.resourceVersion !== '0') return
  options.sendInitialEvents = true
  options.resourceVersionMatch = 'NotOlderThan'
}

function listErrors(options: CallOptions): readonly FieldError[] {
  const errors: FieldError[] = []
  const match = options.resourceVersionMatch
  const forbid = (detail: string) => errors.push(fieldForbidden('resourceVersionMatch', detail))
  if (match !== undefined) {
    if (options.resourceVersion === undefined) {
      forbid('resourceVersionMatch is forbidden unless resourceVersion is provided')
    }
    if (options.continue !== undefined) forbid('resourceVersionMatch is forbidden when continue is provided')
    if (!revisionMatches.includes(match)) {
      errors.push(fieldNotSupported('resourceVersionMatch', match, [...revisionMatches, '']))
    }
    if (match === 'Exact' && options.resourceVersion === '0') {
      forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    }
  }
  if (options.sendInitialEvents !== undefined) {
    errors.push(fieldForbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return errors
}

function watchErrors(options: CallOptions): readonly FieldError[] {
  const errors: FieldError[] = []
  const match = options.resourceVersionMatch
  const forbid = (detail: string) => errors.push(fieldForbidden('resourceVersionMatch', detail))
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    forbid('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (match !== undefined) {
    if (options.sendInitialEvents === undefined) {
      forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
    }
    if (match !== 'NotOlderThan')
      errors.push(fieldNotSupported('resourceVersionMatch', match, ['NotOlderThan']))
    if (options.continue !== undefined) forbid('resourceVersionMatch is forbidden when continue is provided')
  }
  return errors
}

/** Throws upstream's 422 of an options object: `ListOptions.meta.k8s.io "" is invalid: …`. */
export function refuse(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
}

const text = (query: URLSearchParams, name: string): string | undefined => query.get(name) || undefined

const boolean = (query: URLSearchParams, name: string): boolean | undefined =>
  query.has(name) ? isTrue(query.get(name)) : undefined

/** Go's ParseInt, in its own words. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name)
  if (value === null || value === '') return undefined
  if (!/^[+-]?[0-9]+$/.test(value))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
  const number = Number(value)
  if (!Number.isSafeInteger(number)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: value out of range`)
  }
  return number
}

/** Drops the fields that are not set: an absent option and an undefined one are the same. */
export function defined(options: CallOptions): CallOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
