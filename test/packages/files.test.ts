import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  fileBytesMax,
  filesMax,
  packageBytesMax,
  packageFiles,
  readFolder,
} from '../../src/packages/files.ts'

t.test('readFolder() reads every file, sorted, and leaves out what tools leave behind', async (t) => {
  const folder = t.testdir({
    'k3v.yaml': 'a',
    b: { 'z.yaml': '1', 'a.yaml': '2' },
    '.git': { HEAD: 'x' },
    node_modules: { x: 'y' },
    'old-1.0.0.tgz': 'x',
  })
  const files = await readFolder(folder)
  t.same([...files.keys()], ['b/a.yaml', 'b/z.yaml', 'k3v.yaml'])
})

t.test('C2: readFolder() refuses links', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'x' })
  symlinkSync('/etc/passwd', join(folder, 'link.yaml'))
  await t.rejects(readFolder(folder), { message: /^link\.yaml: a link/ })
})

t.test('readFolder() says that there is no folder', async (t) => {
  const folder = t.testdir({ file: '' })
  await t.rejects(readFolder(join(folder, 'nope')), { message: /no such folder/ })
  await t.rejects(readFolder(join(folder, 'file')), { message: /not a folder/ })
})

t.test('C3: a package has bounds', async (t) => {
  const empty = new Uint8Array()
  const many = Array.from({ length: filesMax + 1 }, (_, index) => [`f${index}`, empty] as const)
  t.throws(() => packageFiles(many), { message: /more than 2000 files/ })
  t.throws(() => packageFiles([['big', new Uint8Array(fileBytesMax + 1)]]), { message: /^big: / })
  const full = new Uint8Array(fileBytesMax)
  const count = packageBytesMax / fileBytesMax + 1
  t.throws(() => packageFiles(Array.from({ length: count }, (_, index) => [`f${index}`, full] as const)), {
    message: /the package has more than/,
  })
})
