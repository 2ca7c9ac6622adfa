import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, pods, roleBindings, serviceAccounts } from '../../src/client/resources.ts'
import { startLocal } from '../../src/plane/local.ts'
import { openPlane, type Plane } from '../../src/plane/plane.ts'

async function openHost(folder: string): Promise<{ host: Plane; kubeconfig: string }> {
  const host = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  const client = host.clientFor()
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  await client.create(roleBindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'dana', namespace: 'team' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dana' }],
  })
  // Pods of the host's namespace name it; its controller makes it in a moment.
  for await (const item of client.watch(serviceAccounts, {
    namespace: 'team',
    signal: AbortSignal.timeout(10_000),
  }))
    if (item.type === 'ADDED' && item.version.header.name === 'default') break
  const kubeconfig = join(folder, 'host.yaml')
  await writeKubeconfig({
    path: kubeconfig,
    content: host.kubeconfig({ user: 'dana', groups: [], namespace: 'team' }),
  })
  return { host, kubeconfig }
}

const options = (folder: string, kubeconfig: string) => ({
  kubeconfig,
  context: undefined,
  namespace: undefined,
  id: 'laptop',
  port: 0,
  advertiseAddress: undefined,
  dataDirectory: join(folder, 'data'),
  kubeconfigFile: join(folder, 'plane.yaml'),
  isVerbose: false,
})

t.test('a local plane runs its pods in one namespace of the host, with the role admin there', async (t) => {
  const folder = t.testdir()
  const { host, kubeconfig } = await openHost(folder)
  t.teardown(() => host.close())
  const local = await startLocal(options(folder, kubeconfig))
  t.match(
    local.readyLine,
    /its pods in namespace team of https:.*; pods cannot reach this API without --advertise/,
  )
  const client = local.plane.clientFor()
  const accounts = { namespace: 'default', signal: AbortSignal.timeout(10_000) }
  for await (const item of client.watch(serviceAccounts, accounts))
    if (item.type === 'ADDED' && item.version.header.name === 'default') break
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'web', image: 'node' }] },
  })
  const names: string[] = []
  for await (const item of host
    .clientFor()
    .watch(pods, { namespace: 'team', signal: AbortSignal.timeout(10_000) })) {
    if (item.type !== 'ADDED') continue
    names.push(item.version.header.name)
    break
  }
  t.match(names, [/^web-[a-z2-7]{26}$/])
  const uid = await readFile(join(folder, 'data', 'plane-uid'), 'utf8')
  t.match(uid, /^laptop-[0-9a-f-]{36}\n$/)
  await local[Symbol.asyncDispose]()

  const again = await startLocal(options(folder, kubeconfig))
  t.equal(await readFile(join(folder, 'data', 'plane-uid'), 'utf8'), uid, 'it is found by the same mark')
  await again[Symbol.asyncDispose]()
})

t.test('an address for pods needs a port that they can know', async (t) => {
  const folder = t.testdir()
  const { host, kubeconfig } = await openHost(folder)
  t.teardown(() => host.close())
  await t.rejects(startLocal({ ...options(folder, kubeconfig), advertiseAddress: '127.0.0.1' }), {
    message: /--advertise-address needs a --listen-port/,
  })
})
