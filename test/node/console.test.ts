import t from 'tap'
import { connectKubeconfig } from '../../src/client/kubeconfig.ts'
import { kubeconfigText } from '../../src/client/kubeconfig-file.ts'
import { pods } from '../../src/client/resources.ts'
import { script, startTestHost } from './start-host.ts'

t.test('kubectl logs reads, follows and is refused as everywhere', async (t) => {
  await using one = await startTestHost()
  await one.create('talks', {
    containers: [script("console.log('one'); console.log('two'); setInterval(() => {}, 1000)")],
  })
  await one.untilLogged('talks', 'two')
  const { client } = await connectKubeconfig({ text: kubeconfigText(one.host.kubeconfig()) })
  const path = '/api/v1/namespaces/default/pods/talks/log'
  t.equal((await client.raw({ method: 'GET', path })).text, 'one\ntwo\n')
  t.equal((await client.raw({ method: 'GET', path, query: { tailLines: '1' } })).text, 'two\n')
  await t.rejects(client.raw({ method: 'GET', path, query: { tailLines: '-1' } }), { code: 422 })
  await t.rejects(client.raw({ method: 'GET', path, query: { previous: 'true' } }), {
    code: 400,
    message: 'previous terminated container "main" in pod "talks" not found',
  })
  await t.rejects(client.raw({ method: 'GET', path: path.replace('talks', 'none') }), {
    code: 404,
    message: 'pods "none" not found',
  })
  const whole = client.raw({ method: 'GET', path, query: { follow: 'true' } })
  await one.host.client.delete(pods, { namespace: 'default', name: 'talks' })
  t.equal((await whole).text, 'one\ntwo\n')
  await client[Symbol.asyncDispose]()
})

t.test('a command runs beside a program, with its files and its input', async (t) => {
  await using one = await startTestHost()
  await one.config('app', { text: 'mounted' })
  await one.create('shell', {
    containers: [
      script("setInterval(() => {}, 1000); console.log('up')", {
        env: [{ name: 'X', value: 'variable' }],
        volumeMounts: [{ name: 'app', mountPath: '/app' }],
      }),
    ],
    volumes: [{ name: 'app', configMap: { name: 'app' } }],
  })
  await one.untilLogged('shell', 'up')
  const source =
    "process.stdin.on('data', (data) => { console.log(String(data), process.env.X, require('fs').readFileSync('/app/text', 'utf8')); process.exit(5) })"
  const command = await one.host.actor.exec({
    namespace: 'default',
    pod: 'shell',
    command: ['node', '-e', source],
  })
  command.stdin.write('input')
  let said = ''
  for await (const part of command.stdout) said += part
  t.equal(said, 'input variable mounted\n')
  t.equal((await command.exited).exitCode, 5)
  await t.rejects(one.host.actor.exec({ namespace: 'default', pod: 'none', command: ['node'] }), {
    code: 404,
  })
})
