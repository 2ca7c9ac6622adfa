import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { connectInCluster } from '../../src/client/in-cluster.ts'
import { connectKubeconfig } from '../../src/client/kubeconfig.ts'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'

test("a written kubeconfig is its owner's alone and can be read back", async (t) => {
  const path = join(t.testdir({}), 'deep', 'config')
  const content = {
    name: 'lab',
    server: 'https://127.0.0.1:7443',
    ca: 'PEM',
    namespace: 'demo',
    user: { token: 'abc' },
  }
  await writeKubeconfig({ path, content })
  t.equal((await stat(path)).mode & 0o777, 0o600)
  t.match(await readFile(path, 'utf8'), /current-context: lab/)
  const { client, ...rest } = await connectKubeconfig({ path })
  t.same(rest, { context: 'lab', server: 'https://127.0.0.1:7443', namespace: 'demo' })
  await client[Symbol.asyncDispose]()
})

test('an unknown context is named', async (t) => {
  const text = 'apiVersion: v1\nkind: Config\nclusters: []\nusers: []\ncontexts: []\n'
  await t.rejects(connectKubeconfig({ text, context: 'nope' }), {
    message: 'the kubeconfig has no context "nope"',
  })
})

test('a pod finds its API server by its environment; elsewhere there is none', async (t) => {
  t.equal(await connectInCluster({ environment: {} }), undefined)
  const folder = t.testdir({ 'ca.crt': 'PEM', namespace: 'demo\n', token: 'abc\n' })
  const environment = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }
  const found = await connectInCluster({ environment, folder })
  t.equal(found?.namespace, 'demo')
  t.equal(found?.client.server, 'https://[fd00::1]:443')
  await found?.client[Symbol.asyncDispose]()
})
