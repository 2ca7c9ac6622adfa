// The edge as kubectl meets it: discovery, protobuf bodies, tables, explain, validation, apply, watch.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { type KubectlResult, runKubectl } from '../run-kubectl.ts'
import { startTestEdge } from './start-edge.ts'

interface Kubectl extends AsyncDisposable {
  run(line: string, input?: string): Promise<KubectlResult>
}

async function startKubectl(): Promise<Kubectl> {
  const edge = await startTestEdge()
  const home = await mkdtemp(join(tmpdir(), 'k3v-edge-'))
  const kubeconfig = join(home, 'kubeconfig.yaml')
  const server = `https://127.0.0.1:${edge.server.port}`
  await writeKubeconfig({
    path: kubeconfig,
    content: { name: 'edge', server, ca: edge.pki.caPem(), user: { token: 'admin' } },
  })
  const namespaces = edge.catalog.find({ group: '', version: 'v1', resource: 'namespaces' }) as Kind
  const metadata = { name: 'default', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' }
  await edge.catalog.put(
    namespaces,
    { apiVersion: 'v1', kind: 'Namespace', metadata, status: { phase: 'Active' } },
    0,
  )
  return {
    run: (line, input = '') => runKubectl(line.split(' '), { kubeconfig, home, input }),
    [Symbol.asyncDispose]: async () => {
      await edge[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}

const manifest = (data: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: applied
data:
  key: ${data}
`

t.test('kubectl finds, creates, shows, explains, applies and deletes', async (t) => {
  await using kubectl = await startKubectl()
  const ok = async (line: string, input?: string): Promise<string> => {
    const { code, stdout, stderr } = await kubectl.run(line, input)
    t.equal(code, 0, `kubectl ${line}: ${stderr}`)
    return stdout
  }
  t.match(await ok('api-resources'), /configmaps +cm +v1 +true +ConfigMap/)
  t.match(await ok('version'), /Server Version: v1\.36\./)
  t.equal(await ok('create configmap made --from-literal=key=value'), 'configmap/made created\n')
  t.match(await ok('get configmaps'), /^NAME +DATA +AGE\nmade +1 +\d+s\n$/)
  t.equal(await ok('get configmap made -o jsonpath={.data.key}'), 'value')
  t.match(await ok('explain configmap.data'), /FIELD: data <map\[string\]string>/)
  t.equal(await ok('apply -f -', manifest('one')), 'configmap/applied created\n')
  t.equal(await ok('apply -f -', manifest('one')), 'configmap/applied unchanged\n')
  t.equal(await ok('apply -f -', manifest('two')), 'configmap/applied configured\n')
  t.equal(
    await ok('apply --server-side --force-conflicts -f -', manifest('three')),
    'configmap/applied serverside-applied\n',
  )
  t.equal(await ok('get configmap applied -o jsonpath={.data.key}'), 'three')
  t.equal(await ok('delete configmap made'), 'configmap "made" deleted from default namespace\n')
})

t.test('kubectl is told of fields that nobody knows, as upstream words it', async (t) => {
  await using kubectl = await startKubectl()
  const strict = await kubectl.run('apply --validate=strict -f -', `${manifest('one')}datta: {}\n`)
  t.equal(strict.code, 1)
  t.match(strict.stderr, /strict decoding error: unknown field "datta"/)
  const warned = await kubectl.run('apply --validate=warn -f -', `${manifest('one')}datta: {}\n`)
  t.equal(warned.code, 0)
  t.match(warned.stderr, /Warning: unknown field "datta"/)
})
