import t from 'tap'
import { isUnsafeName, readSource, type SourceText } from '../../src/gitops/source.ts'

const good: SourceText = { url: 'https://git.example.com/team/app.git', ref: 'main', path: '.' }

t.test('a branch, a full ref and a folder are taken as people write them', async (t) => {
  t.match(readSource(good), { url: good.url, ref: 'refs/heads/main', path: [] })
  t.match(readSource({ ...good, ref: 'refs/heads/next', path: './deploy/app/' }), {
    ref: 'refs/heads/next',
    path: ['deploy', 'app'],
  })
})

const refused: readonly (readonly [string, Partial<SourceText>, RegExp])[] = [
  ['ssh', { url: 'ssh://git@example.com/app.git' }, /^ssh is not spoken; write the https URL$/],
  ['the short form of ssh', { url: 'git@example.com:team/app.git' }, /^ssh is not spoken/],
  ['a file', { url: 'file:///etc' }, /^file is not spoken/],
  ['git', { url: 'git://example.com/app.git' }, /^git is not spoken/],
  ['a program', { url: 'ext::sh -c true' }, /^ext is not spoken/],
  ['a path', { url: './app' }, /^not a URL/],
  ['a ref that leaves its folder', { ref: '../main' }, /no name of a branch/],
  ['an empty ref', { ref: '' }, /no name of a branch/],
  ['a folder above', { path: 'app/../..' }, /name a folder inside the repository/],
  ['an absolute folder', { path: '/etc' }, /name a folder inside the repository/],
  ['the folder of git', { path: 'app/.GIT' }, /name a folder inside the repository/],
  ['a token without encryption', { url: 'http://example.com/app.git', token: 'secret' }, /over https only/],
]

for (const [name, change, message] of refused)
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => readSource({ ...good, ...change }), { name: 'SourceError', message })
  })

t.test('credentials in the URL are refused and not repeated', async (t) => {
  const url = 'https://user:canary-1@git.example.com/app.git'
  t.throws(() => readSource({ ...good, url }), {
    message: /^the URL holds credentials; put the token into K3V_GIT_TOKEN$/,
  })
})

t.test('names that a file system or git could read as another are unsafe', async (t) => {
  for (const name of [
    '.',
    '..',
    '.git',
    '.Git',
    '.git.',
    '.git ',
    'GIT~1',
    '.g\u200cit',
    'a\\b',
    'a/b',
    'c:',
    '',
    'a\0',
  ])
    t.equal(isUnsafeName(name), true, JSON.stringify(name))
  for (const name of ['app', '.gitignore', 'k3v.yaml', 'git', '__proto__', 'a b'])
    t.equal(isUnsafeName(name), false, name)
})
