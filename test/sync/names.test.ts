import t from 'tap'
import { seededRandom } from '../../src/platform/random.ts'
import { hostKey, hostName, type NamedObject } from '../../src/sync/names.ts'
import { identityOf, isOwned, ownedMetadata } from '../../src/sync/owner.ts'

const object: NamedObject = { planeUid: 'p', group: '', kind: 'Pod', namespace: 'default', name: 'web' }
const nameOf = (change: Partial<NamedObject> = {}): string => hostName({ ...object, ...change })

t.test('hostName() is a label that Services may have, for every name', async (t) => {
  const names = [
    'web',
    '0',
    '9-lives',
    'a.b.c',
    'x'.repeat(253),
    'UPPER.case',
    '-',
    'ünïcode',
    'a'.repeat(35),
    '',
  ]
  for (const name of names) t.match(nameOf({ name }), /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/, name)
})

t.test('hostName() keeps the start of the name for people', async (t) => {
  t.match(nameOf({ name: 'web' }), /^web-[a-z2-7]{26}$/)
  t.match(nameOf({ name: 'shop.example.com' }), /^shop-example-com-/)
})

t.test('A15 hostName() tells apart what other systems take for one', async (t) => {
  const pairs: readonly (readonly [Partial<NamedObject>, Partial<NamedObject>])[] = [
    // A delimiter that names may hold.
    [
      { name: 'a-x-b', namespace: 'c' },
      { name: 'a', namespace: 'b-x-c' },
    ],
    [
      { name: 'a', namespace: 'b' },
      { name: 'ab', namespace: '' },
    ],
    [
      { name: 'b', namespace: 'a' },
      { name: 'a', namespace: 'b' },
    ],
    // Names that differ behind the cut, and names that a cut or a fold makes equal.
    [{ name: `${'x'.repeat(60)}a` }, { name: `${'x'.repeat(60)}b` }],
    [{ name: 'a.b' }, { name: 'a-b' }],
    [{ name: 'A' }, { name: 'a' }],
    [{ name: '1a' }, { name: 'a' }],
    [
      { group: 'x', kind: 'y' },
      { group: 'xy', kind: '' },
    ],
    [
      { planeUid: 'pa', name: 'b' },
      { planeUid: 'p', name: 'ab' },
    ],
    [{ kind: 'Pod' }, { kind: 'Service' }],
    [{ name: '3:web' }, { name: 'web' }],
  ]
  for (const [one, other] of pairs) t.not(nameOf(one), nameOf(other), JSON.stringify([one, other]))
})

t.test('A15 hostName() has no two tuples with one name among many that share their letters', async (t) => {
  const random = seededRandom('names')
  const letters = ['a', '-', 'x', '.', 'b', ':', '1']
  const word = (): string =>
    Array.from(
      { length: 1 + Math.floor(random.fraction() * 5) },
      () => letters[Math.floor(random.fraction() * letters.length)],
    ).join('')
  const seen = new Map<string, string>()
  for (let count = 0; count < 20_000; count += 1) {
    const tuple = { ...object, group: word(), kind: word(), namespace: word(), name: word() }
    const key = JSON.stringify(tuple)
    const found = seen.get(hostName(tuple))
    if (found !== undefined && found !== key) t.fail(`${found} and ${key} have one name`)
    seen.set(hostName(tuple), key)
  }
  t.ok(seen.size > 10_000)
})

t.test('A12 hostKey() puts a label where no selector of the host looks', async (t) => {
  for (const key of ['app', 'app.kubernetes.io/name', 'k3v.dev/plane', 'k3v.dev/namespace', 'release']) {
    t.match(hostKey(key), /^tenant\.k3v\.dev\/[a-z0-9-]{1,63}$/)
  }
  t.not(hostKey('a/name'), hostKey('b/name'))
})

const owner = { planeUid: 'p', hostNamespace: 'tenant', root: { name: 'release', uid: 'r' } }
const identity = { group: '', kind: 'Pod', namespace: 'default', name: 'web', uid: 'u1' }

t.test('identityOf() believes only marks that agree with the name', async (t) => {
  const metadata = ownedMetadata(owner, identity)
  t.strictSame(identityOf({ metadata }, 'p'), identity)
  t.equal(identityOf({ metadata }, 'other'), undefined, 'another plane')
  t.equal(
    identityOf({ metadata: { ...metadata, name: 'copied' } }, 'p'),
    undefined,
    'marks copied onto another object',
  )
  t.equal(identityOf({ metadata: { ...metadata, annotations: {} } }, 'p'), undefined, 'no identity')
  t.equal(identityOf({ metadata: { ...metadata, labels: {} } }, 'p'), undefined, 'no label')
})

t.test('isOwned() asks for this incarnation', async (t) => {
  const copy = { metadata: ownedMetadata(owner, identity) }
  t.ok(isOwned(copy, 'p', identity))
  t.notOk(isOwned(copy, 'p', { ...identity, uid: 'u2' }))
  t.notOk(isOwned(copy, 'p', { ...identity, kind: 'Service' }))
})

t.test('A14 marks cannot be overwritten by what a tenant sets', async (t) => {
  const forged = { 'k3v.dev/plane': 'x', 'k3v.dev/uid': 'x', 'k3v.dev/object': 'x', 'k3v.dev/namespace': 'x' }
  const metadata = ownedMetadata(owner, identity, { labels: forged, annotations: forged })
  t.strictSame(identityOf({ metadata }, 'p'), identity)
  t.equal(metadata.labels?.['k3v.dev/namespace'], 'default')
})
