import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openTunnel } from '../../src/cli/tunnel.ts'
import { secrets } from '../../src/client/resources.ts'
import { deployRelease } from '../../src/deploy/deploy.ts'
import { releaseRules } from '../../src/plane/host-rights.ts'
import { k3v, openHost } from './command-host.ts'

// Plays kubectl: forwards when asked, and otherwise tells what it was given.
const player = `#!${process.execPath}
import { readFileSync } from 'node:fs'
const args = process.argv.slice(2)
if (args.includes('port-forward')) {
  if (args.includes('service/k3v-none')) {
    process.stderr.write('error: services "k3v-none" not found\\n')
    process.exit(1)
  }
  process.stdout.write('Forwarding from 127.0.0.1:4711 -> 7443\\nForwarding from [::1]:4711 -> 7443\\n')
  setInterval(() => undefined, 1_000)
} else {
  const [server] = /server: (.*)/.exec(readFileSync(process.env.KUBECONFIG, 'utf8')).slice(1)
  process.stdout.write(server + ' ' + args.join(' '))
  process.exitCode = 7
}
`

async function play(t: Test): Promise<string> {
  const folder = t.testdir({ 'kubectl.mjs': player })
  const program = join(folder, 'kubectl.mjs')
  await chmod(program, 0o755)
  process.env['K3V_KUBECTL'] = program
  t.teardown(() => delete process.env['K3V_KUBECTL'])
  return folder
}

t.test('a tunnel tells its address and ends its process', async (t) => {
  await play(t)
  const tunnel = await openTunnel({ release: 'shop', namespace: 'team' })
  t.equal(tunnel.server, 'https://127.0.0.1:4711')
  await tunnel[Symbol.asyncDispose]()
  await tunnel.ended
})

t.test('what kubectl says against a tunnel is told', async (t) => {
  await play(t)
  await t.rejects(openTunnel({ release: 'none' }), {
    message: 'kubectl opened no tunnel: error: services "k3v-none" not found',
  })
})

t.test(
  'k3v kubectl goes through a tunnel where the API is not published, and exits as kubectl does',
  async (t) => {
    const folder = await play(t)
    await using host = await openHost(folder, 'admin')
    const client = host.plane.clientFor()
    await deployRelease({
      host: client,
      namespace: 'team',
      release: 'shop',
      program: new Map([['plane.mjs', Buffer.from('')]]),
      bootScript: '',
      rules: releaseRules(),
    })
    await client.create(secrets, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'k3v-shop-kubeconfig', namespace: 'team' },
      data: { 'ca.crt': '', 'tls.crt': '', 'tls.key': '' },
    })
    const result = await k3v(['kubectl', 'shop', '--kubeconfig', host.kubeconfig, '--', 'get', 'pods', '-A'])
    t.match(result, { code: 7, stdout: 'https://127.0.0.1:4711 get pods -A' })
  },
)
