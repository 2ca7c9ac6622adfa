// Writes as fast as it can and says what was acknowledged, until somebody kills it.

import { openEmbeddedStore } from '../../src/store/embedded/embedded.ts'
import { write } from './suite.ts'

const [directory = '', run = ''] = process.argv.slice(2)
const store = await openEmbeddedStore({ directory })
const padding = 'x'.repeat(2_000)

async function writeOn(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const key = `w${writer}-${count % 40}`
    const text = `${run}-${writer}-${count}`
    const result = await store.commit(write({ [key]: `${text}${padding}`, [`${key}-twin`]: text }))
    if (result.ok)
      process.stdout.write(`${key} ${result.revision} ${text}\n${key}-twin ${result.revision} ${text}\n`)
  }
}

await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(writeOn))
