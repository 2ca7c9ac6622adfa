import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readPackage } from '../../src/packages/archive/archive.ts'
import { configMapText, manifestText } from '../packages/make-package.ts'

const bin = fileURLToPath(new URL('../../bin/k3v.js', import.meta.url))

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function k3v(args: readonly string[], cwd: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      stdout += piece
    })
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      stderr += piece
    })
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

type Fixture = Parameters<typeof t.testdir>[0] & object

const good = { 'k3v.yaml': manifestText(), manifests: { 'a.yaml': configMapText() } }

t.test('pack writes an archive that reads back, and says so in one line', async (t) => {
  const folder = t.testdir({ app: good })
  const { code, stdout, stderr } = await k3v(['pack', 'app'], folder)
  t.equal(code, 0, stderr)
  t.match(stdout, /^\/.*\/sample-1\.2\.3\.tgz: 1 objects, \d+ KiB, sha256:[0-9a-f]{64}\n$/)
  const read = await readPackage(join(folder, 'sample-1.2.3.tgz'))
  t.match(read, { name: 'sample', version: '1.2.3' })
  t.ok(read.program.has('plane.mjs'))
})

t.test('pack --json prints one object, and -o says where to', async (t) => {
  const folder = t.testdir({ app: good })
  const { code, stdout } = await k3v(['pack', 'app', '-o', 'out/x.tgz', '--json'], folder)
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    file: join(folder, 'out/x.tgz'),
    name: 'sample',
    objects: 1,
    images: [],
    unproved: [],
  })
  t.same(readdirSync(join(folder, 'out')), ['x.tgz'])
})

t.test('what is wrong is told by file, line and field; nothing is written', async (t) => {
  const refused =
    'apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec:\n  ports: [{ port: 99999 }]\n'
  const cases: [string, Fixture, RegExp][] = [
    ['a broken k3v.yaml', { 'k3v.yaml': 'a: [' }, /error: k3v\.yaml:\d: not YAML/],
    [
      'an unknown field',
      { 'k3v.yaml': manifestText('[{ manifest: m }]') },
      /error: k3v\.yaml:5: spec\.sources\[0\]\.manifest: unknown field; did you mean "manifests"\?/,
    ],
    ['no k3v.yaml', {}, /error: k3v\.yaml: missing/],
    [
      'a template’s error',
      { 'k3v.yaml': manifestText('[{ templates: t }]'), t: { 'a.yaml.hbs': '\n{{nope}}' } },
      /error: t\/a\.yaml\.hbs:2: nope has no value/,
    ],
    [
      'what the API refuses',
      { ...good, manifests: { 'a.yaml': refused } },
      /error: manifests\/a\.yaml:5: Service "web" is invalid: \[spec\.ports\[0\]\.port: Invalid value: 99999/,
    ],
  ]
  for (const [name, app, message] of cases) {
    const folder = t.testdir({ app })
    const { code, stdout, stderr } = await k3v(['pack', 'app', '-o', 'x.tgz'], folder)
    t.equal(code, 1, name)
    t.match(stderr, message, name)
    t.equal(stdout, '', name)
    t.notOk(existsSync(join(folder, 'x.tgz')), name)
  }
})

t.test('wrong usage ends with 2', async (t) => {
  const folder = t.testdir({ app: good })
  t.equal((await k3v(['pack'], folder)).code, 2)
  t.equal((await k3v(['pack', 'app', '--nope'], folder)).code, 2)
  const { code, stderr } = await k3v(['pack', '-f', 'nope.yaml', 'app'], folder)
  t.equal(code, 2)
  t.match(stderr, /nope\.yaml: cannot be read/)
})
