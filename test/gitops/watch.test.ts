import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces } from '../../src/client/resources.ts'
import type { FollowEvent } from '../../src/gitops/follow.ts'
import { startEmbeddedHost } from '../../src/plane/host.ts'
import { k3v } from '../cli/command-host.ts'
import { run } from '../cli/server-process.ts'
import { hasGit, startGitServer } from './git-server.ts'

const note = (text: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'note' }, data: { text } })

const manifest = `apiVersion: k3v.dev/v1
kind: Package
metadata: {name: notes, version: 1.0.0}
spec:
  sources: [{manifests: manifests}]
`

/** The events of a running watch, one after the other, until the one that is asked for. */
function eventsOf(stdout: () => string, child: ReturnType<typeof run>['child']) {
  let taken = 0
  const ended = once(child, 'close').then(() => 'ended')
  return async (wanted: string): Promise<FollowEvent> => {
    for (;;) {
      const lines = stdout().split('\n').slice(0, -1)
      while (taken < lines.length) {
        const event = JSON.parse(lines[taken++] ?? '') as FollowEvent
        if (event.event === wanted) return event
      }
      const next = await Promise.race([ended, once(child.stdout as NodeJS.ReadableStream, 'data')])
      if (next === 'ended') throw new Error(`the watch ended without ${wanted}: ${stdout()}`)
    }
  }
}

const skip = (await hasGit()) ? false : 'there is no git on this machine'

t.test('what is pushed is deployed, and what is broken or gone changes nothing', { skip }, async (t) => {
  const folder = t.testdir()
  await using server = await startGitServer()
  await using host = await startEmbeddedHost({ dataDirectory: join(folder, 'host'), isKept: false })
  await host.client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  const kubeconfig = join(folder, 'host.yaml')
  await writeKubeconfig({ path: kubeconfig, content: host.kubeconfig({ namespace: 'team' }) })
  const flags = ['--kubeconfig', kubeconfig]

  const first = await server.push({ 'app/k3v.yaml': manifest, 'app/manifests/note.yaml': note('first') })
  const { child, stdout, stderr } = run([
    ...['watch', server.url, '--path', 'app', '--interval', '1s', '--timeout', '40s', '--json'],
    ...flags,
  ])
  const exited = once(child, 'close')
  t.teardown(() => child.kill('SIGKILL'))
  const until = eventsOf(stdout, child)
  const noteNow = async (): Promise<string> => {
    const asked = ['get', 'configmap', 'note', '-o', 'jsonpath={.data.text}']
    const { stdout: text, stderr: why } = await k3v(['kubectl', 'notes', ...flags, '--', ...asked])
    return text === '' ? why : text
  }
  t.equal((await until('ready')).commit, first)
  t.equal(await noteNow(), 'first')

  const second = await server.push({ 'app/manifests/note.yaml': note('second') })
  t.equal((await until('ready')).commit, second)
  t.equal(await noteNow(), 'second')

  const broken = await server.push({ 'app/manifests/note.yaml': '{"kind": "ConfigMap"' })
  const bad = await until('bad')
  t.equal(bad.commit, broken)
  t.match(bad.message, /manifests\/note\.yaml/)

  await rm(join(server.work, 'app'), { recursive: true })
  const empty = await server.push({ 'README.md': 'moved' })
  t.equal((await until('bad')).commit, empty)
  t.equal(await noteNow(), 'second', 'what was deployed stays')

  child.kill('SIGINT')
  const [code] = (await exited) as [number | null]
  t.equal(code, 0, stderr())
  t.equal(stdout().split(broken).length - 1, 2, 'a bad commit is noticed once and judged once')
})
