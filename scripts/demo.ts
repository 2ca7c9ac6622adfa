// `npm run demo`: an app with its own API is packed, deployed by somebody without cluster rights, used, and removed.
// No pod in it is simulated: control plane, operator and web servers are processes of this machine.

import { systemClock } from '../src/platform/clock.ts'
import { CommandFailure, contentsOf, hostNamespace, readPage, type Stage, setStage } from './demo/stage.ts'
import { runSteps, type Step, StepFailure, type Taken } from './demo/steps.ts'

const release = 'guestbook'
const message = 'Hello from a virtual cluster'
const resource = 'guestbooks.demo.k3v.dev'

const guestbook = (name: string, replicas: number): string =>
  JSON.stringify({
    apiVersion: 'demo.k3v.dev/v1',
    kind: 'Guestbook',
    metadata: { name, namespace: 'guestbook' },
    spec: { title: 'Welcome', message, replicas },
  })

/** What the steps learn on their way. */
interface Play {
  stage?: Stage
  before: readonly string[]
  kubeconfig: string
  pids: Record<string, readonly number[]>
}

const play: Play = { before: [], kubeconfig: '', pids: {} }

function stageOf(): Stage {
  if (play.stage === undefined) throw new Error('the host has not started')
  return play.stage
}

const asUser = (args: readonly string[], signal: AbortSignal) =>
  stageOf().kubectl(stageOf().userKubeconfig, args, { signal })
const asAdmin = (args: readonly string[], signal: AbortSignal) =>
  stageOf().kubectl(stageOf().adminKubeconfig, args, { signal })
const inside = (args: readonly string[], signal: AbortSignal, input = '') =>
  stageOf().kubectl(play.kubeconfig, args, { signal, input })
const k3v = (args: readonly string[], signal: AbortSignal) => stageOf().k3v(args, signal)
const hostFlags = () => ['--kubeconfig', stageOf().userKubeconfig, '-n', hostNamespace]

const steps: readonly Step[] = [
  {
    name: 'start the embedded host',
    deadlineMs: 20_000,
    run: async () => {
      play.stage = await setStage()
      const isThere = async () => (await contentsOf(stageOf(), hostNamespace)).length === 3
      await until(isThere)
      play.before = await contentsOf(stageOf(), hostNamespace)
      return `a Kubernetes API and a node of processes, ${stageOf().host.url}`
    },
  },
  {
    name: 'the user has one namespaced role',
    deadlineMs: 15_000,
    run: async (signal) => {
      const mayPods = await can(['create', 'pods'], signal)
      const mayDefine = await can(['create', 'customresourcedefinitions'], signal)
      const mayGrant = await can(['create', 'clusterroles'], signal)
      check(
        mayPods && !mayDefine && !mayGrant,
        'the user has other rights than the role admin in one namespace',
      )
      return `admin of namespace ${hostNamespace}; may create pods there, no definitions, no cluster roles`
    },
  },
  {
    name: 'pack the app',
    deadlineMs: 40_000,
    run: async (signal) => {
      const source = new URL('../packages-registry/guestbook', import.meta.url).pathname
      const packed = JSON.parse(await k3v(['pack', source, '-o', archive(), '--json'], signal)) as {
        objects: number
        bytes: number
      }
      return `${packed.objects} objects proved on a real API, ${Math.round(packed.bytes / 1024)} KiB with its control plane`
    },
  },
  {
    name: 'deploy it',
    deadlineMs: 60_000,
    run: async (signal) => {
      const told = JSON.parse(
        await k3v(['deploy', archive(), ...hostFlags(), '--timeout', '55s', '--json'], signal),
      ) as {
        message: string
      }
      return told.message
    },
  },
  {
    name: 'reach its control plane',
    deadlineMs: 15_000,
    run: async (signal) => {
      play.kubeconfig = `${stageOf().folder}/virtual.yaml`
      await k3v(['kubeconfig', release, ...hostFlags(), '-o', play.kubeconfig], signal)
      await inside(['wait', `--for=condition=Ready`, `release/${release}`, '--timeout=10s'], signal)
      return (await inside(['get', 'releases', '--no-headers'], signal)).trim()
    },
  },
  {
    name: 'create a Guestbook',
    deadlineMs: 15_000,
    run: async (signal) => (await inside(['create', '-f', '-'], signal, guestbook('welcome', 2))).trim(),
  },
  {
    name: 'an invalid one is refused',
    deadlineMs: 15_000,
    run: async (signal) => {
      const said = await refusalOf(inside(['create', '-f', '-'], signal, guestbook('crowded', 99)))
      check(said.includes('spec.replicas'), `refused for another reason: ${said}`)
      return said
    },
  },
  {
    name: 'its web pods are ready',
    deadlineMs: 30_000,
    run: async (signal) => {
      await inside(
        ['-n', 'guestbook', 'wait', '--for=condition=Ready', `${resource}/welcome`, '--timeout=25s'],
        signal,
      )
      await replicasReady(2, signal)
      play.pids = pidsOf(stageOf())
      check(play.pids['web']?.length === 2, `not two web servers but ${play.pids['web']?.length}`)
      check(play.pids['plane']?.length === 1 && play.pids['operator']?.length === 1, 'a pod is no process')
      return `processes: ${Object.entries(play.pids)
        .map(([name, pids]) => `${name} ${pids.join(' ')}`)
        .join(', ')}`
    },
  },
  {
    name: 'read the page',
    deadlineMs: 15_000,
    run: async (signal) => {
      const address = await inside(
        ['-n', 'guestbook', 'get', 'service', 'welcome', '-o', 'jsonpath={.spec.clusterIP}'],
        signal,
      )
      const page = await readPage(stageOf(), { address, port: 80, signal })
      check(page.includes(message), `the page does not say ${JSON.stringify(message)}: ${page}`)
      return `http://${address}/ says ${JSON.stringify(message)}`
    },
  },
  {
    name: 'scale it',
    deadlineMs: 30_000,
    run: async (signal) => {
      await inside(['-n', 'guestbook', 'scale', `${resource}/welcome`, '--replicas=3'], signal)
      await replicasReady(3, signal)
      return '3 web pods are ready'
    },
  },
  {
    name: 'host and virtual cluster, side by side',
    deadlineMs: 20_000,
    run: async (signal) => {
      const names = (text: string) => text.split('\n').filter((line) => /guestbook/.test(line))
      const kinds = ['customresourcedefinitions', 'clusterroles', 'clusterrolebindings', 'namespaces']
      const lines: string[] = []
      for (const kind of kinds) {
        const onHost = names(await asAdmin(['get', kind, '-o', 'name'], signal))
        const within = names(await inside(['get', kind, '-o', 'name'], signal))
        check(onHost.length === 0, `the host has ${onHost.join(', ')}`)
        check(within.length > 0, `the virtual cluster has no ${kind} of the app`)
        lines.push(`${kind}: host 0, virtual ${within.length}`)
      }
      const onHost = (await asUser(['get', 'pods', '-o', 'name'], signal)).trim().split('\n')
      const within = (await inside(['get', 'pods', '-A', '-o', 'name'], signal)).trim().split('\n')
      check(onHost.length === within.length + 1, `pods: host ${onHost.length}, virtual ${within.length}`)
      return [
        ...lines,
        `pods: host ${onHost.length} (with the control plane), virtual ${within.length}`,
      ].join('; ')
    },
  },
  {
    name: 'delete the Guestbook',
    deadlineMs: 30_000,
    run: async (signal) => {
      await inside(['-n', 'guestbook', 'delete', `${resource}/welcome`, '--timeout=20s'], signal)
      await inside(
        [
          '-n',
          'guestbook',
          'wait',
          '--for=delete',
          'pods',
          '-l',
          'app.kubernetes.io/instance=welcome',
          '--timeout=25s',
        ],
        signal,
      )
      return 'its web pods are gone'
    },
  },
  {
    name: 'delete the release',
    deadlineMs: 40_000,
    run: async (signal) =>
      (await k3v(['delete', release, ...hostFlags(), '--timeout', '35s'], signal)).trim(),
  },
  {
    name: 'the host namespace is as it was',
    deadlineMs: 15_000,
    run: async () => {
      const isBack = async () => (await contentsOf(stageOf(), hostNamespace)).join() === play.before.join()
      await until(isBack).catch(async () => {
        const now = await contentsOf(stageOf(), hostNamespace)
        throw new Error(`it held ${play.before.join(', ')}; it holds ${now.join(', ')}`)
      })
      const left = stageOf().host.actor.processes()
      check(left.length === 0, `processes of pods are left: ${left.map(({ pid }) => pid).join(' ')}`)
      return `it holds ${play.before.join(', ')}, and nothing else`
    },
  },
]

const archive = (): string => `${stageOf().folder}/guestbook.tgz`

function check(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}

async function can(what: readonly string[], signal: AbortSignal): Promise<boolean> {
  const answer = await asUser(['auth', 'can-i', ...what, '-n', hostNamespace], signal).catch(
    (error: unknown) => {
      if (error instanceof CommandFailure) return 'no'
      throw error
    },
  )
  return answer.trim() === 'yes'
}

async function refusalOf(refused: Promise<string>): Promise<string> {
  const accepted = await refused.catch((error: unknown) => {
    if (error instanceof CommandFailure) return error
    throw error
  })
  if (accepted instanceof CommandFailure) return accepted.message.replace(/^kubectl: /, '')
  throw new Error(`it was taken: ${accepted}`)
}

async function replicasReady(count: number, signal: AbortSignal): Promise<void> {
  const path = `--for=jsonpath={.status.readyReplicas}=${count}`
  await inside(['-n', 'guestbook', 'wait', path, `${resource}/welcome`, '--timeout=25s'], signal)
}

/** By container: the plane's, the operator's, and each web server's. All must be alive. */
function pidsOf({ host }: Stage): Record<string, readonly number[]> {
  const found: Record<string, number[]> = {}
  for (const { container, pid } of host.actor.processes()) {
    process.kill(pid, 0)
    found[container] = [...(found[container] ?? []), pid]
  }
  return found
}

const untilMs = 10_000

/** Looks again and again; a step's own deadline ends what never comes. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = systemClock.monotonic() + untilMs
  while (!(await holds())) {
    if (systemClock.monotonic() > endMs) throw new Error(`not so within ${untilMs / 1000} s`)
    await systemClock.sleep(50)
  }
}

const isJson = process.argv.includes('--json')
const interrupted = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interrupted.abort(new Error(name)))

function show({ name, ms }: Taken, shown: string): void {
  if (isJson) return
  const text = shown
    .split('\n')
    .map((line) => `            ${line}`)
    .join('\n')
  process.stdout.write(`${(ms / 1000).toFixed(1).padStart(7)} s   ${name}\n${text}\n`)
}

const startMs = systemClock.monotonic()
try {
  const taken = await runSteps(steps, { signal: interrupted.signal, onDone: show })
  await play.stage?.[Symbol.asyncDispose]()
  const ms = Math.round(systemClock.monotonic() - startMs)
  if (isJson) process.stdout.write(`${JSON.stringify({ ok: true, steps: taken, ms, pids: play.pids })}\n`)
  else process.stdout.write(`${(ms / 1000).toFixed(1).padStart(7)} s   in all\n`)
} catch (error) {
  process.exitCode = 1
  const failure =
    error instanceof StepFailure ? error : new StepFailure('clean up', { taken: [], cause: error })
  process.stderr.write(`the demo failed at: ${failure.message}\n`)
  if (isJson) {
    const { step, taken } = failure
    process.stdout.write(
      `${JSON.stringify({ ok: false, failed: step, error: failure.message, steps: taken })}\n`,
    )
  }
  await leave()
}

async function leave(): Promise<void> {
  try {
    await play.stage?.[Symbol.asyncDispose]()
  } catch (error) {
    process.stderr.write(`cleaning up failed too: ${String(error)}\n`)
  }
}
