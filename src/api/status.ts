// Every refusal that a caller may meet, in Kubernetes' own words; the only place that knows reasons and codes.
// Upstream: apimachinery/pkg/api/errors and apimachinery/pkg/util/validation/field.

export type StatusCause = { readonly reason?: string; readonly message?: string; readonly field?: string }

export type Status = {
  readonly apiVersion: 'v1'
  readonly kind: 'Status'
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string }
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
  readonly code?: number
}

/** One broken rule. `type` is the cause's reason, `detail` the text after it; build them with the functions below. */
export interface FieldError {
  readonly type:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueForbidden'
    | 'FieldValueTooLong'
    | 'FieldValueTooMany'
    | 'FieldValueNotFound'
    | 'FieldValueTypeInvalid'
    | 'InternalError'
  /** `spec.containers[0].name` */
  readonly field: string
  /** The whole text after the field: `Required value: must be set`, `Invalid value: "x": must be …`. */
  readonly message: string
}

export const fieldRequired = (field: string, detail = ''): FieldError => ({
  type: 'FieldValueRequired',
  field,
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
})
export const fieldInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${showValue(value)}${detail === '' ? '' : `: ${detail}`}`,
})
export const fieldTypeInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  type: 'FieldValueTypeInvalid',
  field,
  message: `Invalid value: ${showValue(value)}: ${detail}`,
})
export const fieldNotSupported = (field: string, value: unknown, allowed: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${showValue(value)}${
    allowed.length === 0
      ? ''
      : `: supported values: ${[...allowed]
          .sort()
          .map((one) => JSON.stringify(one))
          .join(', ')}`
  }`,
})
export const fieldDuplicate = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueDuplicate',
  field,
  message: `Duplicate value: ${showValue(value)}`,
})
export const fieldForbidden = (field: string, detail: string): FieldError => ({
  type: 'FieldValueForbidden',
  field,
  message: detail === '' ? 'Forbidden' : `Forbidden: ${detail}`,
})
export const fieldTooLong = (field: string, maxLength: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  message: `Too long: may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`,
})
export const fieldTooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
})
export const fieldNotFound = (field: string, value: unknown): FieldError => ({
  type: 'FieldValueNotFound',
  field,
  message: `Not found: ${showValue(value)}`,
})

function showValue(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  return JSON.stringify(value)
}

/** A refusal on its way to the caller. */
export class ApiError extends Error {
  readonly code: number
  readonly status: Status
  constructor(
    status: Omit<Status, 'apiVersion' | 'kind' | 'metadata' | 'status'> & Partial<Pick<Status, 'metadata'>>,
    options?: ErrorOptions,
  ) {
    super(status.message ?? status.reason ?? 'unknown', options)
    this.name = 'ApiError'
    this.code = status.code ?? 500
    this.status = {
      apiVersion: 'v1',
      kind: 'Status',
      metadata: {},
      ...status,
      status: 'Failure',
      code: this.code,
    }
  }
}

/** `pods` or `deployments.apps`: a resource (or kind) as messages name it. */
export function qualified(resource: { readonly group: string; readonly resource: string }): string {
  return resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`
}

type Target = { readonly group: string; readonly resource: string }

const detailsOf = (target: Target, name: string) => ({
  ...(name === '' ? {} : { name }),
  ...(target.group === '' ? {} : { group: target.group }),
  kind: target.resource,
})

export const notFound = (target: Target, name: string): ApiError =>
  new ApiError({
    code: 404,
    reason: 'NotFound',
    message: `${qualified(target)} ${JSON.stringify(name)} not found`,
    details: detailsOf(target, name),
  })

/** The path itself means nothing here. */
export const pathNotFound = (): ApiError =>
  new ApiError({
    code: 404,
    reason: 'NotFound',
    message: 'the server could not find the requested resource',
    details: {},
  })

export const alreadyExists = (target: Target, name: string): ApiError =>
  new ApiError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${qualified(target)} ${JSON.stringify(name)} already exists`,
    details: detailsOf(target, name),
  })

export const conflict = (target: Target, name: string, detail: string): ApiError =>
  new ApiError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${qualified(target)} ${JSON.stringify(name)}: ${detail}`,
    details: detailsOf(target, name),
  })

export const objectModified =
  'the object has been modified; please apply your changes to the latest version and try again'

/** Server-side apply met fields that others own; `causes` have reason FieldManagerConflict. */
export const applyConflict = (causes: readonly StatusCause[], message: string): ApiError =>
  new ApiError({ code: 409, reason: 'Conflict', message, details: { causes } })

export const unauthorized = (): ApiError =>
  new ApiError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })

/** `detail` follows `forbidden: `. */
export const forbidden = (target: Target, name: string, detail: string): ApiError =>
  new ApiError({
    code: 403,
    reason: 'Forbidden',
    message:
      target.resource === ''
        ? `forbidden: ${detail}`
        : `${qualified(target)}${name === '' ? '' : ` ${JSON.stringify(name)}`} is forbidden: ${detail}`,
    details: target.resource === '' ? {} : detailsOf(target, name),
  })

/** `kind` is the object's kind, not its resource: `Pod "x" is invalid: …`. */
export const invalid = (
  kind: { readonly group: string; readonly kind: string },
  name: string,
  errors: readonly FieldError[],
): ApiError => {
  const texts = errors.map((error) => `${error.field}: ${error.message}`)
  const shown = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  return new ApiError({
    code: 422,
    reason: 'Invalid',
    message: `${qualifiedKind} ${JSON.stringify(name)} is invalid: ${shown}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes: errors.map((error) => ({ reason: error.type, message: error.message, field: error.field })),
    },
  })
}

export const badRequest = (message: string): ApiError =>
  new ApiError({ code: 400, reason: 'BadRequest', message })

export const methodNotAllowed = (target: Target, action: string): ApiError =>
  new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${action} is not supported on resources of kind "${qualified(target)}"`,
    details: detailsOf(target, ''),
  })

export const notAcceptable = (accepted: readonly string[]): ApiError =>
  new ApiError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  })

export const unsupportedMediaType = (given: string, accepted: readonly string[]): ApiError =>
  new ApiError({
    code: 415,
    reason: 'UnsupportedMediaType',
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}${
      given === '' ? '' : ''
    }`,
  })

export const unprocessable = (message: string): ApiError =>
  new ApiError({ code: 422, reason: 'Invalid', message })

export const expired = (message: string, next?: string): ApiError =>
  new ApiError({
    code: 410,
    reason: 'Expired',
    message,
    ...(next === undefined ? {} : { metadata: { continue: next } }),
  })

export const tooManyRequests = (
  message: string,
  retryAfterSeconds: number,
  causes?: readonly StatusCause[],
): ApiError =>
  new ApiError({
    code: 429,
    reason: 'TooManyRequests',
    message,
    details: { retryAfterSeconds, ...(causes === undefined ? {} : { causes }) },
  })

export const entityTooLarge = (message: string): ApiError =>
  new ApiError({ code: 413, reason: 'RequestEntityTooLarge', message })

export const timeout = (message: string, retryAfterSeconds = 0, causes?: readonly StatusCause[]): ApiError =>
  new ApiError({
    code: 504,
    reason: 'Timeout',
    message,
    details: {
      ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
      ...(causes === undefined ? {} : { causes }),
    },
  })

export const serviceUnavailable = (message: string, retryAfterSeconds = 1): ApiError =>
  new ApiError({ code: 503, reason: 'ServiceUnavailable', message, details: { retryAfterSeconds } })

/** The caller sees that something broke, not what: the cause is for the log. */
export const internalError = (message: string, cause?: unknown): ApiError =>
  new ApiError(
    {
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: ${message}`,
      details: { causes: [{ message }] },
    },
    { cause },
  )

/** What a DELETE of an object that is gone at once answers. */
export const deleted = (target: Target, name: string, uid: string): Status => ({
  apiVersion: 'v1',
  kind: 'Status',
  metadata: {},
  status: 'Success',
  details: { ...detailsOf(target, name), uid },
})
