// An embedded host and a plane whose pods run on it, with kubectl for both, and a pod to reach.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectlPath } from '../../scripts/tools.ts'
import { createHttpClient } from '../../src/client/http.ts'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces, serviceAccounts } from '../../src/client/resources.ts'
import { startEmbeddedHost } from '../../src/plane/host.ts'
import type { Plane } from '../../src/plane/plane.ts'
import { openSyncedPlane } from '../../src/plane/sync.ts'
import { type KubectlResult, runKubectl } from '../run-kubectl.ts'

export const hostNamespace = 'team-a'

export async function startBoth() {
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
    folder,
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
  "require('node:http').createServer((request, response) => { console.log('asked for ' + request.url); response.end('served ' + request.url) }).listen(8080)"
export const webPod = {
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

/** kubectl as it was before it spoke websockets, or as it is. */
export async function startKubectl(
  args: readonly string[],
  { kubeconfig, home, isOld = false }: { kubeconfig: string; home: string; isOld?: boolean },
) {
  const old = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }
  return spawn(await kubectlPath(), [...args], {
    env: {
      HOME: home,
      KUBECONFIG: kubeconfig,
      PATH: process.env['PATH'],
      NO_PROXY: '*',
      ...(isOld ? old : {}),
    },
    timeout: 30_000,
  })
}
