// What a person with kubectl sees of a plane whose pods run on a host: here the embedded one, with real processes.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createHttpClient } from '../../src/client/http.ts'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, pods, serviceAccounts } from '../../src/client/resources.ts'
import { startEmbeddedHost } from '../../src/plane/host.ts'
import { openSyncedPlane } from '../../src/plane/sync.ts'
import { runKubectl } from '../run-kubectl.ts'
import { hostNamespace, planeUid } from './two-worlds.ts'

const program = `
  console.log('hello from', process.env.POD_NAME)
  require('node:http').createServer((request, response) => response.end('ok')).listen(8080)
`
const manifests = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: {
        replicas: 2,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                name: 'main',
                image: 'node:26-alpine',
                command: ['node', '-e', program],
                env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
                readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1 },
              },
            ],
          },
        },
      },
    },
  ],
}

t.test(
  'kubectl applies, waits, reads logs, scales and deletes, and the host shows none of its names',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'k3v-sync-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    await using host = await startEmbeddedHost({ dataDirectory: folder, isKept: false })
    await host.client.create(namespaces, { metadata: { name: hostNamespace } })
    await host.client.create(serviceAccounts, { metadata: { name: 'workload', namespace: hostNamespace } })
    const { server, ca, user } = host.kubeconfig()
    const { certificate, key } = user as { readonly certificate: string; readonly key: string }
    await using client = createHttpClient({ server, tls: { ca, cert: certificate, key } })
    await using synced = await openSyncedPlane(
      { listen: { host: '127.0.0.1', port: 0 } },
      { client, namespace: hostNamespace, planeUid, workloadServiceAccount: 'workload' },
    )
    const kubeconfig = join(folder, 'plane.yaml')
    await writeKubeconfig({ path: kubeconfig, content: synced.plane.kubeconfig() })
    const kubectl = async (line: string, input = ''): Promise<string> => {
      const { code, stdout, stderr } = await runKubectl(line.split(' '), { kubeconfig, input, home: folder })
      if (code !== 0) throw new Error(`kubectl ${line}: ${stderr}${stdout}`)
      return stdout
    }
    await kubectl('apply -f -', JSON.stringify(manifests))
    t.match(await kubectl('rollout status deployment/web --timeout=25s'), /successfully rolled out/)
    const shown = await kubectl('get pods -o wide --no-headers')
    t.match(shown, /^web-\S+ +1\/1 +Running +0 +\S+ +10\.244\.\d+\.\d+ +k3v-node/)
    t.match(await kubectl('get endpoints web --no-headers'), /10\.244\.\d+\.\d+:8080,10\.244\.\d+\.\d+:8080/)
    const name = shown.split(' ')[0] ?? ''
    t.equal(await kubectl(`logs ${name}`), `hello from ${name}\n`)
    const { items } = await host.client.list(pods, { namespace: hostNamespace })
    t.equal(items.length, 2)
    const everything = await kubectl('get pods,services,events,nodes,configmaps -A -o json')
    for (const { metadata } of items) t.notOk(everything.includes(metadata.name ?? 'x'), metadata.name ?? '')
    await kubectl('scale deployment/web --replicas=1')
    await kubectl('wait --for=jsonpath={.status.replicas}=1 deployment/web --timeout=20s')
    await kubectl('delete deployment,service web --wait=true --timeout=20s')
    await kubectl('wait --for=delete pod --all --timeout=20s')
  },
)
