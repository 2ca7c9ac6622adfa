import fc from 'fast-check'
import t from 'tap'
import { compareKeys, sortKeys } from '../../src/store/keys.ts'

t.test('compareKeys() and sortKeys() order as the bytes of the keys do', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 4 })
  const compareBytes = (left: string, right: string) => Buffer.compare(Buffer.from(left), Buffer.from(right))
  fc.assert(
    fc.property(
      text,
      text,
      (left, right) => Math.sign(compareKeys(left, right)) === compareBytes(left, right),
    ),
  )
  fc.assert(
    fc.property(
      fc.array(text),
      (keys) => sortKeys([...keys]).join('\0') === keys.sort(compareBytes).join('\0'),
    ),
  )
})
