import t from 'tap'
import { FakeClock, systemClock } from '../../src/platform/clock.ts'

t.test('advance() fires timers in the order of their moments, each at its own', async (t) => {
  const clock = new FakeClock(1000)
  const fired: string[] = []
  clock.setTimer(30, () => fired.push(`late at ${clock.now()}`))
  clock.setTimer(10, () => fired.push(`early at ${clock.now()}`))
  clock.setTimer(10, () => fired.push(`early too at ${clock.now()}`))
  clock.setTimer(31, () => fired.push('never'))
  await clock.advance(30)
  t.same(fired, ['early at 1010', 'early too at 1010', 'late at 1030'])
  t.equal(clock.monotonic(), 30)
  t.equal(clock.pendingTimers, 1)
})

t.test('advance() lets a loop of sleeps see every tick', async (t) => {
  const clock = new FakeClock()
  let ticks = 0
  const loop = async () => {
    while (ticks < 60) {
      await clock.sleep(60_000)
      ticks += 1
    }
  }
  const done = loop()
  await clock.advance(3_600_000)
  await done
  t.equal(ticks, 60)
})

t.test('a cancelled timer does not fire, and cancelling twice is harmless', async (t) => {
  const clock = new FakeClock()
  const cancel = clock.setTimer(1, () => t.fail('fired'))
  cancel()
  cancel()
  await clock.advance(10)
  t.equal(clock.pendingTimers, 0)
})

t.test('setNow() moves the wall and leaves the timers', async (t) => {
  const clock = new FakeClock(0)
  clock.setTimer(5, () => t.fail('fired'))
  clock.setNow(1_000_000)
  await clock.advance(1)
  t.equal(clock.now(), 1_000_001)
  t.equal(clock.monotonic(), 1)
})

t.test('a clock does not go back', async (t) => {
  await t.rejects(new FakeClock().advance(-1), /does not go back/)
})

for (const [name, clock] of [
  ['systemClock', systemClock],
  ['FakeClock', new FakeClock()],
] as const) {
  t.test(`${name}: sleep() rejects with the reason of its signal`, async (t) => {
    const abort = new AbortController()
    const slept = clock.sleep(60_000, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await t.rejects(slept, /enough/)
    await t.rejects(clock.sleep(1, { signal: abort.signal }), /enough/)
  })
}

t.test('systemClock: sleep() resolves, timers fire, and both clocks go on', async (t) => {
  const startMs = systemClock.monotonic()
  const fired = Promise.withResolvers<void>()
  systemClock.setTimer(1, fired.resolve)
  await systemClock.sleep(5)
  await fired.promise
  t.ok(systemClock.monotonic() - startMs >= 4)
  t.ok(systemClock.now() > Date.UTC(2025))
})

t.test('systemClock: a delay that Node would turn into 1 ms waits', async (t) => {
  const cancel = systemClock.setTimer(2 ** 31, () => t.fail('fired at once'))
  await systemClock.sleep(20)
  cancel()
})
