// DeleteOptions from the body of a DELETE, or from its query when there is no body; never mixed.
// What the options do is server/delete.ts's work.

import type { CallOptions } from '../../api/contracts.ts'
import { badRequest, type FieldError, fieldInvalid, fieldNotSupported } from '../../api/status.ts'
import { defined, dryRunErrors, integer, refuse } from '../options.ts'
import { isTrue } from '../route.ts'

const propagations = ['Background', 'Foreground', 'Orphan']

interface Fields {
  readonly gracePeriodSeconds?: number | undefined
  readonly orphanDependents?: boolean | undefined
  readonly propagationPolicy?: string | undefined
  readonly dryRun: readonly string[]
  readonly preconditions?: CallOptions['preconditions']
}

/** `body` is the decoded document, `undefined` when the request had none. */
export function deleteOptions(body: unknown, query: URLSearchParams): CallOptions {
  const fields = body === undefined ? fieldsOfQuery(query) : fieldsOfBody(body)
  refuse('DeleteOptions', errorsOf(fields))
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, dryRun, preconditions } = fields
  const policy =
    propagationPolicy ??
    (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')
  return defined({
    gracePeriodSeconds,
    propagationPolicy: policy as CallOptions['propagationPolicy'],
    preconditions,
    dryRun: dryRun.length > 0 ? true : undefined,
  })
}

function errorsOf({ orphanDependents, propagationPolicy, dryRun }: Fields): readonly FieldError[] {
  const errors: FieldError[] = []
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.push(
      fieldInvalid(
        'propagationPolicy',
        propagationPolicy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    )
  }
  if (propagationPolicy !== undefined && !propagations.includes(propagationPolicy)) {
    errors.push(fieldNotSupported('propagationPolicy', propagationPolicy, [...propagations, 'nil']))
  }
  return [...errors, ...dryRunErrors(dryRun)]
}

function fieldsOfQuery(query: URLSearchParams): Fields {
  const propagationPolicy = query.get('propagationPolicy')
  const orphanDependents = query.get('orphanDependents')
  return {
    gracePeriodSeconds: integer(query, 'gracePeriodSeconds'),
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...(orphanDependents === null ? {} : { orphanDependents: isTrue(orphanDependents) }),
    dryRun: query.getAll('dryRun'),
  }
}

function fieldsOfBody(body: unknown): Fields {
  const record = recordOf(body, 'DeleteOptions')
  if (record['kind'] !== undefined && record['kind'] !== '' && record['kind'] !== 'DeleteOptions') {
    throw badRequest('decoded object cannot be converted to DeleteOptions')
  }
  const { dryRun = [] } = record
  if (!isTextList(dryRun)) throw mistyped('dryRun', 'an array of strings')
  return {
    gracePeriodSeconds: optional(record, 'gracePeriodSeconds', isInteger, 'an integer'),
    orphanDependents: optional(record, 'orphanDependents', isBoolean, 'a boolean'),
    propagationPolicy: optional(record, 'propagationPolicy', isText, 'a string'),
    dryRun,
    preconditions: preconditionsOf(record['preconditions']),
  }
}

function preconditionsOf(value: unknown): CallOptions['preconditions'] {
  if (value === undefined || value === null) return undefined
  const record = recordOf(value, 'preconditions')
  const uid = optional(record, 'uid', isText, 'a string')
  const resourceVersion = optional(record, 'resourceVersion', isText, 'a string')
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  }
}

function optional<T>(
  record: Readonly<Record<string, unknown>>,
  field: string,
  is: (value: unknown) => value is T,
  expected: string,
): T | undefined {
  const value = record[field]
  if (value === undefined || value === null) return undefined
  if (!is(value)) throw mistyped(field, expected)
  return value
}

function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw mistyped(what, 'an object')
}

const mistyped = (field: string, expected: string) =>
  badRequest(`DeleteOptions: ${field} must be ${expected}`)

const isText = (value: unknown): value is string => typeof value === 'string'
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)
const isTextList = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)
