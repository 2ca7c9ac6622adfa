// kubectl's way into pods, through the embedded host and through a plane whose pods run on it.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createHttpClient } from '../../src/client/http.ts'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, pods, serviceAccounts } from '../../src/client/resources.ts'
import { startEmbeddedHost } from '../../src/plane/host.ts'
import type { Plane } from '../../src/plane/plane.ts'
import { openSyncedPlane } from '../../src/plane/sync.ts'
import { type KubectlResult, runKubectl } from '../run-kubectl.ts'

const hostNamespace = 'team-a'

async function startBoth() {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-connect-'))
  const host = await startEmbeddedHost({ dataDirectory: folder, isKept: false })
  await host.client.create(namespaces, { metadata: { name: hostNamespace } })
  await host.client.create(serviceAccounts, { metadata: { name: 'workload', namespace: hostNamespace } })
  const { server, ca, user } = host.kubeconfig()
  const { certificate, key } = user as { readonly certificate: string; readonly key: string }
  const client = createHttpClient({ server, tls: { ca, cert: certificate, key } })
  const synced = await openSyncedPlane(
    { listen: { host: '127.0.0.1', port: 0 } },
    { client, namespace: hostNamespace, planeUid: 'plane-1', workloadServiceAccount: 'workload' },
  )
  const kubeconfigOf = async (name: string, plane: Plane, user?: string): Promise<string> => {
    const path = join(folder, `${name}.yaml`)
    const content = plane.kubeconfig(user === undefined ? {} : { user, groups: [] })
    await writeKubeconfig({ path, content })
    return path
  }
  return {
    host,
    plane: synced.plane,
    kubeconfigOf,
    kubectl: (kubeconfig: string, args: readonly string[], input = ''): Promise<KubectlResult> =>
      runKubectl(args, { kubeconfig, input, home: folder }),
    [Symbol.asyncDispose]: async () => {
      await synced[Symbol.asyncDispose]()
      await client[Symbol.asyncDispose]()
      await host.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const program =
  "require('node:http').createServer((request, response) => response.end('served ' + request.url)).listen(8080)"
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web' },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'node:26-alpine',
        command: ['node', '-e', program],
        env: [{ name: 'GREETING', value: 'hello' }],
        readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
      },
    ],
  },
}

t.test('kubectl runs commands in pods, and is refused what is not its own', async (t) => {
  await using both = await startBoth()
  const planes = { host: both.host.plane, plane: both.plane }
  for (const [name, plane] of Object.entries(planes)) {
    const kubeconfig = await both.kubeconfigOf(name, plane)
    const kubectl = (line: readonly string[], input = '') => both.kubectl(kubeconfig, line, input)
    const applied = await kubectl(['apply', '-f', '-'], JSON.stringify(pod))
    t.equal(applied.code, 0, applied.stderr)
    const ready = await kubectl(['wait', '--for=condition=Ready', 'pod/web', '--timeout=20s'])
    t.equal(ready.code, 0, ready.stderr)
    const node = (source: string, ...flags: string[]) => ['exec', 'web', ...flags, '--', 'node', '-e', source]
    t.match(
      await kubectl(node('console.log(process.env.GREETING); console.error("aside")')),
      { code: 0, stdout: 'hello\n', stderr: 'aside\n' },
      `${name}: output and errors, apart`,
    )
    t.match(
      await kubectl(node('process.stdin.pipe(process.stdout)', '-i'), 'through'),
      { code: 0, stdout: 'through' },
      `${name}: input has an end`,
    )
    const failed = await kubectl(node('process.exit(7)'))
    t.equal(failed.code, 7, `${name}: the exit code is the command's`)
    const large = await kubectl(node("process.stdout.write('x'.repeat(3_000_000))"))
    t.equal(large.stdout.length, 3_000_000, `${name}: large output is whole`)
    t.match(await kubectl(['exec', 'none', '--', 'true']), { code: 1, stderr: /pods "none" not found/ })
    t.match(await kubectl(['exec', 'web', '-c', 'other', '--', 'true']), { code: 1, stderr: /container/ })
    const stranger = await both.kubeconfigOf(`${name}-stranger`, plane, 'stranger')
    const refused = await both.kubectl(stranger, ['exec', 'pod/web', '--', 'true'])
    t.match(refused, { code: 1, stderr: /stranger.*cannot/ }, `${name}: strangers are refused`)
  }
  const foreign = both.host.client
  await foreign.create(pods, { ...pod, metadata: { name: 'foreign', namespace: hostNamespace } })
  const kubeconfig = join(await both.kubeconfigOf('plane', both.plane))
  const seen = await both.kubectl(kubeconfig, ['exec', 'foreign', '--', 'true'])
  t.match(seen, { code: 1, stderr: /pods "foreign" not found/ }, 'a pod of the host is no pod of the plane')
})
