import t from 'tap'
import type { Answer } from '../../src/api/contracts.ts'
import { conflict, internalError, tooManyRequests } from '../../src/api/status.ts'
import { encodeForStore, StoredObject } from '../../src/api/stored.ts'
import { builtInKinds } from '../../src/kinds/index.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { silentLogger } from '../../src/platform/log.ts'
import type { HttpBody } from '../../src/server/http/exchange.ts'
import { respond, respondError } from '../../src/server/respond.ts'
import { type Format, negotiate, plainJson } from '../../src/server/response/negotiate.ts'
import { metadataBytes } from '../../src/server/response/object-bytes.ts'
import { warningHeaders } from '../../src/server/response/warnings.ts'

const configMap = builtInKinds.find(({ kind }) => kind === 'ConfigMap') as Kind
const now = Date.UTC(2026, 0, 1, 0, 5)

const stored = (name: string, revision: number): StoredObject =>
  new StoredObject(
    `core/configmaps/default/${name}`,
    encodeForStore({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name,
        namespace: 'default',
        creationTimestamp: '2026-01-01T00:00:00Z',
        annotations: { odd: '}"{\\' },
      },
      data: { key: 'value' },
    }),
    revision,
  )

async function text(body: HttpBody | undefined): Promise<string> {
  if (body === undefined || typeof body === 'string') return body ?? ''
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  let all = ''
  for await (const chunk of body) all += Buffer.from(chunk).toString('utf8')
  return all
}

const write = async (answer: Exclude<Answer, { type: 'watch' }>, format: Partial<Format> = {}) => {
  const response = await respond(answer, {
    format: { ...plainJson, ...format },
    now,
    shapeOf: () => configMap,
  })
  return { ...response, text: await text(response.body) }
}

const list: Answer & { type: 'list' } = {
  type: 'list',
  served: configMap,
  revision: 9,
  items: [stored('a', 3), stored('b', 4)],
  continue: 'next',
  remaining: 5,
}

t.test('an object goes out as the bytes it is stored as', async (t) => {
  const object = stored('a', 3)
  const response = await respond(
    { type: 'object', code: 201, served: configMap, object },
    { format: plainJson, now, shapeOf: () => configMap },
  )
  t.equal(response.status, 201)
  t.equal(response.body, object.bytes)
})

t.test('a list is its items, between a head and an end', async (t) => {
  const { text, headers } = await write(list)
  t.equal(headers['content-type'], 'application/json')
  t.same(JSON.parse(text), {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '9', continue: 'next', remainingItemCount: 5 },
    items: list.items.map(({ object }) => object),
  })
  t.same(JSON.parse((await write({ ...list, items: [], continue: undefined, remaining: undefined })).text), {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '9' },
    items: [],
  })
})

t.test(
  'a table has the columns and cells of its kind, and as much of each object as was asked for',
  async (t) => {
    const table = JSON.parse((await write(list, { transform: 'Table' })).text)
    t.equal(table.kind, 'Table')
    t.equal(table.apiVersion, 'meta.k8s.io/v1')
    t.same(
      table.columnDefinitions.map(({ name }: { name: string }) => name),
      ['Name', 'Data', 'Age'],
    )
    t.same(Object.keys(table.columnDefinitions[0]), ['name', 'type', 'format', 'description', 'priority'])
    t.same(table.rows[1].cells, ['b', 1, '5m'])
    t.same(table.rows[1].object, {
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: stored('b', 4).object.metadata,
    })
    t.equal(table.metadata.remainingItemCount, 5)
    const none = JSON.parse((await write(list, { transform: 'Table', includeObject: 'None' })).text)
    t.equal(none.rows[0].object, null)
    const whole = JSON.parse(
      (await write(list, { transform: 'Table', includeObject: 'Object', metaVersion: 'v1beta1' })).text,
    )
    t.same(whole.rows[0].object, stored('a', 3).object)
    t.equal(whole.apiVersion, 'meta.k8s.io/v1beta1')
    const one = JSON.parse(
      (
        await write(
          { type: 'object', code: 200, served: configMap, object: stored('a', 3) },
          { transform: 'Table' },
        )
      ).text,
    )
    t.equal(one.rows.length, 1)
    t.equal(one.metadata.resourceVersion, '3')
  },
)

t.test('metadata alone is cut out of the stored bytes', async (t) => {
  const object = stored('a', 3)
  t.same(JSON.parse(metadataBytes(object).toString('utf8')), object.object.metadata)
  const all = JSON.parse((await write(list, { transform: 'PartialObjectMetadataList' })).text)
  t.equal(all.kind, 'PartialObjectMetadataList')
  t.same(all.items[0], {
    kind: 'PartialObjectMetadata',
    apiVersion: 'meta.k8s.io/v1',
    metadata: object.object.metadata,
  })
  await t.rejects(write(list, { transform: 'PartialObjectMetadata' }), { code: 406 })
  await t.rejects(
    write(
      { type: 'object', code: 200, served: configMap, object },
      { transform: 'PartialObjectMetadataList' },
    ),
    { code: 406 },
  )
})

t.test('YAML and lines are written for those who ask', async (t) => {
  const yaml = await write(
    { type: 'object', code: 200, served: configMap, object: stored('a', 3) },
    { media: 'yaml' },
  )
  t.equal(yaml.headers['content-type'], 'application/yaml')
  t.match(yaml.text, /^apiVersion: v1\nkind: ConfigMap\n/)
  t.match((await write(list, { isPretty: true })).text, /^\{\n {2}"kind": "ConfigMapList"/)
})

t.test('negotiate() follows the order of wishes', async (t) => {
  const table =
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json'
  const cases: readonly (readonly [string | undefined, Partial<Format>])[] = [
    [undefined, { media: 'json', transform: undefined }],
    ['*/*', { media: 'json' }],
    [table, { media: 'json', transform: 'Table', metaVersion: 'v1' }],
    ['application/vnd.kubernetes.protobuf,application/json', { media: 'json' }],
    ['application/vnd.kubernetes.protobuf, */*', { media: 'json' }],
    ['application/json;q=0.5,application/yaml', { media: 'yaml' }],
    ['application/*;q=0.2, text/html', { media: 'json' }],
    ['application/json;as=Table;v=v2;g=meta.k8s.io,application/json', { transform: undefined }],
    [
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      { media: 'json', transform: 'PartialObjectMetadataList' },
    ],
  ]
  const query = new URLSearchParams()
  for (const [accept, expected] of cases) {
    t.match(
      negotiate({ accept, query, userAgent: 'kubectl/v1.36', isStream: false }),
      expected,
      accept ?? 'none',
    )
  }
})

t.test('negotiate() refuses what is not written with 406', async (t) => {
  const query = new URLSearchParams()
  const refused: readonly (readonly [string, boolean])[] = [
    ['application/vnd.kubernetes.protobuf', false],
    ['application/cbor', false],
    ['text/html', false],
    ['application/json;q=0', false],
    ['application/json;as=Chart;v=v1;g=meta.k8s.io', false],
    ['application/yaml', true],
  ]
  for (const [accept, isStream] of refused) {
    t.throws(() => negotiate({ accept, query, userAgent: undefined, isStream }), { code: 406 }, accept)
  }
  const odd = new URLSearchParams('includeObject=Half')
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  t.throws(() => negotiate({ accept, query: odd, userAgent: undefined, isStream: false }), { code: 400 })
})

t.test('people get lines, programs get bytes', async (t) => {
  const pretty = (userAgent: string, query = '') =>
    negotiate({ accept: '*/*', query: new URLSearchParams(query), userAgent, isStream: false }).isPretty
  t.equal(pretty('curl/8'), true)
  t.equal(pretty('kubectl/v1'), false)
  t.equal(pretty('curl/8', 'pretty=false'), false)
  t.equal(pretty('kubectl/v1', 'pretty=1'), true)
})

t.test('refusals are statuses; what is broken here stays in the log', async (t) => {
  const logged: unknown[] = []
  const log = { ...silentLogger, error: (_message: string, fields?: object) => void logged.push(fields) }
  const refused = respondError(conflict({ group: '', resource: 'pods' }, 'a', 'why'), { log, path: '/x' })
  t.equal(refused.status, 409)
  t.equal(logged.length, 0)
  const busy = respondError(tooManyRequests('busy', 7), { log, path: '/x' })
  t.equal(busy.headers['retry-after'], '7')
  const broken = respondError(new TypeError('secret detail'), { log, path: '/x' })
  t.equal(broken.status, 500)
  t.notMatch(await text(broken.body), /secret/)
  t.match(JSON.parse(await text(broken.body)), {
    kind: 'Status',
    status: 'Failure',
    reason: 'InternalError',
    code: 500,
  })
  t.match(logged, [{ error: { message: 'secret detail' } }])
  t.equal(respondError(internalError('known', new Error('why')), { log, path: '/' }).status, 500)
})

t.test('warnings are escaped, told once, and bounded', async (t) => {
  t.same(warningHeaders(['say "x\\y"\n', 'twice', 'twice', '']), [
    '299 - "say \\"x\\\\y\\""',
    '299 - "twice"',
  ])
  const long = Array.from({ length: 30 }, (_, at) => `${at} ${'x'.repeat(500)}`)
  const headers = warningHeaders(long)
  t.equal(headers.length, 16)
  t.ok(headers.every((header) => header.length <= 256 + '299 - ""'.length))
  t.equal(Buffer.from(warningHeaders(['ü'])[0] ?? '', 'latin1').toString('utf8'), '299 - "ü"')
})
