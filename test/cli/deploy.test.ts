import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { run } from './server-process.ts'

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function k3v(args: readonly string[]): Promise<Result> {
  const { child, stdout, stderr } = run(args)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

/** A host of which the user may read nothing, and its kubeconfig. */
async function openHost(folder: string, user = 'nobody') {
  const plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  await plane
    .clientFor()
    .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  const kubeconfig = join(folder, 'host.yaml')
  const groups = user === 'admin' ? ['system:masters'] : []
  await writeKubeconfig({ path: kubeconfig, content: plane.kubeconfig({ user, groups, namespace: 'team' }) })
  return { plane, kubeconfig, [Symbol.asyncDispose]: () => plane.close() }
}

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
  const create = await k3v(['create', 'shop', '--kubeconfig', host.kubeconfig])
  t.equal(create.code, 1)
  t.match(
    create.stderr,
    /^error: you may not deploy to namespace team: missing .*statefulsets\.apps.*admin.*\n$/,
  )
  const data = ['--data-dir', join(folder, 'data'), '--write-kubeconfig', join(folder, 'plane.yaml')]
  const server = await k3v(['server', '--kubeconfig', host.kubeconfig, '--listen-port', '0', ...data])
  t.equal(server.code, 1)
  t.match(server.stderr, /^error: you may not sync to namespace team of https:.*: missing .*pods.*\n$/)
})

t.test('what is no package is refused before the host is asked', async (t) => {
  const folder = t.testdir({ 'notes.tgz': 'no archive' })
  await using host = await openHost(folder)
  for (const [name, says] of [
    ['notes.tgz', /notes\.tgz: /],
    ['nothing.tgz', /nothing\.tgz: no such file/],
    ['.', /not a package archive; k3v pack makes one of a folder/],
  ] as const) {
    const { code, stderr } = await k3v(['deploy', join(folder, name), '--kubeconfig', host.kubeconfig])
    t.equal(code, 1, name)
    t.match(stderr, says)
    t.notMatch(stderr, /\n\s+at /)
  }
})

t.test('wrong usage exits with 2', async (t) => {
  for (const args of [
    ['deploy'],
    ['create'],
    ['create', 'shop', '--timeout', 'soon'],
    ['list', '--no-such-flag'],
  ]) {
    const { code, stderr } = await k3v(args)
    t.equal(code, 2, args.join(' '))
    t.notMatch(stderr, /\n\s+at /)
  }
})

t.test('a release that does not exist is said, with exit code 1', async (t) => {
  await using host = await openHost(t.testdir(), 'admin')
  for (const command of [
    ['status', 'shop'],
    ['delete', 'shop'],
    ['kubeconfig', 'shop'],
  ]) {
    const { code, stderr } = await k3v([...command, '--kubeconfig', host.kubeconfig])
    t.equal(code, 1)
    t.match(stderr, /there is no release shop in namespace team/)
  }
  const { code, stdout } = await k3v(['list', '--kubeconfig', host.kubeconfig])
  t.equal(code, 0)
  t.equal(stdout, 'no releases in team\n')
})

t.test('what is not ready in time exits with 3; status and list tell the same', async (t) => {
  // This host has no node: the pod stays where it is.
  await using host = await openHost(t.testdir(), 'admin')
  const flags = ['--kubeconfig', host.kubeconfig]
  const create = await k3v(['create', 'shop', '--timeout', '0s', ...flags, '--json'])
  t.equal(create.code, 3)
  t.match(JSON.parse(create.stdout), { error: { exit: 3, message: /^shop is not ready: pod k3v-shop-0/ } })
  const status = await k3v(['status', 'shop', ...flags])
  t.equal(status.code, 3)
  t.match(status.stdout, /^shop: Starting: /)
  const list = await k3v(['list', ...flags, '--json'])
  t.match(JSON.parse(list.stdout), { releases: [{ name: 'shop', namespace: 'team', phase: 'Starting' }] })
  const kubeconfig = await k3v(['kubeconfig', 'shop', ...flags])
  t.equal(kubeconfig.code, 1)
  t.match(kubeconfig.stderr, /its control plane has not started; see k3v status shop/)
})

t.test('a kubectl that is not there is named', async (t) => {
  const folder = t.testdir()
  await using host = await openHost(folder, 'admin')
  const flags = ['--kubeconfig', host.kubeconfig]
  await k3v(['create', 'shop', '--timeout', '0s', ...flags])
  const data = { 'ca.crt': '', 'tls.crt': '', 'tls.key': '' }
  await host.plane.clientFor().create({ group: '', version: 'v1', resource: 'secrets', isNamespaced: true }, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'k3v-shop-kubeconfig', namespace: 'team' },
    data,
  } as never)
  await writeFile(join(folder, 'kubectl'), '')
  process.env['K3V_KUBECTL'] = join(folder, 'no-kubectl')
  t.teardown(() => delete process.env['K3V_KUBECTL'])
  const { code, stderr } = await k3v(['kubectl', 'shop', ...flags, '--', 'get', 'pods'])
  t.equal(code, 1)
  t.match(stderr, /^error: there is no .*no-kubectl: install kubectl, or name it in K3V_KUBECTL\n$/)
})
