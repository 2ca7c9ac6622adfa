// A request body -> the object, patch or options in it, and what was noticed on the way.
// Content types are media.ts's; whether the object may be written is the spine's.

import type { CallOptions, PatchType } from '../../api/contracts.ts'
import { apiVersionOf, type Json, type KubeObject } from '../../api/object.ts'
import type { Schema } from '../../api/schema.ts'
import { ApiError, badRequest } from '../../api/status.ts'
import { schemaOfKind } from '../../kinds/facts/schema.ts'
import type { Kind, Subresource } from '../../kinds/kind.ts'
import { deleteOptions } from './delete-options.ts'
import { type Document, parseDocument } from './document.ts'
import { bodyMediaOf } from './media.ts'

export interface BodyTarget {
  readonly kind: Kind
  readonly subresource: Subresource | undefined
  readonly contentType: string | undefined
}

export interface DecodedObject {
  readonly object: KubeObject
  /** Unknown and duplicate fields, as upstream words them. */
  readonly warnings: readonly string[]
}

interface Expected {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The submitted object of a create or an update. Throws 400 or 415. */
export function decodeObject(bytes: Buffer, target: BodyTarget, options: CallOptions): DecodedObject {
  const media = bodyMediaOf(target.contentType, target.kind.isCustom)
  const expected = target.subresource?.speaks ?? target.kind
  const { value, warnings } = parsed(bytes, expected, {
    media,
    schema: schemaFor(target, expected),
    reportDuplicates: options.fieldValidation !== 'Ignore',
  })
  return { object: asObject(value, { expected, bytes }), warnings }
}

function schemaFor({ kind, subresource }: BodyTarget, expected: Expected): Schema | undefined {
  return subresource?.speaks === undefined ? kind.schema : schemaOfKind(expected)
}

function parsed(bytes: Buffer, { kind }: Expected, options: Parameters<typeof parseDocument>[1]): Document {
  try {
    return parseDocument(bytes, options)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw unrecognized(kind, error.message, bytes)
  }
}

function asObject(value: unknown, { expected, bytes }: { expected: Expected; bytes: Buffer }): KubeObject {
  if (!isRecord(value)) {
    const problem =
      "couldn't get version/kind; json parse error: json: cannot unmarshal a value that is not an object"
    throw unrecognized(expected.kind, problem, bytes)
  }
  const apiVersion = textOf(value, 'apiVersion') || apiVersionOf(expected)
  const kind = textOf(value, 'kind') || expected.kind
  if (apiVersion !== apiVersionOf(expected)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(expected)})`,
    )
  }
  if (kind !== expected.kind) {
    throw badRequest(
      `${kind} in version ${JSON.stringify(expected.version)} cannot be handled as a ${expected.kind}: the kind in the data (${kind}) does not match the expected kind (${expected.kind})`,
    )
  }
  const metadata = value['metadata'] ?? {}
  if (!isRecord(metadata)) throw badRequest(`${kind}: metadata must be an object`)
  return { ...value, apiVersion, kind, metadata }
}

function textOf(value: Readonly<Record<string, unknown>>, field: string): string {
  const text = value[field]
  if (text === undefined || text === null) return ''
  if (typeof text !== 'string') throw badRequest(`${field} must be a string`)
  return text
}

export interface DecodedPatch {
  readonly body: Json
  /** Fields that the patch names twice. */
  readonly warnings: readonly string[]
}

/** The body of a PATCH. Throws 400. */
export function decodePatch(bytes: Buffer, type: PatchType, options: CallOptions): DecodedPatch {
  const { value, warnings } = parseDocument(bytes, {
    media: type === 'apply' ? 'yaml' : 'json',
    reportDuplicates: options.fieldValidation !== 'Ignore',
  })
  return { body: value, warnings }
}

/** Options of a DELETE: from its body when there is one, else from the query. Throws 400, 415 or 422. */
export function decodeDeleteOptions(
  bytes: Buffer,
  contentType: string | undefined,
  query: URLSearchParams,
): CallOptions {
  if (bytes.length === 0) return deleteOptions(undefined, query)
  const media = bodyMediaOf(contentType, false)
  return deleteOptions(parseDocument(bytes, { media, schema: schemaOfKind(optionsKind) }).value, query)
}

const optionsKind = { group: '', version: 'v1', kind: 'DeleteOptions' }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const summaryBytes = 30

// What was sent is shown in short, as text or as hex when it is none.
function unrecognized(kind: string, problem: string, bytes: Buffer) {
  const start = bytes.subarray(0, summaryBytes)
  const isText = start.every((byte) => byte >= 0x20 && byte < 0x7f)
  const shown = isText ? JSON.stringify(start.toString('latin1')) : start.toString('hex')
  const summary = bytes.length === 0 ? '<empty>' : `${shown}${bytes.length > summaryBytes ? ' ...' : ''}`
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${problem} (${summary})`)
}
