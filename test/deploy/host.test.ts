// Releases on the embedded host, by a user with the role admin in one namespace: real processes, real kubectl.

import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, pods, roleBindings } from '../../src/client/resources.ts'
import { type EmbeddedHost, startEmbeddedHost } from '../../src/plane/host.ts'
import { run } from '../cli/server-process.ts'
import { runKubectl } from '../run-kubectl.ts'

const namespace = 'team'

async function openHost(folder: string) {
  const host = await startEmbeddedHost({ dataDirectory: join(folder, 'host'), isKept: false })
  await host.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await host.client.create(roleBindings, {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'dana', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'dana' }],
  })
  const kubeconfig = join(folder, 'dana.yaml')
  await writeKubeconfig({
    path: kubeconfig,
    content: host.kubeconfig({ user: 'dana', groups: [], namespace }),
  })
  return { host, kubeconfig }
}

async function k3v(t: Test, args: readonly string[]): Promise<string> {
  const { child, stdout, stderr } = run(args)
  const [code] = (await once(child, 'close')) as [number | null]
  t.equal(code, 0, `k3v ${args[0]}: ${stderr()}`)
  return stdout()
}

/** The next time that the pod is ready, after so many restarts. */
async function readyAgain({ client }: EmbeddedHost, name: string, restarts: number): Promise<void> {
  const options = { namespace, fieldSelector: `metadata.name=${name}`, signal: AbortSignal.timeout(30_000) }
  for await (const item of client.watch(pods, options)) {
    if (item.type === 'BOOKMARK') continue
    const [status] = item.version.object.status?.containerStatuses ?? []
    if (status?.ready === true && status.restartCount === restarts) return
  }
}

t.test('a virtual cluster is created, used, killed, found again, and deleted', async (t) => {
  const folder = t.testdir()
  const { host, kubeconfig } = await openHost(folder)
  t.teardown(() => host.close())
  const flags = ['--kubeconfig', kubeconfig]
  const before = (await host.client.list(pods, { namespace })).items.length

  t.match(
    await k3v(t, ['create', 'box', '--timeout', '60s', ...flags]),
    /virtual cluster box in namespace team: /,
  )
  t.match(await k3v(t, ['status', 'box', ...flags]), /^box: Ready: .*\npod k3v-box-0 serves/)
  const inside = join(folder, 'box.yaml')
  await k3v(t, ['kubeconfig', 'box', '-o', inside, ...flags])
  const kubectl = (args: readonly string[]) => runKubectl(args, { kubeconfig: inside, home: folder })

  t.match(await kubectl(['create', 'configmap', 'note', '--from-literal=a=b']), { code: 0 })
  const [plane] = host.actor.processes().filter(({ pod }) => pod === 'k3v-box-0')
  process.kill(plane?.pid ?? 0, 'SIGKILL')
  await readyAgain(host, 'k3v-box-0', 1)
  t.match(await kubectl(['get', 'configmap', 'note', '-o', 'jsonpath={.data.a}']), { code: 0, stdout: 'b' })
  const rights = await kubectl(['auth', 'can-i', 'create', 'customresourcedefinitions'])
  t.match(rights, { stdout: 'yes\n' })

  t.match(
    await k3v(t, ['delete', 'box', '--timeout', '60s', ...flags]),
    /release box is gone from namespace team/,
  )
  t.equal((await host.client.list(pods, { namespace })).items.length, before)
  t.strictSame(host.actor.processes(), [])
})
