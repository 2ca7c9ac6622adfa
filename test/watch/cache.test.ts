import t from 'tap'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import { openWatchCache } from '../../src/watch/cache.ts'
import { defaultHistory } from '../../src/watch/resource.ts'
import { pod, pods, put, start } from './fixtures.ts'

const names = (objects: readonly { key: string }[] | undefined) => objects?.map(({ key }) => key)

t.test('get() and list() show what the store held before and what was committed since', async (t) => {
  const store = await openMemoryStore()
  await put(store, 'core/pods/default/a', pod('a'))
  const { cache } = await start(t, { store })
  const revision = await put(store, 'core/pods/default/b', pod('b'))
  t.equal(cache.revision, revision)
  t.equal(cache.get('core/pods/default/b')?.object.metadata.resourceVersion, String(revision))
  t.same(names(cache.list(pods)), ['core/pods/default/a', 'core/pods/default/b'])
  await put(store, 'core/pods/default/a', undefined)
  t.equal(cache.get('core/pods/default/a'), undefined)
  t.same(names(cache.list(pods)), ['core/pods/default/b'])
})

t.test('list() orders keys bytewise and ends a namespace where it ends', async (t) => {
  const { store, cache } = await start(t)
  for (const name of ['a/x', 'a-b/x', 'a/😀', 'a/￼', 'a.b/x', 'aa/x', 'a/b'])
    await put(store, `core/pods/${name}`, pod('x'))
  const sorted = names(cache.list(pods)) ?? []
  t.same(
    sorted,
    [...sorted].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right))),
  )
  t.equal(sorted.length, 7)
  t.same(names(cache.list('core/pods/a/')), [
    'core/pods/a/b',
    'core/pods/a/x',
    'core/pods/a/￼',
    'core/pods/a/😀',
  ])
  t.equal(cache.count('core/pods/a/'), 4)
  t.ok(cache.get('core/pods/a/😀'))
})

t.test('list() with a prefix over several resources shows them all', async (t) => {
  const { store, cache } = await start(t)
  for (const key of ['core/pods/a/x', 'apps/deployments/a/x', 'core/nodes/n']) await put(store, key, pod('x'))
  t.same(names(cache.list('')), ['apps/deployments/a/x', 'core/nodes/n', 'core/pods/a/x'])
  t.same(names(cache.list('core/')), ['core/nodes/n', 'core/pods/a/x'])
  t.equal(cache.count('core/'), 2)
})

t.test('a key with fewer than two slashes is not an object', async (t) => {
  const { store, cache } = await start(t)
  const revision = await put(store, 'mark:x', Buffer.from('anything'))
  t.equal(cache.revision, revision)
  t.equal(cache.get('mark:x'), undefined)
  t.same(cache.list(''), [])
})

t.test('one version is one object for all', async (t) => {
  const { store, cache } = await start(t)
  await put(store, 'core/pods/default/a', pod('a'))
  t.equal(cache.get('core/pods/default/a'), cache.list(pods)[0])
})

t.test('listAt() answers what list() answered then', async (t) => {
  const { store, cache } = await start(t)
  const then = new Map<number, unknown>()
  const steps: [string, Buffer | undefined][] = [
    ['a', pod('a')],
    ['b', pod('b')],
    ['a', pod('a', { value: 1 })],
    ['b', undefined],
    ['c', pod('c')],
    ['b', pod('b', { value: 2 })],
    ['a', undefined],
  ]
  for (const [name, value] of steps)
    then.set(await put(store, `core/pods/default/${name}`, value), cache.list(pods))
  for (const [revision, objects] of then) t.same(cache.listAt(pods, revision), objects, `at ${revision}`)
  t.equal(cache.listAt(pods, cache.revision + 1), undefined)
})

t.test('listAt() forgets what is older than five minutes, in quiet resources too', async (t) => {
  const { store, cache, clock } = await start(t)
  const old = await put(store, 'core/pods/default/a', pod('a'))
  const next = await put(store, 'core/nodes/n', pod('n'))
  t.ok(cache.listAt(pods, old))
  await clock.advance(defaultHistory.ageMaxMs + 1)
  await put(store, 'core/nodes/n', pod('n'))
  t.equal(cache.listAt(pods, old), undefined)
  t.ok(cache.listAt(pods, next + 1))
})

t.test('listAt() forgets what is beyond the history', async (t) => {
  const { store, cache } = await start(t, { history: { ...defaultHistory, changesMax: 3 } })
  const revisions: number[] = []
  for (let count = 0; count < 6; count += 1)
    revisions.push(await put(store, 'core/pods/default/a', pod('a', { value: count })))
  t.equal(cache.listAt(pods, revisions[1] ?? 0), undefined)
  t.equal(cache.listAt(pods, revisions[2] ?? 0)?.[0]?.object['value'], 2)
})

t.test('waitFor() ends at the revision, at the time limit, and at the signal', async (t) => {
  const { store, cache, clock } = await start(t)
  t.equal(await cache.waitFor(cache.revision, { timeoutMs: 1 }), true)
  const reached = cache.waitFor(cache.revision + 1, { timeoutMs: 3_000 })
  await put(store, 'core/pods/default/a', pod('a'))
  t.equal(await reached, true)
  const late = cache.waitFor(cache.revision + 1, { timeoutMs: 3_000 })
  await clock.advance(3_000)
  t.equal(await late, false)
  const abort = new AbortController()
  const given = cache.waitFor(cache.revision + 1, { timeoutMs: 3_000, signal: abort.signal })
  abort.abort()
  t.equal(await given, false)
  t.equal(clock.pendingTimers, 0)
})

t.test('subscribe() tells each commit once, after reads show it', async (t) => {
  const { store, cache } = await start(t)
  const told: string[] = []
  const stop = cache.subscribe('core/', (events) => {
    for (const { type, key, before } of events)
      told.push(`${type} ${key} before=${before?.revision} get=${cache.get(key)?.revision}`)
  })
  cache.subscribe('', () => {
    throw new Error('a bad listener')
  })
  const first = await put(store, 'core/pods/default/a', pod('a'))
  await put(store, 'apps/deployments/default/a', pod('a'))
  await put(store, 'core/pods/default/a', undefined)
  stop()
  await put(store, 'core/pods/default/b', pod('b'))
  t.same(told, [
    `ADDED core/pods/default/a before=undefined get=${first}`,
    `DELETED core/pods/default/a before=${first} get=undefined`,
  ])
})

t.test('a cache opened later resumes watches from what the store remembers', async (t) => {
  const store = await openMemoryStore()
  const first = await put(store, 'core/pods/default/a', pod('a', { value: 1 }))
  await put(store, 'core/pods/default/a', pod('a', { value: 2 }))
  await put(store, 'core/pods/default/a', undefined)
  await put(store, 'core/pods/default/b', pod('b'))
  await using cache = await openWatchCache({ store })
  t.same(
    cache.listAt(pods, first)?.map(({ object }) => object['value']),
    [1],
  )
  t.same(names(cache.listAt(pods, cache.revision)), ['core/pods/default/b'])
  t.same(names(cache.list(pods)), ['core/pods/default/b'])
})
