import { join } from 'node:path'
import t from 'tap'
import { k3v, openHost } from './command-host.ts'

const hostCommands = [
  ['create', 'shop'],
  ['list'],
  ['status', 'shop'],
  ['delete', 'shop'],
  ['kubeconfig', 'shop'],
  ['kubectl', 'shop'],
  ['server', '--listen-port', '0'],
] as const

t.test('a kubeconfig that is not there is named', async (t) => {
  const missing = join(t.testdir(), 'missing.yaml')
  const results = await Promise.all(hostCommands.map((command) => k3v([...command, '--kubeconfig', missing])))
  for (const [index, result] of results.entries()) {
    const expected = { code: 1, stdout: '', stderr: `error: there is no kubeconfig at ${missing}\n` }
    t.strictSame(result, expected, hostCommands[index]?.[0] ?? '')
  }
})

t.test('a kubeconfig that is none, and a context that it lacks, are told in one line', async (t) => {
  const folder = t.testdir({ 'broken.yaml': 'clusters: [\n' })
  const broken = await k3v(['list', '--kubeconfig', join(folder, 'broken.yaml')])
  t.equal(broken.code, 1)
  t.match(broken.stderr, /^error: the kubeconfig at .*broken\.yaml cannot be read: [^\n]*\n$/)
  await using host = await openHost(folder)
  const { code, stderr } = await k3v(['list', '--kubeconfig', host.kubeconfig, '--context', 'other'])
  t.equal(code, 1)
  t.equal(stderr, 'error: the kubeconfig has no context "other"\n')
})

t.test('a host that does not answer is named', async (t) => {
  const folder = t.testdir()
  const host = await openHost(folder)
  await host.plane.close()
  const { code, stderr } = await k3v(['list', '--kubeconfig', host.kubeconfig])
  t.equal(code, 1)
  t.match(stderr, /^error: cannot reach https:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/)
})

t.test('a host without rights says what is missing', async (t) => {
  const folder = t.testdir()
  await using host = await openHost(folder)
  const flags = ['--kubeconfig', host.kubeconfig]
  const data = ['--data-dir', join(folder, 'data'), '--write-kubeconfig', join(folder, 'plane.yaml')]
  const [create, server] = await Promise.all([
    k3v(['create', 'shop', ...flags]),
    k3v(['server', '--listen-port', '0', ...data, ...flags]),
  ])
  t.equal(create.code, 1)
  t.match(
    create.stderr,
    /^error: you may not deploy to namespace team: missing .*statefulsets\.apps.*admin.*\n$/,
  )
  t.equal(server.code, 1)
  t.match(server.stderr, /^error: you may not sync to namespace team of https:.*: missing .*pods.*\n$/)
})

t.test('what is no package is refused before the host is asked', async (t) => {
  const folder = t.testdir({ 'notes.tgz': 'no archive' })
  const deploy = (name: string) =>
    k3v(['deploy', join(folder, name), '--kubeconfig', join(folder, 'none.yaml')])
  const [notes, nothing, itself] = await Promise.all([
    deploy('notes.tgz'),
    deploy('nothing.tgz'),
    deploy('.'),
  ])
  t.match(notes, { code: 1, stderr: /notes\.tgz: / })
  t.match(nothing, { code: 1, stderr: /nothing\.tgz: no such file/ })
  t.match(itself, { code: 1, stderr: /not a package archive; k3v pack makes one of a folder/ })
})

t.test('wrong usage exits with 2', async (t) => {
  const wrong = [['deploy'], ['create'], ['create', 'shop', '--timeout', 'soon'], ['list', '--no-such-flag']]
  for (const { code, stderr } of await Promise.all(wrong.map(k3v))) {
    t.equal(code, 2, stderr)
    t.notMatch(stderr, /\n\s+at /)
  }
})
