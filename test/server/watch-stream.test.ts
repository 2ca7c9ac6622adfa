import t from 'tap'
import type { WatchItem } from '../../src/api/contracts.ts'
import { expired } from '../../src/api/status.ts'
import { encodeForStore, StoredObject } from '../../src/api/stored.ts'
import { builtInKinds } from '../../src/kinds/index.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { FrameCache } from '../../src/server/response/frames.ts'
import { type Format, plainJson } from '../../src/server/response/negotiate.ts'
import { watchStream } from '../../src/server/response/watch-stream.ts'

const configMap = builtInKinds.find(({ kind }) => kind === 'ConfigMap') as Kind

const stored = (name: string, revision: number): StoredObject =>
  new StoredObject(
    `core/configmaps/default/${name}`,
    encodeForStore({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: 'b' } }),
    revision,
  )

const added = (...objects: readonly StoredObject[]): WatchItem => ({
  type: 'events',
  events: objects.map((object) => ({ type: 'ADDED', object })),
})

interface Streamed {
  readonly format?: Partial<Format>
  readonly frames?: FrameCache
  readonly onError?: (error: unknown) => void
}

async function chunksOf(
  items: AsyncIterable<WatchItem>,
  { format = {}, frames = new FrameCache(), onError = () => undefined }: Streamed = {},
) {
  const chunks: Uint8Array[] = []
  const options = {
    format: { ...plainJson, ...format },
    shape: configMap,
    served: configMap,
    frames,
    now: () => 0,
    onError,
  }
  for await (const chunk of watchStream(items, options)) chunks.push(chunk)
  return chunks
}

const linesOf = (chunks: readonly Uint8Array[]) =>
  Buffer.concat(chunks)
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

async function* from(...items: readonly WatchItem[]): AsyncGenerator<WatchItem> {
  yield* items
}

t.test('a watch is a line for each event, with the object as it is stored', async (t) => {
  const object = stored('a', 5)
  const items = from(added(object), { type: 'events', events: [{ type: 'DELETED', object: stored('a', 6) }] })
  t.same(linesOf(await chunksOf(items)), [
    { type: 'ADDED', object: object.object },
    { type: 'DELETED', object: stored('a', 6).object },
  ])
})

t.test('all watchers of one version get the same bytes', async (t) => {
  const frames = new FrameCache()
  const item = added(stored('a', 5))
  const [one] = await chunksOf(from(item), { frames })
  const [other] = await chunksOf(from(item), { frames })
  t.equal(one, other)
})

t.test('the start of a watch does not fill the frames that watchers share', async (t) => {
  const frames = new FrameCache()
  const many = Array.from({ length: 500 }, (_, at) => stored(`o${at}`, at + 1))
  const chunks = await chunksOf(from(added(...many)), { frames })
  t.equal(linesOf(chunks).length, 500)
  t.equal(frames.size, 0)
  for (const object of many) frames.frameOf({ type: 'ADDED', object })
  t.equal(frames.size, 256)
})

t.test(
  'a bookmark has nothing but its kind and revision, and says where the initial events end',
  async (t) => {
    const items = from(
      { type: 'bookmark', revision: 7, isInitialEventsEnd: true },
      { type: 'bookmark', revision: 8, isInitialEventsEnd: false },
    )
    const annotations = { 'k8s.io/initial-events-end': 'true' }
    t.same(linesOf(await chunksOf(items)), [
      {
        type: 'BOOKMARK',
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '7', annotations } },
      },
      {
        type: 'BOOKMARK',
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '8' } },
      },
    ])
  },
)

t.test('a table has columns in its first line only', async (t) => {
  const items = from(added(stored('a', 5), stored('b', 6)), {
    type: 'bookmark',
    revision: 7,
    isInitialEventsEnd: false,
  })
  const [first, second, bookmark] = linesOf(await chunksOf(items, { format: { transform: 'Table' } }))
  t.equal(first.object.columnDefinitions.length, 3)
  t.equal(first.object.rows[0].cells[0], 'a')
  t.equal(second.object.columnDefinitions, null)
  t.equal(second.object.rows[0].object.metadata.resourceVersion, '6')
  t.equal(bookmark.object.rows[0].object.metadata.resourceVersion, '7')
})

t.test('metadata watches get metadata', async (t) => {
  const [line] = linesOf(
    await chunksOf(from(added(stored('a', 5))), { format: { transform: 'PartialObjectMetadata' } }),
  )
  const metadata = { resourceVersion: '5', name: 'a' }
  t.same(line.object, { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata })
})

t.test('an error is the last line', async (t) => {
  const items = from({ type: 'error', status: expired('too old').status }, added(stored('a', 1)))
  const lines = linesOf(await chunksOf(items))
  t.equal(lines.length, 1)
  t.match(lines[0], { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
})

t.test('a source that fails becomes an error line, and the log knows why', async (t) => {
  const errors: unknown[] = []
  async function* failing(): AsyncGenerator<WatchItem> {
    yield added(stored('a', 1))
    throw new Error('secret detail')
  }
  const lines = linesOf(await chunksOf(failing(), { onError: (error) => errors.push(error) }))
  t.match(lines[1], { type: 'ERROR', object: { code: 500 } })
  t.notMatch(JSON.stringify(lines), /secret/)
  t.match(errors, [{ message: 'secret detail' }])
})
