import { join } from 'node:path'
import t from 'tap'
import { secrets } from '../../src/client/resources.ts'
import { k3v, openHost } from './command-host.ts'

t.test('a release that does not exist is said, with exit code 1', async (t) => {
  await using host = await openHost(t.testdir(), 'admin')
  const flags = ['--kubeconfig', host.kubeconfig]
  const commands = ['status', 'delete', 'kubeconfig']
  const results = await Promise.all(commands.map((command) => k3v([command, 'shop', ...flags])))
  for (const result of results)
    t.match(result, { code: 1, stderr: /there is no release shop in namespace team/ })
  t.match(await k3v(['list', ...flags]), { code: 0, stdout: 'no releases in team\n' })
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
  await host.plane.clientFor().create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'k3v-shop-kubeconfig', namespace: 'team' },
    data: { 'ca.crt': '', 'tls.crt': '', 'tls.key': '' },
  })
  process.env['K3V_KUBECTL'] = join(folder, 'no-kubectl')
  t.teardown(() => delete process.env['K3V_KUBECTL'])
  const { code, stderr } = await k3v(['kubectl', 'shop', ...flags, '--', 'get', 'pods'])
  t.equal(code, 1)
  t.match(stderr, /^error: there is no .*no-kubectl: install kubectl, or name it in K3V_KUBECTL\n$/)
})
