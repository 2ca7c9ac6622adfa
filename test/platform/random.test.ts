import fc from 'fast-check'
import t from 'tap'
import { seededRandom, suffixAlphabet, systemRandom } from '../../src/platform/random.ts'

const version4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

for (const [name, random] of [
  ['systemRandom', systemRandom],
  ['seededRandom()', seededRandom('seed')],
] as const) {
  t.test(`${name} draws bytes, suffixes, fractions and version 4 UUIDs`, async (t) => {
    t.equal(random.bytes(33).length, 33)
    t.match(random.uuid(), version4)
    t.not(random.uuid(), random.uuid())
    t.match(random.suffix(5), /^[bcdfghjklmnpqrstvwxz2456789]{5}$/)
    t.equal(random.suffix(0), '')
    for (let draw = 0; draw < 100; draw += 1) {
      const fraction = random.fraction()
      t.ok(fraction >= 0 && fraction < 1)
    }
  })
}

t.test('suffix() favours no character', async (t) => {
  const draws = 27_000
  const counts = new Map<string, number>()
  for (const character of seededRandom(1).suffix(draws)) {
    counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  t.equal(counts.size, suffixAlphabet.length)
  for (const [character, count] of counts) t.ok(count > 850 && count < 1150, `${character}: ${count}`)
})

t.test('the same seed gives the same sequence, however it is cut', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(100), { maxLength: 10 }), fc.integer(), (counts, seed) => {
      const cut = seededRandom(seed)
      const whole = seededRandom(seed)
      const pieces = counts.flatMap((count) => [...cut.bytes(count)])
      return Buffer.from(whole.bytes(pieces.length)).equals(Buffer.from(pieces))
    }),
  )
  t.not(seededRandom(1).uuid(), seededRandom(2).uuid())
})
