import fc from 'fast-check'
import t from 'tap'
import { Backoff, backoffDelayMs } from '../../src/platform/backoff.ts'
import { seededRandom } from '../../src/platform/random.ts'

t.test('backoffDelayMs() lies between half of the doubled base and its maximum', async (t) => {
  const random = seededRandom('backoff')
  fc.assert(
    fc.property(fc.nat(5000), fc.integer({ min: 1, max: 1000 }), (attempt, baseMs) => {
      const maxMs = baseMs * 100
      const fullMs = Math.min(maxMs, baseMs * 2 ** attempt)
      const delayMs = backoffDelayMs({ attempt, baseMs, maxMs, random })
      return delayMs >= fullMs / 2 && delayMs <= fullMs
    }),
  )
  t.throws(() => backoffDelayMs({ attempt: 0, baseMs: 2, maxMs: 1, random }), /base to its maximum/)
})

t.test('Backoff grows with each failure and starts again after a reset', async (t) => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 1000, random: seededRandom(1) })
  const delays = Array.from({ length: 6 }, () => backoff.nextDelayMs())
  t.equal(backoff.attempt, 6)
  t.ok(delays.every((delayMs, attempt) => delayMs <= Math.min(1000, 100 * 2 ** attempt)))
  t.ok((delays.at(-1) ?? 0) >= 500)
  backoff.reset()
  t.ok(backoff.nextDelayMs() <= 100)
})
