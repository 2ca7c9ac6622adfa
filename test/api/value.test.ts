import { test } from 'tap'
import { isWrittenSame } from '../../src/api/value.ts'

const same: readonly [string, unknown, unknown][] = [
  ['fields in another order', { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }],
  ['a field that is undefined, on either side', { a: 1, b: undefined }, { a: 1, c: undefined }],
  ['null', { a: null }, { a: null }],
]

const different: readonly [string, unknown, unknown][] = [
  ['another value', { a: { b: 1 } }, { a: { b: 2 } }],
  ['a field more', { a: 1 }, { a: 1, b: 0 }],
  ['a field less', { a: 1, b: 0 }, { a: 1 }],
  ['null where there is nothing', { a: null }, {}],
  ['a list in another order', [1, 2], [2, 1]],
  ['a longer list', [1], [1, 2]],
  ['a list and an object', [], {}],
  ['an inherited name', { toString: undefined, a: 1 }, { toString: 1, a: 1 }],
]

test('isWrittenSame() takes two values for the same when they are written the same', async (t) => {
  for (const [name, left, right] of same) t.ok(isWrittenSame(left, right), name)
  for (const [name, left, right] of different) {
    t.notOk(isWrittenSame(left, right), name)
    t.notOk(isWrittenSame(right, left), `${name}, turned round`)
  }
})
