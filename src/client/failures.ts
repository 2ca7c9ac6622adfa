// What callers ask about a failure, and how failures below HTTP become ApiErrors.
// The wording of refusals is api/status's.

import { ApiError, type Status } from '../api/status.ts'

const hasCode = (error: unknown, code: number): error is ApiError =>
  error instanceof ApiError && error.code === code

export const isNotFound = (error: unknown): error is ApiError => hasCode(error, 404)

/** The object does not exist; a path that is not served names no object and is not absence. */
export const isObjectMissing = (error: unknown): error is ApiError =>
  isNotFound(error) && error.status.details?.name !== undefined

/** The object was changed by somebody else, or a precondition did not hold; not AlreadyExists. */
export const isConflict = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.status.reason !== 'AlreadyExists'

export const isAlreadyExists = (error: unknown): error is ApiError =>
  hasCode(error, 409) && error.status.reason === 'AlreadyExists'

/** The revision asked for is forgotten: list again. */
export const isGone = (error: unknown): error is ApiError => hasCode(error, 410)

export const isForbidden = (error: unknown): error is ApiError => hasCode(error, 403)

export const isInvalid = (error: unknown): error is ApiError => hasCode(error, 422)

/** How long the server asked to wait; undefined when it did not. */
export function retryAfterMs(error: unknown): number | undefined {
  if (!(error instanceof ApiError)) return undefined
  const seconds = error.status.details?.retryAfterSeconds
  return seconds === undefined || seconds <= 0 ? undefined : seconds * 1000
}

/** The server forbids making things in a namespace that is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isForbidden(error)) return false
  return error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true
}

/** A write or a read that another try may get through: nothing was wrong with the request. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false
  return [429, 500, 502, 503, 504].includes(error.code)
}

const reasonOfCode: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

const shownTextMax = 1024

/** What a server answered outside 2xx. `retryAfterSeconds` comes from the header and is kept in the details. */
export function failureOf(answer: {
  readonly code: number
  readonly text: string
  readonly retryAfterSeconds?: number | undefined
}): ApiError {
  const { code, text, retryAfterSeconds } = answer
  const status = statusIn(text) ?? {
    code,
    reason: reasonOfCode[code] ?? 'Unknown',
    message: text === '' ? `the server answered ${code}` : text.slice(0, shownTextMax).trim(),
  }
  if (retryAfterSeconds === undefined) return new ApiError({ ...status, code: status.code ?? code })
  const details = { retryAfterSeconds, ...status.details }
  return new ApiError({ ...status, code: status.code ?? code, details })
}

function statusIn(text: string): Partial<Status> | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const parsed = JSON.parse(text) as Partial<Status>
    return parsed.kind === 'Status' ? parsed : undefined
  } catch {
    return undefined
  }
}

/** The server was not reached or hung up: nothing is known of what it did. */
export function unreachable(server: string, cause: unknown): ApiError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new ApiError(
    { code: 503, reason: 'ServiceUnavailable', message: `cannot reach ${server}: ${detail}` },
    { cause },
  )
}
