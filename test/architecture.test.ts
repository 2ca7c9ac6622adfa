import t from 'tap'
import { findForbiddenImports, findRowsOutOfOrder, mayImport } from './architecture.ts'
import { listRooms, readSource } from './source-files.ts'

t.test('each row of the table names only rows above it', async (t) => {
  t.same(findRowsOutOfOrder(mayImport), [])
  t.same(findRowsOutOfOrder({ a: ['b'], b: ['a', 'b'] }), [
    'a names b, which does not stand above it',
    'b names b, which does not stand above it',
  ])
})

t.test('each import below src/ is allowed by the table', async (t) => {
  t.same(findForbiddenImports(readSource(['src'], ['.ts']), mayImport), [])
})

t.test('each room of src/ is in the table', async (t) => {
  t.same(
    listRooms().filter((room) => !(room in mayImport)),
    [],
  )
})

t.test('findForbiddenImports() names file, room and forbidden room', async (t) => {
  const forbidden = ['src/sync/x.ts: sync may not import store']
  const imports = [
    "import { open } from '../store/store.ts'",
    "import type { Store } from '../store/store.ts'",
    "export { open } from '../store/store.ts'",
    "import '../store/store.ts'",
    "const { open } = await import('../store/store.ts')",
    "new Worker(new URL('../store/worker.ts', import.meta.url))",
  ]
  for (const text of imports)
    t.same(findForbiddenImports([{ path: 'src/sync/x.ts', text }], mayImport), forbidden)
})

t.test('findForbiddenImports() lets pass what the table allows, and the room itself', async (t) => {
  const text = "import { a } from '../api/a.ts'\nimport { n } from './names.ts'\nimport t from 'tap'"
  t.same(findForbiddenImports([{ path: 'src/sync/x.ts', text }], mayImport), [])
})

t.test('findForbiddenImports() refuses to leave src/', async (t) => {
  const text = "import { a } from '../../test/a.ts'"
  t.same(findForbiddenImports([{ path: 'src/sync/x.ts', text }], mayImport), [
    'src/sync/x.ts: src may not import test/a.ts',
  ])
})
