import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Pod } from '../../src/api/models.ts'
import { createInformer } from '../../src/client/informer.ts'
import { connectKubeconfig } from '../../src/client/kubeconfig.ts'
import { pods } from '../../src/client/resources.ts'
import { endOrphans, rememberProcess } from '../../src/node/process/orphans.ts'
import { script } from './start-host.ts'

const entry = fileURLToPath(new URL('../../bin/k3v.js', import.meta.url))

interface Command {
  readonly child: ChildProcess
  /** The line that says it is ready. */
  readonly ready: string
  ended(): Promise<readonly [number | null, string | null]>
}

async function startCommand(folder: string): Promise<Command> {
  const child = spawn(
    process.execPath,
    [
      entry,
      'host',
      '--data-dir',
      join(folder, 'data'),
      '--listen-port',
      '0',
      '--write-kubeconfig',
      join(folder, 'host.yaml'),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  let said = ''
  for await (const chunk of child.stderr) {
    said += chunk
    if (said.includes('export KUBECONFIG=')) break
  }
  return { child, ready: said, ended: () => exited }
}

/** The pid that the pod's program tells, once its container has started for the so-many-th time. */
async function runningPid(folder: string, restarts: number): Promise<number> {
  const { client } = await connectKubeconfig({ path: join(folder, 'host.yaml') })
  const informer = createInformer({ client, resource: pods })
  const running = Promise.withResolvers<Pod>()
  informer.on(({ current }) => {
    const [status] = current?.object.status?.containerStatuses ?? []
    if (current !== undefined && status?.state?.running !== undefined && status.restartCount >= restarts)
      running.resolve(current.object)
  })
  await running.promise
  await informer[Symbol.asyncDispose]()
  await client[Symbol.asyncDispose]()
  const [file = ''] = await readdir(join(folder, 'data/node/processes'))
  return Number(file.replace('.json', ''))
}

const isAlive = async (pid: number): Promise<boolean> => {
  try {
    process.kill(pid, 0)
    // A zombie waits for a parent that does not look.
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))
  } catch {
    return false
  }
}

async function untilDead(pid: number): Promise<void> {
  while (await isAlive(pid)) await new Promise((resolve) => setImmediate(resolve))
}

t.test('k3v host says where it is, and what it started ends with it, killed or asked', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-host-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const first = await startCommand(folder)
  t.match(
    first.ready,
    /^the embedded host is ready at https:\/\/127\.0\.0\.1:\d+ in \d+\.\d\d s; export KUBECONFIG=/,
  )
  const { client } = await connectKubeconfig({ path: join(folder, 'host.yaml') })
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'long', namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [script("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)")],
    },
  })
  await client[Symbol.asyncDispose]()
  const pid = await runningPid(folder, 0)
  t.ok(await isAlive(pid))
  first.child.kill('SIGKILL')
  await first.ended()
  await untilDead(pid)

  const second = await startCommand(folder)
  const next = await runningPid(folder, 1)
  t.ok(await isAlive(next))
  second.child.kill('SIGTERM')
  t.same(await second.ended(), [0, null])
  t.notOk(await isAlive(next))
})

t.test('endOrphans() ends a process that it knows, and none that took its number', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-orphans-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const start = () =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' })
  const [known, other] = [start(), start()]
  t.teardown(() => other.kill('SIGKILL'))
  await rememberProcess(folder, known.pid ?? 0)
  await writeFile(
    join(folder, `${other.pid}.json`),
    JSON.stringify({ pid: other.pid, started: 'another moment' }),
  )
  await writeFile(join(folder, 'broken.json'), '{')
  const ended = once(known, 'exit')
  t.same(await endOrphans(folder), [known.pid])
  t.same(await ended, [null, 'SIGKILL'])
  t.ok(await isAlive(other.pid ?? 0))
  t.same(await readdir(folder), [])
})
