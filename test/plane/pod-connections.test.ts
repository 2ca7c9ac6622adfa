// kubectl's way into pods, through the embedded host and through a plane whose pods run on it.

import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { pods } from '../../src/client/resources.ts'
import { hostNamespace, startBoth, startKubectl, webPod } from './start-both.ts'

t.test('kubectl runs commands in pods, and is refused what is not its own', async (t) => {
  await using both = await startBoth()
  const planes = { host: both.host.plane, plane: both.plane }
  for (const [name, plane] of Object.entries(planes)) {
    const kubeconfig = await both.kubeconfigOf(name, plane)
    const kubectl = (line: readonly string[], input = '') => both.kubectl(kubeconfig, line, input)
    const applied = await kubectl(['apply', '-f', '-'], JSON.stringify(webPod))
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
    t.match(await kubectl(['exec', 'web', '--', 'no-such-program']), {
      code: 1,
      stderr: /executable file not found/,
    })
    const stranger = await both.kubeconfigOf(`${name}-stranger`, plane, 'stranger')
    const refused = await both.kubectl(stranger, ['exec', 'pod/web', '--', 'true'])
    t.match(refused, { code: 1, stderr: /stranger.*cannot/ }, `${name}: strangers are refused`)
  }
  const foreign = both.host.client
  await foreign.create(pods, { ...webPod, metadata: { name: 'foreign', namespace: hostNamespace } })
  const kubeconfig = await both.kubeconfigOf('plane', both.plane)
  const seen = await both.kubectl(kubeconfig, ['exec', 'foreign', '--', 'true'])
  t.match(seen, { code: 1, stderr: /pods "foreign" not found/ }, 'a pod of the host is no pod of the plane')
})

t.test('kubectl of today and of before forwards ports, and runs commands', async (t) => {
  await using both = await startBoth()
  const planes = { host: both.host.plane, plane: both.plane }
  for (const [name, plane] of Object.entries(planes)) {
    const kubeconfig = await both.kubeconfigOf(name, plane)
    await both.kubectl(kubeconfig, ['apply', '-f', '-'], JSON.stringify(webPod))
    const ready = await both.kubectl(kubeconfig, [
      'wait',
      '--for=condition=Ready',
      'pod/web',
      '--timeout=20s',
    ])
    t.equal(ready.code, 0, ready.stderr)
    for (const isOld of [false, true]) {
      const what = `${name}, ${isOld ? 'SPDY' : 'websocket'}`
      const wire = { kubeconfig, home: both.folder, isOld }
      const forward = await startKubectl(['port-forward', 'pod/web', ':8080', ':9'], wire)
      const ports = await portsOf(forward.stdout)
      const url = `http://127.0.0.1:${ports[0]}`
      const answers = await Promise.all(
        ['/a', '/b', '/c'].map(async (path) => (await fetch(`${url}${path}`)).text()),
      )
      t.same(answers, ['served /a', 'served /b', 'served /c'], what)
      const attached = await startKubectl(['attach', 'web'], wire)
      const seen = Promise.withResolvers<void>()
      let output = ''
      attached.stdout.on('data', (chunk) => {
        output += String(chunk)
        if (output.includes('asked for /attached')) seen.resolve()
      })
      // Attaching shows what comes after it: ask until it has begun.
      const asking = setInterval(() => void fetch(`${url}/attached`).catch(() => undefined), 50)
      await seen.promise
      clearInterval(asking)
      attached.kill()
      await once(attached, 'close')
      // kubectl gives up all ports after the first refusal.
      await t.rejects(fetch(`http://127.0.0.1:${ports[1]}/`), `${what}: nobody listens there`)
      forward.kill()
      if (forward.exitCode === null) await once(forward, 'close')
      t.notMatch(output, 'asked for /a\n', `${what}: what was before attaching is not shown`)
      const source =
        "process.stdin.pipe(process.stdout).on('finish', () => {}); process.stdin.on('end', () => process.exitCode = 3)"
      const command = await startKubectl(['exec', '-i', 'web', '--', 'node', '-e', source], wire)
      command.stdin.end('x'.repeat(500_000))
      const [echoed, errors, [code]] = await Promise.all([
        text(command.stdout),
        text(command.stderr),
        once(command, 'close'),
      ])
      t.equal(echoed.length, 500_000, `${what}: what goes in comes out`)
      t.equal(code, 3, `${what}: ${errors}`)
    }
  }
})

/** The two that kubectl has chosen. It keeps talking: nobody may stop reading. */
function portsOf(stdout: Readable): Promise<readonly number[]> {
  const found = Promise.withResolvers<readonly number[]>()
  let said = ''
  stdout.on('data', (chunk) => {
    said += String(chunk)
    const ports = [...said.matchAll(/127\.0\.0\.1:(\d+) -> /g)].map(([, port]) => Number(port))
    if (ports.length === 2) found.resolve(ports)
  })
  stdout.on('close', () => found.reject(new Error(`kubectl ended: ${said}`)))
  return found.promise
}
