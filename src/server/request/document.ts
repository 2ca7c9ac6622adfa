// Bytes -> a plain document, in JSON, YAML or protobuf.
// What the document has to be is body.ts's and delete-options.ts's business.

import { decodeBody } from '../../api/codec.ts'
import type { Json } from '../../api/object.ts'
import { decodeProtobuf } from '../../api/protobuf.ts'
import type { Schema } from '../../api/schema.ts'
import { badRequest } from '../../api/status.ts'
import { schemaOfKind } from '../../kinds/facts/schema.ts'
import type { BodyMedia } from './media.ts'

export interface Document {
  readonly value: Json
  /** Fields that stood twice: `duplicate field "spec.a"`. */
  readonly warnings: readonly string[]
}

interface ParseOptions {
  readonly media: BodyMedia
  /** Of protobuf bodies that name no kind, or one that only this server has. */
  readonly schema?: Schema | undefined
  readonly reportDuplicates?: boolean | undefined
}

/** Throws a 400 whose message is the parser's own. */
export function parseDocument(
  bytes: Buffer,
  { media, schema, reportDuplicates = false }: ParseOptions,
): Document {
  if (media !== 'protobuf')
    return decodeBody({ bytes, contentType: `application/${media}`, reportDuplicates })
  try {
    // A decoded object is JSON, though its type says less about its fields.
    const value = decodeProtobuf(bytes, (gvk) => schemaOfKind(gvk) ?? schema) as unknown as Json
    return { value, warnings: [] }
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error))
  }
}
