import { spawn } from 'node:child_process'
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { FakeClock } from '../../src/platform/clock.ts'
import { openEmbeddedStore } from '../../src/store/embedded/embedded.ts'
import { workerUrl } from '../../src/store/embedded/worker-url.ts'
import { bytes, commit, follow, showAll, testStore, write } from './suite.ts'

let directories = 0
const base = t.testdir()

testStore(t, (options = {}) => {
  directories += 1
  return openEmbeddedStore({ ...options, directory: join(base, `suite-${directories}`) })
})

/** A store that has been written and closed. */
async function makeStore(t: Test): Promise<{ directory: string; path: string }> {
  const directory = join(t.testdir(), 'data')
  await using store = await openEmbeddedStore({ directory })
  const value = 'v'.repeat(3_000)
  await Promise.all(Array.from({ length: 200 }, (_, at) => commit(store, write({ [`key/${at}`]: value }))))
  return { directory, path: join(directory, 'state.db') }
}

t.test('a store that is opened again is the same store', async (t) => {
  const directory = join(t.testdir(), 'not', 'there', 'yet')
  const first = await openEmbeddedStore({ directory })
  const { epoch, revision: start } = first
  await commit(first, write({ a: '1', b: '1' }))
  await commit(first, write({ a: '2' }))
  await commit(first, write({ b: undefined }))
  const all = await showAll(first)
  const events = await follow(first, start)
  await first.close()
  const again = await openEmbeddedStore({ directory })
  t.equal(again.epoch, epoch)
  t.equal(again.revision, start + 3)
  t.same(await showAll(again), all)
  t.same(await follow(again, start), events)
  t.equal(await commit(again, write({ b: '4' }, { b: 0 })), start + 4)
  await again.close()
})

t.test('a revision is not given again when what it deleted has been compacted', async (t) => {
  const directory = t.testdir()
  const first = await openEmbeddedStore({ directory })
  await commit(first, write({ a: '1' }))
  const last = await commit(first, write({ a: undefined }))
  await first.compact(last)
  await first.close()
  await using again = await openEmbeddedStore({ directory })
  t.equal(again.revision, last)
  t.equal(again.compactedRevision, last)
  t.equal(await commit(again, write({ a: '2' })), last + 1)
})

t.test('the file and its directory are for their owner only', async (t) => {
  const { directory, path } = await makeStore(t)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(readdirSync(directory), ['state.db'], 'nothing else is left')
})

t.test('F4: a store in use is refused', async (t) => {
  const directory = t.testdir()
  await using store = await openEmbeddedStore({ directory })
  await t.rejects(openEmbeddedStore({ directory }), { fault: 'locked', message: directory })
  t.ok(await commit(store, write({ a: '1' })), 'and goes on')
})

t.test('F4: a newer format, and the file of another program, are refused', async (t) => {
  const { directory, path } = await makeStore(t)
  const database = new DatabaseSync(path)
  database.exec('PRAGMA user_version = 99')
  await database.close()
  await t.rejects(openEmbeddedStore({ directory }), {
    fault: 'unsupported',
    message: /state\.db has format 99/,
  })
  rmSync(path)
  const other = new DatabaseSync(path)
  other.exec('CREATE TABLE x (y)')
  other.close()
  await t.rejects(openEmbeddedStore({ directory }), { fault: 'unsupported', message: /another program/ })
})

t.test('F4: an empty, missing, foreign or cut file is refused, and left as it is', async (t) => {
  const { directory, path } = await makeStore(t)
  const whole = join(directory, 'whole')
  copyFileSync(path, whole)
  const damages: Record<string, () => void> = {
    empty: () => truncateSync(path, 0),
    'cut in a page': () => truncateSync(path, 100_001),
    'cut after a page': () => truncateSync(path, 25 * 4_096),
    'not SQLite': () => writeFileSync(path, 'x'.repeat(8_192)),
    'gone but for its log': () => {
      rmSync(path)
      writeFileSync(`${path}-wal`, 'x')
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    copyFileSync(whole, path)
    damage()
    const before = statSync(path, { throwIfNoEntry: false })?.size
    await t.rejects(
      openEmbeddedStore({ directory }),
      { fault: 'corrupt', message: /state\.db is damaged.*restore/ },
      name,
    )
    t.equal(statSync(path, { throwIfNoEntry: false })?.size, before)
    rmSync(`${path}-wal`, { force: true })
  }
})

t.test('F4: a flipped bit is found, or does no harm', async (t) => {
  const { directory, path } = await makeStore(t)
  const whole = readFileSync(path)
  const expected = await contentOf(directory)
  let found = 0
  for (let run = 0; run < 40; run += 1) {
    const offset = Math.trunc((whole.length / 40) * run) + ((run * 97) % 4_096)
    const damaged = Buffer.from(whole)
    damaged[offset] = (damaged[offset] ?? 0) ^ (1 << (run % 8))
    writeFileSync(path, damaged)
    const content = await contentOf(directory).catch((error: { fault?: string }) => error.fault)
    if (content === 'corrupt' || content === 'unsupported') found += 1
    else t.same(content, expected, `bit ${run % 8} of byte ${offset}`)
  }
  t.ok(found > 20, `${found} of 40 were found`)
})

async function contentOf(directory: string): Promise<string[]> {
  await using store = await openEmbeddedStore({ directory })
  return await showAll(store)
}

t.test('F3: a full disk refuses writes, loses none, and recovers without a restart', async (t) => {
  await using store = await openEmbeddedStore({
    directory: t.testdir(),
    bytesMax: 256 * 1_024,
  })
  const heard = await follow(store, store.revision)
  const value = 'v'.repeat(3_000)
  let written = 0
  let faults = 0
  for (let at = 0; faults === 0; at += 1) {
    const results = await Promise.allSettled(
      [0, 1, 2].map((n) => commit(store, write({ [`k${at}-${n}`]: value }))),
    )
    for (const result of results) {
      if (result.status === 'fulfilled') written += 1
      else {
        t.match(result.reason, { fault: 'full', message: /no space is left for .*state\.db/ })
        faults += 1
      }
    }
  }
  t.equal((await store.list('')).entries.length, written)
  t.equal(heard.length, written)
  const { entries } = await store.list('')
  // Old events went when the disk was full, so there is room to delete in.
  for (const { key } of entries.slice(0, 20)) {
    await store.commit(write({ [key]: undefined }))
    await store.compact(store.revision)
  }
  const revision = store.revision
  t.equal(await commit(store, write({ again: value })), revision + 1)
})

t.test('F1: kill -9 in the middle of writing loses no acknowledged write', async (t) => {
  const child = fileURLToPath(new URL('./crash-child.ts', import.meta.url))
  const directory = t.testdir()
  const acknowledged = new Map<string, { revision: number; text: string }>()
  let newest = 0
  for (const killAfter of [1, 50, 333, 1_000]) {
    const writer = spawn(process.execPath, [child, directory, String(newest)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let count = 0
    for await (const line of createInterface({ input: writer.stdout })) {
      const [key = '', revision = '', text = ''] = line.split(' ')
      acknowledged.set(key, { revision: Number(revision), text })
      newest = Math.max(newest, Number(revision))
      count += 1
      if (count === killAfter) writer.kill('SIGKILL')
    }
    t.ok(count >= killAfter)
    await using store = await openEmbeddedStore({ directory })
    t.ok(store.revision >= newest, `${store.revision} is at least ${newest}`)
    const { entries } = await store.list('')
    const found = new Map(
      entries.map(({ key, value, revision }) => [key, { revision, text: Buffer.from(value).toString() }]),
    )
    for (const [key, { revision, text }] of acknowledged) {
      const entry = found.get(key)
      if (entry === undefined || entry.revision < revision) t.fail(`${key}@${revision} is lost`)
      else if (entry.revision === revision) t.equal(entry.text.slice(0, text.length), text)
    }
    t.equal(found.size % 2, 0, 'both keys of a transaction, or none')
  }
})

t.test('nothing is shown before it is durable', async (t) => {
  await using store = await openEmbeddedStore({ directory: t.testdir() })
  const start = store.revision
  const heard = await follow(store, start)
  const writing = commit(store, write({ a: '1' }))
  t.equal(store.revision, start)
  t.same(heard, [])
  t.same(await store.get('a').then((entry) => entry?.revision ?? start), start)
  t.equal(await writing, start + 1)
  t.equal(heard.length, 1)
})

t.test('the log is moved into the file when nothing else is to be done', async (t) => {
  const clock = new FakeClock()
  const directory = t.testdir()
  await using store = await openEmbeddedStore({ directory, clock })
  const size = () => statSync(join(directory, 'state.db')).size
  const before = size()
  await commit(store, { conditions: [], changes: [{ key: 'a', value: bytes('v'.repeat(6_000_000)) }] })
  t.equal(size(), before)
  await clock.advance(10_000)
  await store.get('a')
  t.ok(size() > 6_000_000)
})

t.test('workerUrl() is beside the source, and beside the bundle', async (t) => {
  t.equal(
    workerUrl('file:///x/src/store/embedded/worker-url.ts').href,
    'file:///x/src/store/embedded/worker.ts',
  )
  t.equal(
    workerUrl('file:///x/src/store/embedded/worker-url.js').href,
    'file:///x/src/store/embedded/worker.js',
  )
  t.equal(workerUrl('file:///x/dist/plane.mjs').href, 'file:///x/dist/store-worker.mjs')
})
