import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Test, test } from 'tap'
import { createHttpClient } from '../../src/client/http.ts'
import { configMaps, pods } from '../../src/client/resources.ts'
import { linesOf } from '../../src/client/watch-lines.ts'

async function serve(
  t: Test,
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void,
) {
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    handle(request, response, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const warnings: string[] = []
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix`
  const client = createHttpClient({
    server: url,
    token: () => 'secret',
    onWarning: (text) => warnings.push(text),
  })
  t.teardown(async () => {
    await client[Symbol.asyncDispose]()
    server.closeAllConnections()
    server.close()
  })
  return { client, warnings }
}

const status = (code: number, extra: object) =>
  JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, ...extra })

test('an absent object is undefined, an unserved path is a refusal', async (t) => {
  const { client } = await serve(t, (request, response) => {
    response.statusCode = 404
    const isObject = request.url === '/prefix/api/v1/namespaces/a/pods/x%2Fy'
    response.end(
      isObject
        ? status(404, { reason: 'NotFound', details: { name: 'x/y', kind: 'pods' } })
        : '404 page not found',
    )
  })
  t.equal(await client.get(pods, { namespace: 'a', name: 'x/y' }), undefined)
  await t.rejects(client.get(pods, { namespace: 'b', name: 'z' }), {
    code: 404,
    message: '404 page not found',
  })
})

test("a refusal keeps the server's status and its Retry-After", async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response
      .writeHead(429, { 'retry-after': '7' })
      .end(status(429, { reason: 'TooManyRequests', message: 'slow down' }))
  })
  await t.rejects(client.list(pods), {
    code: 429,
    message: 'slow down',
    status: { reason: 'TooManyRequests', details: { retryAfterSeconds: 7 } },
  })
})

test('writes carry their media type, their query and the bearer token; warnings are told', async (t) => {
  const seen: unknown[] = []
  const { client, warnings } = await serve(t, (request, response, body) => {
    seen.push([
      request.method,
      request.url,
      request.headers['content-type'],
      request.headers.authorization,
      JSON.parse(body),
    ])
    response.setHeader('warning', '299 - "first \\"one\\""')
    response.end(body)
  })
  const object = { metadata: { name: 'c', namespace: 'a' } }
  await client.apply(configMaps, object, { fieldManager: 'me', force: true })
  await client.patchStatus(configMaps, { namespace: 'a', name: 'c' }, { type: 'json', body: [] })
  t.same(seen, [
    [
      'PATCH',
      '/prefix/api/v1/namespaces/a/configmaps/c?fieldManager=me&force=true',
      'application/apply-patch+yaml',
      'Bearer secret',
      object,
    ],
    [
      'PATCH',
      '/prefix/api/v1/namespaces/a/configmaps/c/status',
      'application/json-patch+json',
      'Bearer secret',
      [],
    ],
  ])
  t.same(warnings, ['first "one"', 'first "one"'])
})

test('items of a typed list get the kind that the list tells', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.end(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'PodList',
        metadata: { resourceVersion: '9' },
        items: [{ metadata: { name: 'p' } }],
      }),
    )
  })
  const { items, resourceVersion } = await client.list(pods)
  t.match(items, [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' } }])
  t.equal(resourceVersion, '9')
})

test('a watch yields events and bookmarks and throws an ERROR event', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.write('{"type":"ADDED","object":{"metadata":{"name":"p","resourceVersion":"3"}}}\n{"type":"BOOK')
    response.write('MARK","object":{"metadata":{"resourceVersion":"5"}}}\n')
    response.end(`{"type":"ERROR","object":${status(410, { reason: 'Expired', message: 'too old' })}}\n`)
  })
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const item of client.watch(pods, { resourceVersion: '1' }))
      seen.push([item.type, item.resourceVersion])
  })()
  await t.rejects(reading, { code: 410, message: 'too old' })
  t.same(seen, [
    ['ADDED', '3'],
    ['BOOKMARK', '5'],
  ])
})

test('a watch that the caller gives up rejects with the reason', async (t) => {
  const { client } = await serve(t, (_request, response) => {
    response.write('{"type":"ADDED","object":{"metadata":{"name":"p","resourceVersion":"3"}}}\n')
  })
  const abort = new AbortController()
  const reading = (async () => {
    for await (const _ of client.watch(pods, { signal: abort.signal })) abort.abort(new Error('enough'))
  })()
  await t.rejects(reading, { message: 'enough' })
})

test('a server that is not there is a 503 that names it', async (t) => {
  const client = createHttpClient({ server: 'http://127.0.0.1:1' })
  await t.rejects(client.list(pods), { code: 503, message: /cannot reach http:\/\/127\.0\.0\.1:1/ })
  await client[Symbol.asyncDispose]()
})

test('a line over its bound is refused', async (t) => {
  async function* chunks() {
    yield Buffer.from('short\n0123')
    yield Buffer.from('456789')
  }
  const lines: string[] = []
  const reading = (async () => {
    for await (const line of linesOf(chunks(), 8)) lines.push(line)
  })()
  await t.rejects(reading, { message: /over 8 bytes/ })
  t.same(lines, ['short'])
})
