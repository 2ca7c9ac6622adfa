import { join } from 'node:path'
import t from 'tap'
import { kubectlPath } from '../scripts/tools.ts'
import { runKubectl } from './run-kubectl.ts'

const missing = await kubectlPath().then(
  () => false as const,
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
)

t.test(
  'runKubectl() answers code and both streams, and knows no cluster but the one given',
  { skip: missing },
  async (t) => {
    const kubeconfig = join(t.testdir({ config: '' }), 'config')
    const version = await runKubectl(['version', '--client', '-o', 'json'], { kubeconfig })
    t.equal(version.code, 0, version.stderr)
    t.match(JSON.parse(version.stdout), { clientVersion: { major: '1' } })
    const contexts = await runKubectl(['config', 'get-contexts', '-o', 'name'], { kubeconfig })
    t.equal(contexts.stdout, '')
    const refused = await runKubectl(['no-such-command'], { kubeconfig })
    t.equal(refused.code, 1)
    t.match(refused.stderr, /unknown command/)
  },
)

t.test('runKubectl() hands over standard input', { skip: missing }, async (t) => {
  const kubeconfig = join(t.testdir({ config: '' }), 'config')
  const input = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}'
  const args = ['label', '--local', '-o', 'name', '-f', '-', 'a=b']
  t.same(await runKubectl(args, { kubeconfig, input }), { code: 0, stdout: 'configmap/a\n', stderr: '' })
})
