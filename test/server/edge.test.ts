import { once } from 'node:events'
import t from 'tap'
import type { Answer, Call, Door, WatchItem } from '../../src/api/contracts.ts'
import { notFound } from '../../src/api/status.ts'
import { builtInKinds } from '../../src/kinds/index.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { allowAll, startTestEdge } from './start-edge.ts'
import { askH2 } from './start-server.ts'

const configMap = builtInKinds.find(({ kind }) => kind === 'ConfigMap') as Kind
const custom: Kind = { ...configMap, group: 'example.com', isCustom: true }
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }
const done: Answer = { type: 'object', code: 200, served: configMap, object }

/** A door that remembers what it was asked. */
function recording(
  answer: (call: Call) => Promise<Answer> = async () => done,
): Door & { readonly calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    handle: (call) => {
      calls.push(call)
      return answer(call)
    },
  }
}

const collection = '/api/v1/namespaces/default/configmaps'
const item = `${collection}/a`
const json = { 'content-type': 'application/json' }

t.test('each method becomes its call', async (t) => {
  const door = recording()
  await using edge = await startTestEdge({ door })
  const body = JSON.stringify({ metadata: { name: 'a' } })
  await edge.h2(`${collection}?fieldManager=m`, {
    method: 'POST',
    body,
    headers: { 'user-agent': 'kubectl/v1.36 (x)' },
  })
  await edge.h2(item, { method: 'PUT', body, headers: json })
  await edge.h2(item, {
    method: 'PATCH',
    body: '{"data":{"x":"y"}}',
    headers: { 'content-type': 'application/merge-patch+json; charset=utf-8' },
  })
  await edge.h2(item, { method: 'DELETE', body: '{"gracePeriodSeconds":3}', headers: json })
  await edge.h2(`${collection}?labelSelector=a`, { method: 'DELETE' })
  await edge.h2(item)
  await edge.h2(`${collection}?limit=5`)
  t.same(
    door.calls.map(({ verb, name }) => `${verb} ${name}`),
    ['create ', 'update a', 'patch a', 'delete a', 'deletecollection ', 'get a', 'list '],
  )
  const [created, , patched, deleted, collected, , listed] = door.calls
  t.match(created, {
    user: { name: 'system:anonymous' },
    ...{ group: '', version: 'v1', resource: 'configmaps', subresource: '', namespace: 'default' },
    options: { fieldManager: 'm' },
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
    userAgent: 'kubectl',
  })
  t.same(patched?.patch, { type: 'merge', body: { data: { x: 'y' } } })
  t.same(deleted?.options, { gracePeriodSeconds: 3 })
  t.same(collected?.options, { labelSelector: 'a' })
  t.same(listed?.options, { limit: 5 })
})

t.test('bodies that cannot be what they should be are refused before the door', async (t) => {
  const door = recording()
  await using edge = await startTestEdge({ door, kinds: [...builtInKinds, custom] })
  const things = '/apis/example.com/v1/namespaces/default/configmaps'
  const refused: readonly (readonly [string, string, string, string, number, RegExp])[] = [
    [
      'POST',
      collection,
      'application/json',
      '{',
      400,
      /must be of type ConfigMap\): couldn't get version\/kind; json parse error/,
    ],
    ['POST', collection, 'application/json', '', 400, /<empty>/],
    ['POST', collection, 'application/json', '[]', 400, /must be of type ConfigMap/],
    [
      'POST',
      collection,
      'application/json',
      '{"apiVersion":"v2"}',
      400,
      /the API version in the data \(v2\) does not match the expected API version \(v1\)/,
    ],
    ['POST', collection, 'application/json', '{"kind":"Pod"}', 400, /cannot be handled as a ConfigMap/],
    ['POST', collection, 'application/json', '{"metadata":3}', 400, /metadata/],
    [
      'POST',
      collection,
      'application/cbor',
      '{}',
      415,
      /accepted media types include: application\/json, application\/yaml, application\/vnd.kubernetes.protobuf/,
    ],
    ['POST', collection, 'application/vnd.kubernetes.protobuf', 'k8s', 400, /protobuf/],
    [
      'POST',
      things,
      'application/vnd.kubernetes.protobuf',
      'k8s',
      415,
      /application\/json, application\/yaml$/,
    ],
    [
      'PATCH',
      item,
      'application/json',
      '{}',
      415,
      /application\/json-patch\+json, application\/merge-patch\+json, application\/strategic-merge-patch\+json, application\/apply-patch\+yaml/,
    ],
    [
      'PATCH',
      `${things}/a`,
      'application/strategic-merge-patch+json',
      '{}',
      415,
      /application\/merge-patch\+json, application\/apply-patch\+yaml$/,
    ],
    ['PATCH', item, 'application/apply-patch+yaml', 'a: [', 422, /fieldManager/],
    ['PATCH', `${item}?fieldManager=x`, 'application/apply-patch+yaml', 'a: [', 400, /YAML/],
    ['DELETE', item, 'application/json', '{"kind":"Pod"}', 400, /cannot be converted to DeleteOptions/],
  ]
  for (const [method, path, contentType, body, code, message] of refused) {
    const reply = await edge.h2(path, { method, body, headers: { 'content-type': contentType } })
    t.equal(reply.status, code, `${method} ${contentType} ${body}`)
    t.match(reply.json(), { kind: 'Status', status: 'Failure', code })
    t.match(reply.json()['message'], message)
  }
  t.equal(door.calls.length, 0)
})

t.test('fields that a body names twice are told to the door, unless nobody wants to know', async (t) => {
  const door = recording()
  await using edge = await startTestEdge({ door })
  const body = '{"metadata":{"name":"a"},"data":{"x":"1","x":"2"}}'
  await edge.h2(collection, { method: 'POST', body })
  await edge.h2(`${collection}?fieldValidation=Ignore`, { method: 'POST', body })
  await edge.h2(item, { method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } })
  const twice = 'duplicate field "data.x"'
  t.same(
    door.calls.map(({ decodingWarnings }) => decodingWarnings),
    [[twice], [], [twice]],
  )
  t.match(door.calls[0]?.object, { data: { x: '2' } })
})

t.test('YAML bodies are read', async (t) => {
  const door = recording()
  await using edge = await startTestEdge({ door })
  const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: text\n'
  await edge.h2(collection, { method: 'POST', body, headers: { 'content-type': 'application/yaml' } })
  t.match(door.calls[0]?.object, { data: { x: 'text' } })
})

t.test('methods that a path does not have get 405, paths that nobody serves 404', async (t) => {
  await using edge = await startTestEdge({ door: recording() })
  const refused: readonly (readonly [string, string, number])[] = [
    ['PUT', collection, 405],
    ['PATCH', collection, 405],
    ['POST', item, 405],
    ['HEAD', item, 405],
    ['OPTIONS', item, 405],
    ['POST', '/api/v1/watch/configmaps', 405],
    ['POST', '/version', 405],
    ['GET', '/api/v1/nothings', 404],
    ['GET', '/api/v1/proxy/namespaces/default/pods/a', 404],
    ['GET', '/apis/nobody/v1/things', 404],
    ['GET', `${item}/status/more`, 404],
    ['GET', '/nothing', 404],
    ['GET', '/api/v1//configmaps', 404],
    ['GET', '/api/v1/configmaps/a%2Fb', 400],
  ]
  for (const [method, path, code] of refused) {
    const reply = await edge.h2(path, { method })
    t.equal(reply.status, code, `${method} ${path}`)
  }
})

t.test('who may not do something is told so before anything else is looked at', async (t) => {
  const door = recording()
  const authorizer = { ...allowAll, authorize: () => ({ allowed: false, reason: '' }) }
  await using edge = await startTestEdge({ door, authorizer })
  const reply = await edge.h2(collection, {
    method: 'POST',
    body: '{',
    headers: { authorization: 'Bearer jane' },
  })
  t.equal(reply.status, 403)
  t.equal(
    reply.json()['message'],
    'configmaps is forbidden: User "jane" cannot create resource "configmaps" in API group "" in the namespace "default"',
  )
  t.equal((await edge.h2('/api/v1/nothings')).status, 403, 'what is served is not told either')
  t.match((await edge.h2('/version')).json()['message'], /cannot get path "\/version"/)
  t.equal(door.calls.length, 0)
})

t.test('B13: the authoriser judges the very path that is answered', async (t) => {
  const judged: string[] = []
  const authorizer = {
    ...allowAll,
    authorize: ({
      path,
      resource,
      name,
      namespace,
    }: {
      path: string
      resource: string
      name: string
      namespace: string
    }) => {
      judged.push(path === '' ? `${namespace}/${resource}/${name}` : path)
      return { allowed: true, reason: '' }
    },
  }
  const door = recording()
  await using edge = await startTestEdge({ door, authorizer })
  await edge.h2('/api/v1/namespaces/default/configmaps/a%3Ab')
  await edge.h2('/health%7a')
  t.same(judged, ['default/configmaps/a:b', '/healthz'])
  t.equal(door.calls[0]?.name, 'a:b')
})

t.test('a caller may act as another user when the authoriser lets him', async (t) => {
  const door = recording()
  await using edge = await startTestEdge({ door })
  const headers = {
    authorization: 'Bearer admin',
    'impersonate-user': 'jane',
    'impersonate-group': ['one', 'two, three'],
  }
  await edge.h2(item, { headers })
  t.match(door.calls[0]?.user, { name: 'jane', groups: ['one', 'two, three', 'system:authenticated'] })
  t.equal((await edge.h2(item, { headers: { 'impersonate-group': 'one' } })).status, 400)
})

t.test('every answer has an audit id and may not be cached', async (t) => {
  await using edge = await startTestEdge({
    door: recording(async () => Promise.reject(notFound({ group: '', resource: 'configmaps' }, 'a'))),
  })
  const reply = await edge.h2(item, { headers: { 'audit-id': 'mine' } })
  t.equal(reply.status, 404)
  t.equal(reply.json()['message'], 'configmaps "a" not found')
  t.equal(reply.headers['audit-id'], 'mine')
  t.equal(reply.headers['cache-control'], 'no-cache, private')
  t.match((await edge.h2(item)).headers['audit-id'], /^[0-9a-f-]{36}$/)
})

t.test('more requests than the bound are turned away, health checks never', async (t) => {
  const release = Promise.withResolvers<Answer>()
  const door = recording(() => release.promise)
  await using edge = await startTestEdge({ door, limits: { requestsMax: 1 } })
  const slow = edge.h2(item)
  while (door.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const refused = await edge.h2(item)
  t.equal(refused.status, 429)
  t.equal(refused.headers['retry-after'], '1')
  t.equal((await edge.h2('/livez')).status, 200)
  release.resolve(done)
  t.equal((await slow).status, 200)
  t.equal((await edge.h2(item)).status, 200)
})

t.test('a request that takes too long is answered with 504', async (t) => {
  const clock = new FakeClock()
  const door = recording(() => new Promise(() => undefined))
  await using edge = await startTestEdge({ door, clock })
  const slow = edge.h2(item)
  while (door.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(60_000)
  t.equal((await slow).status, 504)
  t.equal(door.calls[0]?.signal.aborted, true)
})

t.test('a watch ends when its time is up, when its client goes, and when the server stops', async (t) => {
  const clock = new FakeClock()
  const door = recording(async (call) => ({
    type: 'watch',
    served: configMap,
    items: untilAborted(call.signal),
  }))
  await using edge = await startTestEdge({ door, clock })
  const timed = edge.h2(`${collection}?watch=1&timeoutSeconds=5`)
  while (door.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(5_000)
  t.equal((await timed).status, 200)

  const session = edge.session()
  const left = session.request({ ':path': `${collection}?watch=1` })
  const [headers] = await once(left, 'response')
  t.equal(headers['content-type'], 'application/json')
  left.close()
  const signal = door.calls[1]?.signal as AbortSignal
  if (!signal.aborted) await once(signal, 'abort')

  const stopped = askH2(session, `${collection}?watch=1`)
  while (door.calls.length < 3) await new Promise((resolve) => setImmediate(resolve))
  const closed = edge.server.close(10_000)
  t.equal((await stopped).text, '')
  await closed
  session.destroy()
})

async function* untilAborted(signal: AbortSignal): AsyncGenerator<WatchItem> {
  if (!signal.aborted) await once(signal, 'abort')
  yield* []
}

t.test('health says ok, what was checked, and what failed', async (t) => {
  const broken = { name: 'store', check: () => Promise.reject(new Error('secret detail')) }
  await using edge = await startTestEdge({ door: recording(), health: { live: [], ready: [broken] } })
  t.equal((await edge.h2('/livez')).text, 'ok')
  t.equal((await edge.h2('/livez?verbose')).text, '[+]ping ok\nlivez check passed\n')
  const failed = await edge.h2('/readyz')
  t.equal(failed.status, 500)
  t.equal(failed.text, '[+]ping ok\n[-]store failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n')
  t.equal((await edge.h2('/readyz?exclude=store')).text, 'ok')
  t.equal((await edge.h2('/readyz/ping')).text, 'ok')
  t.equal((await edge.h2('/readyz/store')).status, 500)
  t.equal((await edge.h2('/readyz/nothing')).status, 404)
})

t.test('version, the path list and metrics are there', async (t) => {
  await using edge = await startTestEdge({ door: recording() })
  t.match((await edge.h2('/version')).json(), { major: '1', minor: '36', gitVersion: /^v1\.36\.\d+\+k3v/ })
  const paths = (await edge.h2('/')).json()['paths'] as string[]
  for (const path of ['/api/v1', '/livez/ping', '/openapi/v3', '/metrics']) t.ok(paths.includes(path), path)
  await edge.h2(item)
  const { text } = await edge.h2('/metrics')
  t.match(
    text,
    /apiserver_request_total\{verb="GET",group="",version="v1",resource="configmaps",subresource="",component="apiserver",code="200"\} 1/,
  )
  t.match(text, /apiserver_request_duration_seconds_bucket\{[^}]*le="\+Inf"[^}]*\} 1/)
  t.match(text, /process_cpu_seconds_total/)
})

t.test('connect subresources go to whoever answers them, path and all', async (t) => {
  const seen: string[] = []
  await using edge = await startTestEdge({
    door: recording(),
    kinds: [{ ...configMap, subresources: [{ name: 'proxy', verbs: ['get'] }] }],
    connect: async ({ route, user }) => {
      seen.push(`${user.name} ${route.name} ${route.rest}`)
      return { status: 200, headers: {}, body: 'connected' }
    },
  })
  t.equal((await edge.h2(`${item}/proxy/x//y%2Fz?q=1`)).text, 'connected')
  t.same(seen, ['system:anonymous a /x//y%2Fz'])
})
