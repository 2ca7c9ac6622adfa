import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { pack as tarPack } from 'tar-stream'
import { type ArchiveInput, readPackage, writePackage } from '../../src/packages/archive/archive.ts'
import { isSafePath, readTarball, writeTarball } from '../../src/packages/archive/tar.ts'
import { packFiles } from '../../src/packages/pack.ts'
import { configMapText, filesOf, manifestText, packOptions } from './make-package.ts'

const files = filesOf({ 'k3v.yaml': manifestText(), 'manifests/a.yaml': configMapText() })

const input: ArchiveInput = {
  manifest: {
    name: 'sample',
    version: '1.2.3',
    description: '',
    sources: [{ manifests: 'manifests' }],
    values: undefined,
    health: [],
    expose: [],
    plane: {},
  },
  sources: files,
  objects: [
    {
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
      origin: { file: 'manifests/a.yaml', document: 1 },
    },
  ],
  program: new Map([['plane.mjs', Buffer.from('export {}\n')]]),
  tools: {},
  unproved: ['nothing'],
}

type Entry = {
  name: string
  type?: 'file' | 'symlink' | 'link' | 'directory' | 'character-device'
  linkname?: string
  body?: string
  pax?: Record<string, string>
}

async function tarWith(entries: readonly Entry[]): Promise<Buffer> {
  const stream = tarPack()
  for (const { body = '', ...header } of entries) {
    const isFile = header.type === undefined || header.type === 'file'
    const common = { mode: 0o644, uid: 0, gid: 0, mtime: new Date(0), ...header }
    if (isFile) stream.entry(common, body)
    else stream.entry(common)
  }
  stream.finalize()
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

function compress(tar: Buffer): Buffer {
  const body = gzipSync(tar, { level: 9 }).subarray(10)
  const hex = createHash('sha256').update(body).digest('hex')
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 2, 255]),
    Buffer.from(`${hex}\0`),
    body,
  ])
}

t.test('the same package is the same bytes, in whatever order its files come', async (t) => {
  const turned = {
    ...input,
    sources: new Map([...input.sources].reverse()),
    program: new Map([...input.program].reverse()),
  }
  const [one, two] = [await writePackage(input), await writePackage(turned)]
  t.ok(one.bytes.equals(two.bytes))
  t.equal(one.digest, two.digest)
  t.match(one.digest, /^sha256:[0-9a-f]{64}$/)
})

t.test('readPackage() gives back what was written', async (t) => {
  const { bytes, lock, digest } = await writePackage(input)
  const read = await readPackage(bytes)
  t.match(read, { name: 'sample', version: '1.2.3', digest, objects: input.objects, lock })
  t.same([...read.sources.keys()], [...files.keys()])
  t.equal(Buffer.from(read.program.get('plane.mjs') ?? []).toString(), 'export {}\n')
})

t.test('the two digests change with what they are of', async (t) => {
  const { lock } = await writePackage(input)
  const program = new Map([['plane.mjs', Buffer.from('other')]])
  const other = (await writePackage({ ...input, program })).lock
  t.equal(other.packageDigest, lock.packageDigest)
  t.not(other.programDigest, lock.programDigest)
  const changed = (await writePackage({ ...input, sources: filesOf({ 'k3v.yaml': '' }) })).lock
  t.not(changed.packageDigest, lock.packageDigest)
  t.equal(changed.programDigest, lock.programDigest)
})

t.test('the lock names images, served APIs and rights', async (t) => {
  const text = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: as.x.dev }
spec: { group: x.dev, scope: Cluster, names: { kind: A, plural: as }, versions: [{ name: v1, served: true }, { name: v2, served: false }] }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: c }
spec: { jobTemplate: { spec: { template: { spec: { initContainers: [{ image: b:1 }], containers: [{ image: a:1 }, { image: a:1 }] } } } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: i }
`
  const packed = await packFiles(
    packOptions(filesOf({ 'k3v.yaml': manifestText(), 'manifests/a.yaml': text })),
  )
  t.match(packed.lock, {
    images: ['a:1', 'b:1'],
    apis: [{ group: 'x.dev', kind: 'A', plural: 'as', scope: 'Cluster', versions: ['v1'] }],
    rights: { core: true, interactive: true, optional: ['ingresses'] },
    objects: 3,
  })
})

t.test('C5: one changed bit anywhere and the archive is refused', async (t) => {
  const { bytes } = await writePackage(input)
  let accepted = 0
  for (let index = 0; index < bytes.length; index += 1) {
    const flipped = Buffer.from(bytes)
    flipped[index] = (flipped[index] ?? 0) ^ (1 << (index % 8))
    await readPackage(flipped).then(
      () => {
        accepted += 1
      },
      (error: Error) => {
        if (error.name !== 'PackageError') throw error
      },
    )
  }
  t.equal(accepted, 0)
  t.ok(bytes.length > 500)
})

t.test('C5: bytes after the end, a second member and a cut-off archive are refused', async (t) => {
  const { bytes } = await writePackage(input)
  const cases: [string, Buffer, RegExp][] = [
    ['a byte', Buffer.concat([bytes, Buffer.from([0])]), /damaged/],
    ['a second member', Buffer.concat([bytes, gzipSync('x')]), /damaged/],
    ['cut off', bytes.subarray(0, -9), /damaged/],
    ['nothing', Buffer.alloc(0), /not a package archive/],
    ['a zip', Buffer.from('PK\u0003\u0004'), /not a package archive/],
    ['no tar', compress(Buffer.from('hello')), /damaged/],
    [
      'bytes behind the tar’s end',
      compress(Buffer.concat([gunzipSync(bytes), Buffer.alloc(512, 1)])),
      /damaged/,
    ],
  ]
  for (const [name, content, message] of cases) await t.rejects(readPackage(content), { message }, name)
})

t.test('C1: no name leaves its place', async (t) => {
  const names = [
    ['../x', '/x', './x', 'a/../x', 'a/./x', 'a//x', '..', '.', '/', 'a/', '.hidden', 'a/.git/config', '~/x'],
    [
      'C:\\x',
      'a\\b',
      '..\\x',
      'C:x',
      'a\u0000b',
      'a\nb',
      'a\u202eb',
      'é',
      `${'a/'.repeat(120)}b`,
      '\\\\server\\share',
      'a/..',
    ],
    [
      '…/x',
      '..%2fx',
      'a/%2e%2e/x',
      'CON:',
      'a|b',
      'a*b',
      'a?b',
      '"a"',
      '<a>',
      '$a',
      '`a`',
      'a;b',
      "a'b",
      'a&b',
      '',
      ' ',
    ],
  ].flat()
  t.equal(names.length, 40)
  for (const [index, name] of names.entries()) {
    t.notOk(isSafePath(name), `name ${index}`)
    await t.rejects(
      writeTarball(new Map([[name, Buffer.from('x')]])),
      { name: 'PackageError' },
      `write ${index}`,
    )
    if (name === '') continue
    await t.rejects(
      readTarball(compress(await tarWith([{ name }])), 'x.tgz'),
      { name: 'PackageError' },
      `read ${index}`,
    )
  }
  for (const name of ['package/k3v.yaml', 'a/b-c_d.e/f.1', 'package/READ ME.md']) t.ok(isSafePath(name), name)
})

t.test('C1: a name that an extended header overrides is refused', async (t) => {
  const tar = await tarWith([{ name: 'package/ok', pax: { path: '../evil' }, body: 'x' }])
  await t.rejects(readTarball(compress(tar), 'x.tgz'), { name: 'PackageError' })
})

t.test('C2: links, devices and folders are refused', async (t) => {
  const cases: Entry[] = [
    { name: 'a', type: 'symlink', linkname: '/etc/passwd' },
    { name: 'a', type: 'link', linkname: 'b' },
    { name: 'a', type: 'directory' },
    { name: 'a', type: 'character-device' },
  ]
  for (const entry of cases) {
    const reading = readTarball(compress(await tarWith([entry])), 'x.tgz')
    await t.rejects(
      reading,
      { message: /packages hold plain files only|no name for a file/ },
      entry.type ?? 'file',
    )
  }
})

t.test('C3: what unpacks to far more than a package is refused', async (t) => {
  const bomb = compress(Buffer.alloc(64 * 1024 * 1024))
  await t.rejects(readTarball(bomb, 'x.tgz'), { message: /unpacks to far more/ })
  const many = await tarWith(Array.from({ length: 4_100 }, (_, index) => ({ name: `f${index}` })))
  await t.rejects(readTarball(compress(many), 'x.tgz'), {
    message: /more than 4000 files|unpacks to far more/,
  })
})

t.test('C5: a file twice, one too many, one too few, or out of order is refused', async (t) => {
  const { bytes } = await writePackage(input)
  const good = await readTarball(bytes, 'x.tgz')
  const entries = [...good].map(([name, body]) => ({ name, body: Buffer.from(body).toString() }))
  t.ok(compress(await tarWith(entries)).equals(bytes), 'the entries are what was written')
  const [first, second, ...rest] = entries
  if (first === undefined || second === undefined) throw new Error('a package has several files')
  const cases: [string, Entry[], RegExp][] = [
    ['twice', [first, first, second, ...rest], /is there twice/],
    ['too many', [...entries, { name: 'zzz', body: '' }], /zzz is not in the lock/],
    ['too few', entries.slice(1), /lock/],
    ['out of order', [second, first, ...rest], /not in its one form/],
    [
      'another content',
      [first, second, ...rest].map((entry) =>
        entry.name.startsWith('program/') ? { ...entry, body: 'evil' } : entry,
      ),
      /does not have the digest/,
    ],
  ]
  for (const [name, some, message] of cases)
    await t.rejects(readPackage(compress(await tarWith(some))), { message }, name)
})

t.test('C4: a lock whose name or version could be a path is refused', async (t) => {
  for (const [name, version] of [
    ['..', '1.0.0'],
    ['a/b', '1.0.0'],
    ['A', '1.0.0'],
    ['', '1.0.0'],
    ['sample', '1.0.0/../x'],
    ['sample', '..'],
    ['sample', ''],
  ] as const) {
    const { bytes } = await writePackage({ ...input, manifest: { ...input.manifest, name, version } })
    await t.rejects(
      readPackage(bytes),
      { message: /is no (name|version) of a package/ },
      `${name} ${version}`,
    )
  }
})

t.test('readPackage() says what is wrong with a path', async (t) => {
  await t.rejects(readPackage('/nowhere/x.tgz'), { message: '/nowhere/x.tgz: no such file' })
  await t.rejects(readPackage(t.testdir()), { message: /not a package archive; k3v pack makes one/ })
})
