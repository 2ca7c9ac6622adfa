import t from 'tap'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import { bytes, commit, showAll, testStore, write } from './suite.ts'

testStore(t, (options = {}) => openMemoryStore(options))

t.test('openMemoryStore() can begin with the entries of another store', async (t) => {
  await using first = await openMemoryStore()
  const revision = await commit(first, write({ a: '1' }))
  const { entries } = await first.list('')
  await using fork = await openMemoryStore({ entries })
  t.not(fork.epoch, first.epoch)
  t.equal(await commit(fork, write({ a: '2' }, { a: revision })), revision + 1)
  t.same(await showAll(first), [`a=1@${revision}`])
  await using later = await openMemoryStore({
    entries: [{ key: 'a', value: bytes('1'), revision: 7 }],
    revision: 100,
  })
  t.equal(later.revision, 100)
  t.equal(later.compactedRevision, 100)
})
