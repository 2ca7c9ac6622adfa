import { test } from 'tap'
import { tooManyRequests } from '../../src/api/status.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { createController, type Reconcile } from '../../src/reconcile/controller.ts'
import { WorkQueue } from '../../src/reconcile/queue.ts'
import type { Source } from '../../src/reconcile/source.ts'

const random = seededRandom(1)

const nowhere: Source = { synced: Promise.resolve(), on: () => () => undefined, keys: () => [] }

function start(clock: FakeClock, reconcile: Reconcile, source: Source = nowhere) {
  return createController({ name: 'test', sources: [source], reconcile, clock, random, log: silentLogger })
}

test('a key that comes many times while it is worked on is worked on once more, not at the same time', async (t) => {
  const clock = new FakeClock()
  let running = 0
  let most = 0
  let runs = 0
  await using controller = start(clock, async () => {
    runs += 1
    most = Math.max(most, ++running)
    await clock.sleep(10)
    running -= 1
    return undefined
  })
  controller.enqueue('a')
  await clock.advance(5)
  controller.enqueue('a')
  controller.enqueue('a')
  await clock.advance(100)
  t.same({ runs, most }, { runs: 2, most: 1 })
  t.ok(controller.isIdle)
})

test("a failure comes back after a growing pause, and not before the server's Retry-After", async (t) => {
  const clock = new FakeClock()
  const times: number[] = []
  await using controller = start(clock, async () => {
    times.push(clock.monotonic())
    if (times.length === 1) throw new Error('no')
    if (times.length === 2) throw tooManyRequests('wait', 9)
    return undefined
  })
  controller.enqueue('a')
  await clock.advance(60_000)
  t.equal(times.length, 3)
  t.ok((times[1] ?? 0) <= 5)
  t.equal((times[2] ?? 0) - (times[1] ?? 0), 9_000)
})

test('a reconciler may ask to be called again', async (t) => {
  const clock = new FakeClock()
  let runs = 0
  await using controller = start(clock, async () => ({ requeueAfterMs: ++runs < 3 ? 1_000 : undefined }))
  controller.enqueue('a')
  await clock.advance(10_000)
  t.equal(runs, 3)
})

test('nothing is reconciled before all sources are synced', async (t) => {
  const clock = new FakeClock()
  const { promise, resolve } = Promise.withResolvers<void>()
  const on: Source['on'] = (enqueue) => {
    enqueue('early')
    return () => undefined
  }
  const source: Source = { ...nowhere, synced: promise, on }
  const seen: string[] = []
  await using _controller = start(clock, async (key) => void seen.push(key) as undefined, source)
  await clock.advance(1_000)
  t.same(seen, [])
  resolve()
  await clock.advance(0)
  t.same(seen, ['early'])
})

test('a reconcile that takes too long is aborted and tried again', async (t) => {
  const clock = new FakeClock()
  let runs = 0
  await using controller = start(clock, async (_key, { signal }) => {
    runs += 1
    if (runs === 1) await clock.sleep(1e9, { signal })
    return undefined
  })
  controller.enqueue('a')
  await clock.advance(200_000)
  t.equal(runs, 2)
})

test('a full queue drops keys and says so', (t) => {
  const queue = new WorkQueue({ clock: new FakeClock(), random, keysMax: 2 })
  for (const key of ['a', 'b', 'c']) queue.add(key)
  t.equal(queue.length, 2)
  t.ok(queue.hasOverflowed)
  t.end()
})

test('of two delays the earlier counts', async (t) => {
  const clock = new FakeClock()
  const queue = new WorkQueue({ clock, random })
  queue.addAfter('a', 1_000)
  queue.addAfter('a', 5_000)
  queue.addAfter('a', 10)
  await clock.advance(20)
  t.equal(queue.length, 1)
  t.equal(queue.delayed, 0)
  queue.close()
})

test('a key whose own failure wakes it again does not run without pause', async (t) => {
  const clock = new FakeClock()
  let runs = 0
  await using controller = start(clock, async (key) => {
    runs += 1
    if (runs > 1_000) return undefined
    controller.enqueue(key)
    throw new Error('the mark of this failure is an event')
  })
  controller.enqueue('a')
  await clock.advance(10_000)
  t.ok(runs < 60, `${runs} runs in ten seconds`)
})
