// Bytes -> a plain document, in JSON, YAML or protobuf.
// What the document has to be is body.ts's and delete-options.ts's business.

import { decodeProtobuf } from '../../api/protobuf.ts'
import type { Schema } from '../../api/schema.ts'
import { schemaOfKind } from '../../kinds/facts/schema.ts'
import type { BodyMedia } from './media.ts'

export interface Document {
  readonly value: unknown
  /** Fields that stood twice, as paths. */
  readonly duplicates: readonly string[]
}

/** A body that is not what its type says; the message is the parser's own. */
export class DocumentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DocumentError'
  }
}

interface ParseOptions {
  readonly media: BodyMedia
  /** Of protobuf bodies that name no kind, or one that only this server has. */
  readonly schema?: Schema | undefined
}

/** Throws DocumentError. */
export async function parseDocument(bytes: Buffer, { media, schema }: ParseOptions): Promise<Document> {
  try {
    if (media === 'json') return { value: JSON.parse(bytes.toString('utf8')), duplicates: [] }
    if (media === 'protobuf') {
      return { value: decodeProtobuf(bytes, (gvk) => schemaOfKind(gvk) ?? schema), duplicates: [] }
    }
    const { load } = await import('js-yaml')
    return { value: load(bytes.toString('utf8')), duplicates: [] }
  } catch (error) {
    throw new DocumentError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
