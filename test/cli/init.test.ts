import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { k3v } from './command-host.ts'

t.test('a package that was started packs as it is, and inspect tells what it holds', async (t) => {
  const folder = t.testdir()
  const app = join(folder, 'shop')
  const started = await k3v(['init', app])
  t.equal(started.code, 0, started.stderr)
  t.match(started.stdout, /package shop, \d files; next: k3v pack/)
  t.match(await readFile(join(app, 'k3v.yaml'), 'utf8'), /name: shop\n/)

  const file = join(folder, 'shop.tgz')
  const packed = await k3v(['pack', app, '-o', file])
  t.equal(packed.code, 0, packed.stderr)

  const [text, json] = await Promise.all([k3v(['inspect', file]), k3v(['inspect', file, '--json'])])
  t.match(text.stdout, /^shop 0\.1\.0: A page, served by two pods\ndigest: sha256:[0-9a-f]{64}\n/)
  for (const line of ['  Deployment default/web', '  node:26-alpine', '  default/web:80 as web'])
    t.ok(text.stdout.split('\n').includes(line), line)
  const told = JSON.parse(json.stdout)
  t.match(told, { name: 'shop', images: ['node:26-alpine'], digest: /^sha256:/, manifest: { name: 'shop' } })
  t.equal(told.objects.length, 3)
})

t.test('init writes over nothing and wants a name that a package may have', async (t) => {
  const folder = t.testdir({ used: { 'notes.txt': 'mine' } })
  const used = await k3v(['init', join(folder, 'used')])
  t.match(used, { code: 1, stderr: /used is not empty: it holds notes\.txt/ })
  const wrong = await k3v(['init', join(folder, 'My App')])
  t.match(wrong, { code: 2, stderr: /"My App" is no name of a package/ })
})

t.test('inspect refuses what is no package', async (t) => {
  const folder = t.testdir({ 'notes.tgz': 'no archive' })
  t.match(await k3v(['inspect', join(folder, 'notes.tgz')]), { code: 1, stderr: /notes\.tgz: / })
})
