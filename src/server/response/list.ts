// Lists as chunks of bytes: items are written as they are stored, never parsed, a few hundred KiB at a time.
// Compression and back-pressure are http/'s.

import type { Served } from '../../api/contracts.ts'
import { apiVersionOf } from '../../api/object.ts'
import type { StoredObject } from '../../api/stored.ts'
import type { HttpResponse } from '../http/exchange.ts'
import { inChunks } from '../http/write.ts'
import type { Format } from './negotiate.ts'
import { partialBytes } from './object-bytes.ts'
import { rowBytes, type TableShape, tableHead } from './table.ts'

export interface ListAnswer {
  readonly served: Served
  readonly revision: number
  readonly items: readonly StoredObject[]
  readonly continue?: string | undefined
  readonly remaining?: number | undefined
}

interface ListOptions {
  readonly format: Format
  readonly shape: TableShape
  readonly now: number
}

/** The body of a list; its size when that is known without writing it. */
export function listBody(list: ListAnswer, options: ListOptions): Pick<HttpResponse, 'body' | 'bodyBytes'> {
  const { format } = options
  if (format.transform === 'Table') {
    return { body: inChunks(tablePieces(list, options)), bodyBytes: list.items.length * 512 }
  }
  if (format.transform === 'PartialObjectMetadataList') {
    return { body: inChunks(partialPieces(list, format)), bodyBytes: list.items.length * 512 }
  }
  const bytes = list.items.reduce((sum, item) => sum + item.bytes.length + 1, 0)
  return { body: inChunks(wholePieces(list)), bodyBytes: bytes }
}

const comma = Buffer.from(',')
const end = Buffer.from(']}')

function* wholePieces(list: ListAnswer): Generator<Uint8Array> {
  const { served, items } = list
  const head = { kind: served.listKind, apiVersion: apiVersionOf(served), metadata: listMetadata(list) }
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)
  yield* separated(items, (item) => item.bytes)
}

function* partialPieces(list: ListAnswer, { metaVersion }: Format): Generator<Uint8Array> {
  const head = {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${metaVersion}`,
    metadata: listMetadata(list),
  }
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)
  yield* separated(list.items, (item) => partialBytes(item, metaVersion))
}

function* tablePieces(list: ListAnswer, options: ListOptions): Generator<Uint8Array> {
  yield Buffer.from(tableHead(options.shape, options.format, listMetadata(list)))
  yield* separated(list.items, (item) => rowBytes(item, options))
}

function* separated(
  items: readonly StoredObject[],
  write: (item: StoredObject) => Uint8Array,
): Generator<Uint8Array> {
  let isFirst = true
  for (const item of items) {
    if (!isFirst) yield comma
    yield write(item)
    isFirst = false
  }
  yield end
}

function listMetadata({ revision, continue: next, remaining }: ListAnswer): object {
  return {
    resourceVersion: String(revision),
    ...(next === undefined || next === '' ? {} : { continue: next }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  }
}
