import fc from 'fast-check'
import t from 'tap'
import type { WatchItem } from '../../src/api/contracts.ts'
import type { StoredObject } from '../../src/api/stored.ts'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import { openWatchCache } from '../../src/watch/cache.ts'
import { defaultHistory } from '../../src/watch/resource.ts'
import { describe, pod, pods, put, read, start } from './fixtures.ts'

const isBlue = ({ header }: StoredObject) => header.labels['color'] === 'blue'

t.test('a watch without a revision begins with the present state', async (t) => {
  const { store, cache } = await start(t)
  const a = await put(store, 'core/pods/default/a', pod('a'))
  const b = await put(store, 'core/pods/default/b', pod('b'))
  const items = cache.watch({ prefix: pods })
  const c = await put(store, 'core/pods/default/c', pod('c'))
  t.same(await read(items, 3), [`ADDED a@${a}`, `ADDED b@${b}`, `ADDED c@${c}`])
})

t.test('a watch from a revision begins after it', async (t) => {
  const { store, cache } = await start(t)
  const first = await put(store, 'core/pods/default/a', pod('a'))
  const second = await put(store, 'core/pods/default/a', pod('a', { value: 2 }))
  const third = await put(store, 'core/pods/default/a', undefined)
  const items = cache.watch({ prefix: pods, from: first })
  const fourth = await put(store, 'core/pods/default/a', pod('a'))
  t.same(await read(items, 3), [`MODIFIED a@${second} 2`, `DELETED a@${third} 2`, `ADDED a@${fourth}`])
})

t.test('a watch from a revision to come leaves out what is before it', async (t) => {
  const { store, cache } = await start(t)
  const items = cache.watch({ prefix: pods, from: cache.revision + 2 })
  for (const name of ['a', 'b', 'c']) await put(store, `core/pods/default/${name}`, pod(name))
  t.same(await read(items, 1), [`ADDED c@${cache.revision}`])
})

t.test('a watch of a namespace sees no other, and no other resource', async (t) => {
  const { store, cache } = await start(t)
  const items = cache.watch({ prefix: 'core/pods/default/' })
  await put(store, 'core/pods/default2/a', pod('a'))
  await put(store, 'core/podtemplates/default/b', pod('b'))
  const last = await put(store, 'core/pods/default/c', pod('c'))
  t.same(await read(items, 1), [`ADDED c@${last}`])
})

t.test('entering a selector is ADDED, leaving it DELETED with the last matching state', async (t) => {
  const { store, cache } = await start(t)
  const from = cache.revision
  const live = cache.watch({ prefix: pods, from, matches: isBlue })
  const key = 'core/pods/default/a'
  const blue = { color: 'blue' }
  await put(store, key, pod('a', { value: 1 }, { color: 'red' }))
  const enter = await put(store, key, pod('a', { value: 2 }, blue))
  const inside = await put(store, key, pod('a', { value: 3 }, blue))
  const leave = await put(store, key, pod('a', { value: 4 }, { color: 'red' }))
  await put(store, key, pod('a', { value: 5 }, { color: 'red' }))
  const again = await put(store, key, pod('a', { value: 6 }, blue))
  const gone = await put(store, key, undefined)
  const expected = [
    `ADDED a@${enter} 2`,
    `MODIFIED a@${inside} 3`,
    `DELETED a@${leave} 3`,
    `ADDED a@${again} 6`,
    `DELETED a@${gone} 6`,
  ]
  t.same(await read(live, expected.length), expected)
  t.same(await read(cache.watch({ prefix: pods, from, matches: isBlue }), expected.length), expected)
})

t.test('changes of one commit come together', async (t) => {
  const { store, cache } = await start(t)
  const iterator = cache.watch({ prefix: pods })[Symbol.asyncIterator]()
  const next = iterator.next()
  await store.commit({
    conditions: [],
    changes: ['a', 'b'].map((name) => ({ key: `core/pods/default/${name}`, value: pod(name) })),
  })
  const { value } = await next
  t.same(describe(value as WatchItem), [`ADDED a@${cache.revision}`, `ADDED b@${cache.revision}`])
})

t.test('watches without a selector share one item', async (t) => {
  const { store, cache } = await start(t)
  const [left, right] = [0, 1].map(() => cache.watch({ prefix: pods })[Symbol.asyncIterator]().next())
  await put(store, 'core/pods/default/a', pod('a'))
  t.equal((await left)?.value, (await right)?.value)
})

t.test('initial events end with a bookmark of the moment', async (t) => {
  const { store, cache } = await start(t)
  const a = await put(store, 'core/pods/default/a', pod('a'))
  const now = await put(store, 'core/nodes/n', pod('n'))
  const options = { prefix: pods, sendInitialEvents: true }
  const items = cache.watch({ ...options, bookmarks: true })
  const b = await put(store, 'core/pods/default/b', pod('b'))
  t.same(await read(items, 3), [`ADDED a@${a}`, `BOOKMARK ${now} end`, `ADDED b@${b}`])
  t.same(await read(cache.watch({ ...options, from: a }), 2), [`ADDED a@${a}`, `ADDED b@${b}`])
})

t.test('bookmarks come once a minute to those who asked', async (t) => {
  const { store, cache, clock } = await start(t)
  const marked = cache.watch({ prefix: pods, bookmarks: true })
  const plain = cache.watch({ prefix: pods })
  await clock.advance(59_000)
  await put(store, 'core/nodes/n', pod('n'))
  const first = cache.revision
  await clock.advance(1_000)
  t.same(await read(marked, 1), [`BOOKMARK ${first}`])
  await clock.advance(120_000)
  const last = await put(store, 'core/pods/default/a', pod('a'))
  t.same(await read(marked, 2), [`BOOKMARK ${first}`, `ADDED a@${last}`], 'of those that wait, the newest')
  t.same(await read(plain, 1), [`ADDED a@${last}`])
})

t.test('a watch with a time limit ends with a bookmark and without an error', async (t) => {
  const { cache, clock } = await start(t)
  const items = cache.watch({ prefix: pods, bookmarks: true, timeoutMs: 10_000 })
  await clock.advance(10_000)
  t.same(await read(items), [`BOOKMARK ${cache.revision}`])
  t.equal(cache.openWatches, 0)
  t.equal(clock.pendingTimers, 0)
})

t.test('a revision older than the history is 410', async (t) => {
  const { store, cache } = await start(t, { history: { ...defaultHistory, changesMax: 2 } })
  const revisions: number[] = []
  for (let count = 0; count < 4; count += 1)
    revisions.push(await put(store, 'core/pods/default/a', pod('a', { value: count })))
  const [, second = 0, third = 0, fourth = 0] = revisions
  t.same(await read(cache.watch({ prefix: pods, from: second - 1 })), [
    `ERROR 410 Expired: too old resource version: ${second - 1} (${second})`,
  ])
  t.same(await read(cache.watch({ prefix: pods, from: second }), 2), [
    `MODIFIED a@${third} 2`,
    `MODIFIED a@${fourth} 3`,
  ])
  t.equal(cache.openWatches, 1)
})

t.test('a revision from before the cache was loaded is 410 when the store has forgotten it', async (t) => {
  const store = await openMemoryStore()
  const first = await put(store, 'core/pods/default/a', pod('a'))
  const second = await put(store, 'core/pods/default/b', pod('b'))
  await store.compact(second)
  await using cache = await openWatchCache({ store })
  t.same(await read(cache.watch({ prefix: 'core/nodes/', from: first })), [
    `ERROR 410 Expired: too old resource version: ${first} (${second})`,
  ])
})

t.test('a slow reader is cut off with 410 and holds up nobody', async (t) => {
  const { store, cache } = await start(t)
  const slow = cache.watch({ prefix: pods, bufferEventsMax: 3 })
  const quick = cache.watch({ prefix: pods })
  for (let count = 0; count < 4; count += 1) await put(store, 'core/pods/default/a', pod('a'))
  t.equal(cache.openWatches, 1)
  t.same(await read(slow), ['ERROR 410 Expired: the watch was too slow to take its events: list again'])
  t.equal((await read(quick, 4)).length, 4)
})

t.test('a reader that never reads is cut off after a thousand commits', async (t) => {
  const { store, cache } = await start(t)
  cache.watch({ prefix: pods })
  for (let count = 0; count < 1_000; count += 1) await put(store, 'core/pods/default/a', pod('a'))
  t.equal(cache.openWatches, 1)
  await put(store, 'core/pods/default/a', pod('a'))
  t.equal(cache.openWatches, 0)
})

t.test('return(), the signal and close() end a watch and free it', async (t) => {
  const { store, cache, clock } = await start(t)
  for await (const item of cache.watch({ prefix: pods, sendInitialEvents: true, bookmarks: true })) {
    t.match(item, { type: 'bookmark' })
    break
  }
  t.equal(cache.openWatches, 0)

  const abort = new AbortController()
  const aborted = read(cache.watch({ prefix: pods, bookmarks: true, signal: abort.signal }))
  t.equal(cache.openWatches, 1)
  abort.abort()
  t.same(await aborted, [])
  t.same(await read(cache.watch({ prefix: pods, signal: abort.signal })), [])

  const closed = cache.watch({ prefix: pods })
  const last = await put(store, 'core/pods/default/a', pod('a'))
  await cache.close()
  t.same(await read(closed), [`ADDED a@${last}`], 'what was there is still read')
  t.equal(cache.openWatches, 0)
  t.equal(clock.pendingTimers, 0)
})

t.test('a selector that throws ends its own watch only', async (t) => {
  const { store, cache } = await start(t)
  const broken = cache.watch({
    prefix: pods,
    matches: () => {
      throw new Error('broken')
    },
  })
  const whole = cache.watch({ prefix: pods })
  const revision = await put(store, 'core/pods/default/a', pod('a'))
  t.same(await read(broken), ['ERROR 500 InternalError: Internal error occurred: the watch failed'])
  t.same(await read(whole, 1), [`ADDED a@${revision}`])
})

t.test('a watch folded over a list is the later list', async () => {
  const step = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    color: fc.option(fc.constantFrom('blue', 'red')),
    startsWatch: fc.boolean(),
    isSelective: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      await using store = await openMemoryStore()
      await using cache = await openWatchCache({ store })
      const watches: { state: Map<string, string>; items: AsyncIterable<WatchItem>; isSelective: boolean }[] =
        []
      for (const { name, color, startsWatch, isSelective } of steps) {
        await put(store, `${pods}default/${name}`, color === null ? undefined : pod(name, {}, { color }))
        if (!startsWatch) continue
        const matches = isSelective ? isBlue : undefined
        const from = cache.revision
        const state = new Map(
          cache
            .list(pods)
            .filter((object) => matches?.(object) ?? true)
            .map((object) => [object.key, object.bytes.toString()]),
        )
        watches.push({ state, isSelective, items: cache.watch({ prefix: pods, from, matches }) })
      }
      const expected = (isSelective: boolean) =>
        cache
          .list(pods)
          .filter((object) => !isSelective || isBlue(object))
          .map((object) => [object.key, object.bytes.toString()])
      await cache.close()
      for (const { state, items, isSelective } of watches) {
        let last = 0
        for await (const item of items) {
          if (item.type !== 'events') throw new Error(describe(item).join())
          for (const { type, object } of item.events) {
            if (object.revision < last) throw new Error('out of order')
            last = object.revision
            if ((type === 'ADDED') === state.has(object.key))
              throw new Error(`${type} of ${object.key} is wrong`)
            if (type === 'DELETED') state.delete(object.key)
            else state.set(object.key, object.bytes.toString())
          }
        }
        const folded = [...state].sort(([left], [right]) => (left < right ? -1 : 1))
        if (JSON.stringify(folded) !== JSON.stringify(expected(isSelective)))
          throw new Error('the states differ')
      }
    }),
    { numRuns: 200 },
  )
})
