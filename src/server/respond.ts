// What the door answered -> an HTTP response in the form that the client accepts.
// Watches are response/watch-stream.ts's; bytes are written by http/.

import type { Answer, Served } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { ApiError, internalError, type Status } from '../api/status.ts'
import type { StoredObject } from '../api/stored.ts'
import type { Logger } from '../platform/log.ts'
import { BodyError, type HttpBody, type HttpResponse } from './http/exchange.ts'
import { listBody } from './response/list.ts'
import { type Format, plainJson, wrongTransform } from './response/negotiate.ts'
import { bytesOf, parsedOf, partialBytes } from './response/object-bytes.ts'
import { defaultShape, rowBytes, type TableShape, tableHead } from './response/table.ts'
import { warningHeaders } from './response/warnings.ts'

export interface RespondOptions {
  readonly format: Format
  /** Milliseconds since 1970, for ages in tables. */
  readonly now: number
  /** The columns of what was answered; kinds without any get a name and a time. */
  readonly shapeOf: (served: Served) => TableShape | undefined
}

type Settled = Exclude<Answer, { readonly type: 'watch' }>

/** Throws 406 when the asked form does not fit what was found. */
export async function respond(answer: Settled, options: RespondOptions): Promise<HttpResponse> {
  const { body, bodyBytes } = bodyOf(answer, options)
  const written = await inMedia(body, options.format)
  const headers = { 'content-type': contentTypeOf(options.format), ...warningsOf(answer.warnings) }
  return { status: answer.type === 'list' ? 200 : answer.code, headers, body: written, bodyBytes }
}

function bodyOf(answer: Settled, options: RespondOptions): Pick<HttpResponse, 'body' | 'bodyBytes'> {
  if (answer.type === 'status') return { body: JSON.stringify(answer.status) }
  const shape = options.shapeOf(answer.served) ?? defaultShape
  if (answer.type === 'object')
    return { body: objectBody(answer.object, { ...options, shape, served: answer.served }) }
  if (options.format.transform === 'PartialObjectMetadata') {
    throw wrongTransform(
      `you requested PartialObjectMetadata, but the requested object is a list (${answer.served.listKind})`,
    )
  }
  return listBody(answer, { ...options, shape })
}

function objectBody(
  object: KubeObject | StoredObject,
  { format, now, shape, served }: RespondOptions & { readonly shape: TableShape; readonly served: Served },
): Uint8Array {
  if (format.transform === undefined) return bytesOf(object)
  if (format.transform === 'PartialObjectMetadata') return partialBytes(object, format.metaVersion)
  if (format.transform === 'PartialObjectMetadataList') {
    throw wrongTransform(
      `you requested PartialObjectMetadataList, but the requested object is not a list (${served.kind})`,
    )
  }
  const resourceVersion = parsedOf(object).metadata?.resourceVersion
  const head = tableHead(shape, format, resourceVersion === undefined ? {} : { resourceVersion })
  return Buffer.concat([Buffer.from(head), rowBytes(object, { shape, format, now }), Buffer.from(']}')])
}

// Only people read these forms, one at a time: here alone the bytes are parsed and written anew.
async function inMedia(body: HttpBody | undefined, format: Format): Promise<HttpBody | undefined> {
  if (body === undefined || (format.media === 'json' && !format.isPretty)) return body
  const document: unknown = JSON.parse(await textOf(body))
  if (format.media === 'json') return `${JSON.stringify(document, null, 2)}\n`
  const { dump } = await import('js-yaml')
  return dump(document, { noRefs: true, lineWidth: -1 })
}

async function textOf(body: HttpBody): Promise<string> {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array)
    return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

export const contentTypeOf = ({ media }: Format): string => `application/${media}`

export function warningsOf(warnings: readonly string[] = []): Record<string, readonly string[]> {
  return warnings.length === 0 ? {} : { warning: warningHeaders(warnings) }
}

/** Any failure as a Status. What is not meant for the caller is said in the log only. */
export function respondError(error: unknown, { log, path }: { log: Logger; path: string }): HttpResponse {
  const refusal = refusalOf(error)
  if (refusal.code >= 500 && refusal.code !== 503 && refusal.code !== 504) {
    log.error('request failed', { path, error: refusal.cause ?? error })
  }
  return statusResponse(refusal.status)
}

export function statusResponse(status: Status): HttpResponse {
  const retryAfter = status.details?.retryAfterSeconds
  return {
    status: status.code ?? 500,
    headers: {
      'content-type': contentTypeOf(plainJson),
      ...(retryAfter === undefined || retryAfter <= 0 ? {} : { 'retry-after': String(retryAfter) }),
    },
    body: JSON.stringify(status),
  }
}

const bodyReasons = { 400: 'BadRequest', 408: 'Timeout', 413: 'RequestEntityTooLarge' } as const

function refusalOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof BodyError) {
    return new ApiError(
      { code: error.code, reason: bodyReasons[error.code], message: error.message },
      { cause: error },
    )
  }
  return internalError('the request could not be completed', error)
}
