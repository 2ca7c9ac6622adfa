// What every engine must do. An engine's own tests stand beside this file.

import fc from 'fast-check'
import type { Test } from 'tap'
import type { RetentionLimits } from '../../src/store/retention.ts'
import {
  type Entry,
  type Store,
  StoreError,
  type StoreEvent,
  type Transaction,
} from '../../src/store/store.ts'

export type OpenStore = (options?: { retention?: RetentionLimits }) => Promise<Store>

export const bytes = (text: string): Buffer => Buffer.from(text)

export const write = (
  changes: Record<string, string | undefined>,
  conditions: Record<string, number> = {},
): Transaction => ({
  conditions: Object.entries(conditions).map(([key, revision]) => ({ key, revision })),
  changes: Object.entries(changes).map(([key, text]) => ({
    key,
    value: text === undefined ? undefined : bytes(text),
  })),
})

export async function commit(store: Store, transaction: Transaction): Promise<number> {
  const result = await store.commit(transaction)
  if (!result.ok) throw new Error(`the condition on ${result.key} did not hold`)
  return result.revision
}

export const show = (entry: Entry | undefined): string =>
  entry === undefined ? '-' : `${entry.key}=${Buffer.from(entry.value).toString()}@${entry.revision}`

const showEvent = ({ key, revision, value, previous }: StoreEvent): string =>
  `${key}=${value === undefined ? 'gone' : Buffer.from(value).toString()}@${revision} was ${show(previous)}`

export async function showAll(store: Store, prefix = ''): Promise<string[]> {
  return (await store.list(prefix)).entries.map(show)
}

export async function follow(store: Store, from: number): Promise<string[][]> {
  const seen: string[][] = []
  await store.subscribe(from, (events) => void seen.push(events.map(showEvent)))
  return seen
}

export function testStore(t: Test, open: OpenStore): void {
  testCommits(t, open)
  testEvents(t, open)
  testModel(t, open)
}

function testCommits(t: Test, open: OpenStore): void {
  t.test('a new store is empty, and not at revision 0', async (t) => {
    await using store = await open()
    t.ok(store.revision >= 1)
    t.same(await store.list(''), { revision: store.revision, entries: [] })
    t.match(store.epoch, /^[0-9a-f-]{36}$/)
  })

  t.test('a commit is read back with its revision', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1', b: '2' }))
    const second = await commit(store, write({ a: '3' }))
    t.equal(second, first + 1)
    t.equal(store.revision, second)
    t.same(await showAll(store), [`a=3@${second}`, `b=2@${first}`])
    t.equal(show(await store.get('a')), `a=3@${second}`)
    t.equal(await store.get('c'), undefined)
  })

  t.test('an empty value is a value', async (t) => {
    await using store = await open()
    const revision = await commit(store, write({ a: '' }))
    t.equal(show(await store.get('a')), `a=@${revision}`)
  })

  t.test('the same value again is a new revision', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1' }))
    t.equal(await commit(store, write({ a: '1' })), first + 1)
  })

  t.test('a transaction that changes nothing makes no revision', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1' }))
    t.equal(await commit(store, write({}, { a: first })), first)
    t.equal(await commit(store, write({ b: undefined })), first)
    t.equal(store.revision, first)
  })

  t.test('a broken condition changes nothing and answers the newest value', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1' }))
    const exists = await store.commit(write({ a: '2', b: '2' }, { a: 0 }))
    t.same(exists, { ok: false, key: 'a', current: { key: 'a', value: bytes('1'), revision: first } })
    const absent = await store.commit(write({ b: '2' }, { b: first }))
    t.same(absent, { ok: false, key: 'b', current: undefined })
    t.same(await showAll(store), [`a=1@${first}`])
    t.equal(store.revision, first)
  })

  t.test('a deleted key is absent, and can be made again', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1' }))
    await commit(store, write({ a: undefined }, { a: first }))
    t.equal(await store.get('a'), undefined)
    const again = await commit(store, write({ a: '2' }, { a: 0 }))
    t.equal(again, first + 2)
  })

  t.test('list() keeps to its prefix, in bytewise order', async (t) => {
    await using store = await open()
    const revision = await commit(
      store,
      write({ 'p/b': '', 'p/a': '', 'p-': '', q: '', 'p/￼': '', 'p/😀': '' }),
    )
    t.same(
      (await store.list('p/')).entries.map(({ key }) => key),
      ['p/a', 'p/b', 'p/￼', 'p/😀'],
    )
    t.equal((await store.list('x')).revision, revision)
  })

  t.test('scan() hands over in pieces what list() answers', async (t) => {
    await using store = await open()
    await Promise.all(
      Array.from({ length: 2_500 }, (_, at) => commit(store, write({ [`k/${at}`]: `${at}` }))),
    )
    const pieces: string[] = []
    const revision = await store.scan('k/1', (entries) => void pieces.push(...entries.map(show)))
    const { entries } = await store.list('k/1')
    t.equal(revision, store.revision)
    t.same(pieces, entries.map(show))
    t.equal(pieces.length, 1_111)
  })

  t.test('of writers that race for one revision one wins', async (t) => {
    await using store = await open()
    const results = await Promise.all(
      ['1', '2', '3'].map((text) => store.commit(write({ a: text }, { a: 0 }))),
    )
    t.same(
      results.map(({ ok }) => ok),
      [true, false, false],
    )
    const lost = results[1]
    t.equal(lost?.ok === false ? show(lost.current) : '', `a=1@${store.revision}`)
  })

  t.test('commits that were not waited for are applied in their order', async (t) => {
    await using store = await open()
    const before = store.revision
    const all = Array.from({ length: 300 }, (_, at) =>
      commit(store, write({ a: `${at}`, [`k${at}`]: `${at}` })),
    )
    t.same(
      await Promise.all(all),
      Array.from({ length: 300 }, (_, at) => before + 1 + at),
    )
    t.equal(show(await store.get('a')), `a=299@${before + 300}`)
  })

  t.test('large values survive, many at once', async (t) => {
    await using store = await open()
    const texts = Array.from({ length: 12 }, (_, at) => `${at}`.repeat(1_000_000))
    await Promise.all(texts.map((text, at) => commit(store, write({ [`k${at}`]: text }))))
    const { entries } = await store.list('k')
    t.equal(entries.length, texts.length)
    for (const { key, value } of entries)
      t.ok(Buffer.from(value).equals(bytes(texts[Number(key.slice(1))] ?? '')))
  })

  t.test('a closed store refuses everything', async (t) => {
    const store = await open()
    const late = commit(store, write({ a: '1' }))
    await store.close()
    t.ok(await late, 'what was accepted before is written')
    await store.close()
    const closed = { name: 'StoreError', fault: 'closed' }
    await t.rejects(store.commit(write({ a: '1' })), closed)
    await t.rejects(store.get('a'), closed)
    await t.rejects(store.list(''), closed)
    await t.rejects(
      store.subscribe(1, () => undefined),
      closed,
    )
  })
}

function testEvents(t: Test, open: OpenStore): void {
  t.test('subscribe() replays the past, then tells each commit in one call', async (t) => {
    await using store = await open()
    const start = store.revision
    const [one, two, three, four] = [1, 2, 3, 4].map((step) => start + step)
    await commit(store, write({ a: '1', b: '1' }))
    await commit(store, write({ a: '2' }))
    const all = await follow(store, start)
    const some = await follow(store, one ?? 0)
    const none = await follow(store, two ?? 0)
    await commit(store, write({ a: undefined, b: '3' }))
    await commit(store, write({ a: '4' }))
    const events = [
      [`a=1@${one} was -`, `b=1@${one} was -`],
      [`a=2@${two} was a=1@${one}`],
      [`a=gone@${three} was a=2@${two}`, `b=3@${three} was b=1@${one}`],
      [`a=4@${four} was -`],
    ]
    t.same(all, events)
    t.same(some, events.slice(1))
    t.same(none, events.slice(2))
  })

  t.test('subscribe() while commits are under way misses none and repeats none', async (t) => {
    await using store = await open()
    const start = store.revision
    const seen: string[][][] = []
    const commits: Promise<number>[] = []
    for (let at = 0; at < 40; at += 1) {
      commits.push(commit(store, write({ a: `${at}` })))
      if (at % 10 === 5) seen.push(await follow(store, start))
    }
    const last = await Promise.all(commits)
    for (const one of seen) t.equal(one.length, 40)
    t.match(seen[0]?.at(-1)?.[0], `a=39@${last.at(-1)}`)
  })

  t.test('who commits has been told before he goes on', async (t) => {
    await using store = await open()
    const seen = await follow(store, store.revision)
    await Promise.all(
      [1, 2, 3].map(async (text) => {
        const revision = await commit(store, write({ [`k${text}`]: `${text}` }))
        t.ok(seen.flat().some((event) => event.includes(`@${revision} `)))
        t.ok(store.revision >= revision)
      }),
    )
  })

  t.test('a listener that is ended hears nothing more', async (t) => {
    await using store = await open()
    let calls = 0
    const stop = await store.subscribe(store.revision, () => {
      calls += 1
    })
    await commit(store, write({ a: '1' }))
    stop()
    await commit(store, write({ a: '2' }))
    t.equal(calls, 1)
  })

  t.test('a listener may commit, and all hear it in order', async (t) => {
    await using store = await open()
    const answers: Promise<number>[] = []
    await store.subscribe(store.revision, ([event]) => {
      if (event?.key === 'a') answers.push(commit(store, write({ b: '1' })))
    })
    const seen = await follow(store, store.revision)
    const first = await commit(store, write({ a: '1' }))
    await Promise.all(answers)
    t.same(seen, [[`a=1@${first} was -`], [`b=1@${first + 1} was -`]])
  })

  t.test('compact() forgets events and keeps values', async (t) => {
    await using store = await open()
    const first = await commit(store, write({ a: '1', b: '1' }))
    const second = await commit(store, write({ a: '2', b: undefined }))
    const third = await commit(store, write({ a: '3' }))
    await store.compact(second)
    t.equal(store.compactedRevision, second)
    t.same(await showAll(store), [`a=3@${third}`])
    const error = await follow(store, first).catch((error: unknown) => error)
    t.ok(error instanceof StoreError && error.fault === 'compacted')
    t.same(await follow(store, second), [[`a=3@${third} was a=2@${second}`]])
    await store.compact(third)
    t.same(await showAll(store), [`a=3@${third}`])
    t.equal(await commit(store, write({ a: '4' })), third + 1)
  })

  t.test('old events are forgotten by themselves, the newest are kept', async (t) => {
    await using store = await open({
      retention: { eventsMin: 10, ageMinMs: 0, eventsMax: 50, bytesMax: 1_000_000 },
    })
    for (let at = 0; at < 200; at += 1) await commit(store, write({ a: `${at}` }))
    t.ok(store.compactedRevision >= store.revision - 60, `${store.compactedRevision} of ${store.revision}`)
    t.ok(store.compactedRevision <= store.revision - 10)
    t.equal((await follow(store, store.revision - 10)).length, 10)
  })
}

function testModel(t: Test, open: OpenStore): void {
  const key = fc.constantFrom('a', 'b', 'c/d')
  const operation = fc.record({
    key,
    other: key,
    text: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
    // The condition: none, the right one, or one that is off.
    condition: fc.constantFrom(undefined, 0, 1, -1),
    isAwaited: fc.boolean(),
    compacts: fc.boolean(),
  })
  t.test('random operations leave what a map would hold', async (t) => {
    const seed = Math.trunc(Number(process.env['K3V_TEST_SEED'] ?? Date.now() % 1_000_000))
    t.comment(`K3V_TEST_SEED=${seed}`)
    await using store = await open()
    const property = fc.asyncProperty(fc.array(operation, { maxLength: 30 }), async (operations) => {
      const known = await store.list('')
      await Promise.all(known.entries.map((entry) => store.commit(write({ [entry.key]: undefined }))))
      await runAgainstMap(store, operations)
    })
    await fc.assert(property, { seed, numRuns: 60 })
  })
}

interface Operation {
  readonly key: string
  readonly other: string
  readonly text: string | undefined
  readonly condition: number | undefined
  readonly isAwaited: boolean
  readonly compacts: boolean
}

async function runAgainstMap(store: Store, operations: readonly Operation[]): Promise<void> {
  const model = new Map<string, { text: string; revision: number }>()
  const heard: string[] = []
  const expected: string[] = []
  await store.subscribe(store.revision, (events) => void heard.push(...events.map(showEvent)))
  const running: Promise<void>[] = []
  let revision = store.revision
  for (const { key, other, text, condition, isAwaited, compacts } of operations) {
    const conditions =
      condition === undefined ? {} : { [other]: (model.get(other)?.revision ?? 0) + condition }
    const holds = condition === undefined || condition === 0
    const before = model.get(key)
    if (holds && (text !== undefined || before !== undefined)) {
      revision += 1
      if (text === undefined) model.delete(key)
      else model.set(key, { text, revision })
      const was = before === undefined ? '-' : `${key}=${before.text}@${before.revision}`
      expected.push(`${key}=${text ?? 'gone'}@${revision} was ${was}`)
    }
    const wanted = { ok: holds, revision }
    const result = store.commit(write({ [key]: text }, conditions)).then((result) => {
      if (result.ok !== wanted.ok) throw new Error(`commit of ${key} was ${result.ok}`)
      if (result.ok && text !== undefined && result.revision !== wanted.revision)
        throw new Error(`revision ${result.revision} is not ${wanted.revision}`)
    })
    if (isAwaited) await result
    else running.push(result)
    if (compacts && isAwaited) await store.compact(store.revision)
  }
  await Promise.all(running)
  const held = [...model].sort().map(([key, { text, revision }]) => `${key}=${text}@${revision}`)
  const found = await showAll(store)
  if (found.join() !== held.join()) throw new Error(`${found.join()} is not ${held.join()}`)
  if (heard.join() !== expected.join()) throw new Error(`heard ${heard.join()}, not ${expected.join()}`)
}
