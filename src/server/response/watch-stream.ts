// A watch on the wire: what the door yields, line by line, as objects, metadata or table rows.
// Which events a watcher gets, and when a slow one is cut off, is watch/'s; back-pressure is http/'s.

import type { Served, WatchEvent, WatchItem } from '../../api/contracts.ts'
import { apiVersionOf } from '../../api/object.ts'
import { ApiError, internalError } from '../../api/status.ts'
import { errorFrame, type FrameCache, frame } from './frames.ts'
import { type Format, wrongTransform } from './negotiate.ts'
import { partialBytes } from './object-bytes.ts'
import { rowBytes, type TableShape, tableHead, tableHeadWithoutColumns } from './table.ts'

/** More events than this at once are the start of a watch, which no other watcher shares. */
const sharedBatchMax = 64
const chunkEventsMax = 64

interface WatchOptions {
  readonly format: Format
  readonly shape: TableShape
  readonly served: Served
  readonly frames: FrameCache
  readonly now: () => number
  /** Told of each failure of the source; the client gets an ERROR line. */
  readonly onError: (error: unknown) => void
}

type Bookmark = Extract<WatchItem, { readonly type: 'bookmark' }>

interface Encoder {
  event(event: WatchEvent, isShared: boolean): Buffer
  bookmark(bookmark: Bookmark): Buffer
}

/** Ends when `items` end; ends `items` when it is left early. */
export async function* watchStream(
  items: AsyncIterable<WatchItem>,
  options: WatchOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const encoder = encoderOf(options)
  try {
    for await (const item of items) {
      if (item.type === 'error') {
        yield errorFrame(item.status)
        return
      }
      if (item.type === 'bookmark') yield encoder.bookmark(item)
      else yield* chunksOf(item.events, encoder)
    }
  } catch (error) {
    options.onError(error)
    yield errorFrame((error instanceof ApiError ? error : internalError('the watch failed', error)).status)
  }
}

function* chunksOf(events: readonly WatchEvent[], encoder: Encoder): Generator<Buffer> {
  const isShared = events.length <= sharedBatchMax
  for (let at = 0; at < events.length; at += chunkEventsMax) {
    const frames = events.slice(at, at + chunkEventsMax).map((event) => encoder.event(event, isShared))
    yield frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames)
  }
}

/** Throws 406 for a form that single objects do not have. */
export function checkWatchFormat({ transform }: Format): void {
  if (transform === 'PartialObjectMetadataList') {
    throw wrongTransform('you requested PartialObjectMetadataList, but a watch sends single objects')
  }
}

function encoderOf(options: WatchOptions): Encoder {
  if (options.format.transform === 'Table') return tableEncoder(options)
  if (options.format.transform === 'PartialObjectMetadata') return partialEncoder(options)
  const { frames, served } = options
  return {
    event: (event, isShared) => (isShared ? frames.frameOf(event) : frame(event.type, event.object.bytes)),
    bookmark: (bookmark) =>
      frame(
        'BOOKMARK',
        json({ kind: served.kind, apiVersion: apiVersionOf(served), metadata: bookmarkMetadata(bookmark) }),
      ),
  }
}

function partialEncoder({ format: { metaVersion } }: WatchOptions): Encoder {
  return {
    event: ({ type, object }) => frame(type, partialBytes(object, metaVersion)),
    bookmark: (bookmark) => frame('BOOKMARK', json(partialOfBookmark(bookmark, metaVersion))),
  }
}

// Columns come with the first line only.
function tableEncoder({ format, shape, now }: WatchOptions): Encoder {
  let isFirst = true
  const tableOf = (resourceVersion: string, row: Buffer) => {
    const head = isFirst
      ? tableHead(shape, format, { resourceVersion })
      : tableHeadWithoutColumns(format, { resourceVersion })
    isFirst = false
    return Buffer.concat([Buffer.from(head), row, Buffer.from(']}')])
  }
  return {
    event: ({ type, object }) =>
      frame(type, tableOf(String(object.revision), rowBytes(object, { shape, format, now: now() }))),
    bookmark: (bookmark) => {
      const cells = shape.columns.map(() => '')
      const row = json({ cells, object: partialOfBookmark(bookmark, format.metaVersion) })
      return frame('BOOKMARK', tableOf(String(bookmark.revision), row))
    },
  }
}

const partialOfBookmark = (bookmark: Bookmark, metaVersion: string) => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${metaVersion}`,
  metadata: bookmarkMetadata(bookmark),
})

function bookmarkMetadata({ revision, isInitialEventsEnd }: Bookmark): object {
  return {
    resourceVersion: String(revision),
    ...(isInitialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  }
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
