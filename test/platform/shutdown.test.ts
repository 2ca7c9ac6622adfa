import t from 'tap'
import { FakeClock } from '../../src/platform/clock.ts'
import { Shutdown } from '../../src/platform/shutdown.ts'

t.test('what was started last is stopped first, and each is waited for', async (t) => {
  const events: string[] = []
  const shutdown = new Shutdown()
  shutdown.add('store', async () => {
    events.push('store')
  })
  shutdown.add('server', {
    [Symbol.asyncDispose]: async () => {
      events.push('server begins')
      await Promise.resolve()
      events.push('server ends')
    },
  })
  t.equal(shutdown.signal.aborted, false)
  await Promise.all([shutdown.stop(), shutdown.stop()])
  t.equal(shutdown.signal.aborted, true)
  t.same(events, ['server begins', 'server ends', 'store'])
})

t.test('one that fails does not keep the others running', async (t) => {
  let isStoreStopped = false
  const shutdown = new Shutdown()
  shutdown.add('store', () => {
    isStoreStopped = true
  })
  shutdown.add('server', () => {
    throw new Error('port in flames')
  })
  await t.rejects(shutdown.stop(), /server did not stop cleanly/)
  t.ok(isStoreStopped)
})

t.test('one that never ends is given up after its time', async (t) => {
  const clock = new FakeClock()
  let isStoreStopped = false
  const shutdown = new Shutdown({ clock, stopTimeoutMs: 5000 })
  shutdown.add('store', () => {
    isStoreStopped = true
  })
  shutdown.add('server', () => new Promise<void>(() => undefined))
  const stopped = shutdown.stop()
  const refused = t.rejects(stopped, /server did not stop cleanly/)
  await clock.advance(4999)
  t.notOk(isStoreStopped)
  await clock.advance(1)
  await refused
  t.ok(isStoreStopped)
  t.equal(clock.pendingTimers, 0)
})

t.test('starting while stopping is refused', async (t) => {
  const shutdown = new Shutdown()
  await shutdown.stop()
  t.throws(() => shutdown.add('late', () => undefined), /late was started while stopping/)
})

t.test('untilSignal() stops at a signal and takes its listeners away', async (t) => {
  await using shutdown = new Shutdown()
  const before = process.listenerCount('SIGTERM')
  const ended = shutdown.untilSignal()
  t.equal(process.listenerCount('SIGTERM'), before + 1)
  process.emit('SIGTERM', 'SIGTERM')
  t.equal(await ended, 'SIGTERM')
  t.equal(process.listenerCount('SIGTERM'), before)
})
