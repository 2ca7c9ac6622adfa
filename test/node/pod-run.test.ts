import t from 'tap'
import type { Container, Pod } from '../../src/api/models.ts'
import type { Client } from '../../src/client/client.ts'
import { ContainerRun } from '../../src/node/pods/container-run.ts'
import { CrashLoop } from '../../src/node/pods/crash-loop.ts'
import { type Instance, simulate } from '../../src/node/pods/instance.ts'
import { PodRun } from '../../src/node/pods/pod-run.ts'
import { Prober } from '../../src/node/pods/prober.ts'
import type { Exit } from '../../src/node/process/process.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'

/** A program that a test ends by hand; it notes the signals that it gets. */
interface Puppet extends Instance {
  readonly signals: string[]
  end(exitCode: number): void
}

function puppet({ isDeaf = false } = {}): Puppet {
  const ended = Promise.withResolvers<Exit>()
  const signals: string[] = []
  const end = (exitCode: number): void => ended.resolve({ exitCode, signal: undefined })
  return {
    isSimulated: true,
    exited: ended.promise,
    signals,
    end,
    signal: (name) => {
      signals.push(name)
      if (name === 'SIGKILL') end(137)
      else if (!isDeaf) end(0)
    },
    exec: async () => 0,
  }
}

interface Stage {
  readonly clock: FakeClock
  readonly puppets: Puppet[]
  readonly run: PodRun
  readonly deleted: unknown[]
  /** Lets the pod look again, as the loop would. */
  look(change?: Partial<Pod['metadata']>): Promise<number | undefined>
  status(): Pod['status']
}

function stage(
  spec: Partial<Pod['spec']>,
  { status, make = puppet }: { status?: Pod['status']; make?: () => Puppet } = {},
): Stage {
  const clock = new FakeClock()
  const puppets: Puppet[] = []
  const deleted: unknown[] = []
  let pod: Pod = {
    metadata: { name: 'p', namespace: 'default', uid: 'u', generation: 1 },
    spec: { restartPolicy: 'Always', containers: [{ name: 'main', image: 'node' }], ...spec },
    ...(status === undefined ? {} : { status }),
  }
  const client = {
    updateStatus: async (_resource: unknown, next: Pod) => {
      pod = JSON.parse(JSON.stringify(next)) as Pod
      return pod
    },
    delete: async (
      _resource: unknown,
      target: unknown,
      options: { gracePeriodSeconds: number; preconditions: unknown },
    ) => {
      deleted.push({
        target,
        gracePeriodSeconds: options.gracePeriodSeconds,
        preconditions: options.preconditions,
      })
    },
  } as unknown as Client
  const runOf = (container: Container): ContainerRun =>
    new ContainerRun({
      container,
      podIP: '10.244.0.2',
      network: { route: () => ({ host: '', port: 0 }), dial: async () => Promise.reject(new Error('no')) },
      clock,
      random: seededRandom(1),
      graceMs: 30_000,
      launch: async () => {
        const one = make()
        puppets.push(one)
        return one
      },
      lastWords: async () => undefined,
      wake: () => undefined,
      tell: () => undefined,
    })
  const run = new PodRun({
    pod,
    podIP: '10.244.0.2',
    hostIP: '10.240.0.1',
    client,
    clock,
    runOf,
    prepare: async () => undefined,
    renewAtMs: () => undefined,
    tell: () => undefined,
  })
  return {
    clock,
    puppets,
    run,
    deleted,
    look: async (change = {}) => {
      await clock.advance(0)
      pod = { ...pod, metadata: { ...pod.metadata, ...change } }
      const turn = await run.sync(pod, { signal: new AbortController().signal })
      await clock.advance(0)
      return turn.requeueAfterMs
    },
    status: () => pod.status,
  }
}

t.test(
  'restarts wait not at all, then 10 s, doubling to five minutes, and begin anew after a long quiet run',
  async (t) => {
    const loop = new CrashLoop()
    const waits: number[] = []
    let nowMs = 1_000_000
    for (let restart = 0; restart < 8; restart += 1) {
      const waitMs = loop.waitMs({ endedMs: nowMs, nowMs })
      waits.push(waitMs)
      if (waitMs > 0) t.equal(loop.waitMs({ endedMs: nowMs, nowMs: nowMs + waitMs }), 0)
      nowMs += waitMs
    }
    t.same(waits, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
    nowMs += 700_000
    t.equal(loop.waitMs({ endedMs: nowMs, nowMs }), 0)
    t.equal(loop.waitMs({ endedMs: nowMs, nowMs }), 10_000)
  },
)

t.test('a container that ends is started again after its pause', async (t) => {
  const s = stage({})
  await s.look()
  t.equal(s.status()?.phase, 'Running')
  s.puppets[0]?.end(1)
  t.equal(await s.look(), undefined)
  t.equal(s.puppets.length, 2)
  s.puppets[1]?.end(1)
  t.equal(await s.look(), 10_000)
  t.equal(s.status()?.containerStatuses?.[0]?.state?.waiting?.reason, 'CrashLoopBackOff')
  t.equal(s.puppets.length, 2)
  await s.clock.advance(10_000)
  await s.look()
  t.equal(s.puppets.length, 3)
  t.equal(s.status()?.containerStatuses?.[0]?.restartCount, 2)
})

t.test('phases follow the restart policy', async (t) => {
  const cases = [
    { restartPolicy: 'Never', exitCode: 0, phase: 'Succeeded', runs: 1 },
    { restartPolicy: 'Never', exitCode: 2, phase: 'Failed', runs: 1 },
    { restartPolicy: 'OnFailure', exitCode: 0, phase: 'Succeeded', runs: 1 },
    { restartPolicy: 'OnFailure', exitCode: 2, phase: 'Running', runs: 2 },
    { restartPolicy: 'Always', exitCode: 0, phase: 'Running', runs: 2 },
  ]
  for (const { restartPolicy, exitCode, phase, runs } of cases) {
    const s = stage({ restartPolicy })
    await s.look()
    s.puppets[0]?.end(exitCode)
    await s.look()
    t.equal(s.status()?.phase, phase, `${restartPolicy} ${exitCode}`)
    t.equal(s.puppets.length, runs, `${restartPolicy} ${exitCode}`)
  }
})

t.test('a deleted pod is asked, then killed when its time is over, and removed with its UID', async (t) => {
  const s = stage({}, { make: () => puppet({ isDeaf: true }) })
  await s.look()
  const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 }
  await s.look(deletion)
  t.same(s.puppets[0]?.signals, ['SIGTERM'])
  t.same(s.deleted, [])
  await s.clock.advance(5_000)
  t.same(s.puppets[0]?.signals, ['SIGTERM', 'SIGKILL'])
  await s.look(deletion)
  t.equal(s.status()?.phase, 'Failed')
  t.equal(s.status()?.containerStatuses?.[0]?.state?.terminated?.exitCode, 137)
  t.same(s.deleted, [
    { target: { name: 'p', namespace: 'default' }, gracePeriodSeconds: 0, preconditions: { uid: 'u' } },
  ])
})

t.test('a second, shorter deletion shortens the wait', async (t) => {
  const s = stage({}, { make: () => puppet({ isDeaf: true }) })
  await s.look()
  await s.look({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 60 })
  await s.look({ deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 1 })
  await s.clock.advance(1_000)
  t.same(s.puppets[0]?.signals, ['SIGTERM', 'SIGKILL'])
})

t.test('a pod that outlives its deadline fails as a whole', async (t) => {
  const s = stage({ activeDeadlineSeconds: 60 })
  t.equal(await s.look(), 60_000)
  await s.clock.advance(60_000)
  await s.look()
  t.equal(s.status()?.phase, 'Failed')
  t.equal(s.status()?.reason, 'DeadlineExceeded')
  t.same(s.puppets[0]?.signals, ['SIGTERM'])
})

t.test(
  'a pod that ran under an earlier host is started again, or has failed when it may not be',
  async (t) => {
    const status = {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'main',
          image: 'node',
          imageID: '',
          ready: true,
          restartCount: 3,
          state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
        },
      ],
    }
    const again = stage({}, { status })
    await again.look()
    t.equal(again.status()?.containerStatuses?.[0]?.restartCount, 4)
    t.match(again.status()?.containerStatuses?.[0]?.lastState?.terminated, { exitCode: 137 })
    const never = stage({ restartPolicy: 'Never' }, { status })
    await never.look()
    t.equal(never.puppets.length, 0)
    t.equal(never.status()?.phase, 'Failed')
  },
)

t.test('a pod is ready when its gates say so too', async (t) => {
  const gate = { conditionType: 'example.com/gate' }
  const s = stage({ readinessGates: [gate] })
  await s.look()
  const ready = s.status()?.conditions?.find(({ type }) => type === 'Ready')
  t.match(ready, {
    status: 'False',
    reason: 'ReadinessGatesNotReady',
    message: 'corresponding condition of pod readiness gate "example.com/gate" does not exist.',
  })
  t.equal(s.status()?.conditions?.find(({ type }) => type === 'ContainersReady')?.status, 'True')
})

t.test('a probe changes its mind only after as many answers as its thresholds say', async (t) => {
  const clock = new FakeClock()
  let isWell = false
  const results: boolean[] = []
  const prober = new Prober({
    probe: { initialDelaySeconds: 5, periodSeconds: 2, failureThreshold: 3, successThreshold: 2 },
    check: async () => (isWell ? undefined : 'not yet'),
    onResult: (isSuccess) => void results.push(isSuccess),
    onFailure: () => undefined,
    clock,
  })
  await clock.advance(4_999)
  t.same(results, [])
  await clock.advance(1 + 2_000)
  t.same(results, [])
  await clock.advance(2_000)
  t.same(results, [false])
  isWell = true
  await clock.advance(2_000)
  t.same(results, [false])
  prober.poke()
  await clock.advance(0)
  t.same(results, [false, true])
  prober.stop()
  t.equal(clock.pendingTimers, 0)
})

t.test('a probe that gets no answer in time has failed', async (t) => {
  const clock = new FakeClock()
  const failures: string[] = []
  const prober = new Prober({
    probe: { timeoutSeconds: 1 },
    check: ({ signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    onResult: () => undefined,
    onFailure: (reason) => void failures.push(reason),
    clock,
  })
  await clock.advance(1_000)
  t.same(failures, ['no answer within 1s'])
  prober.stop()
})

t.test('simulate() runs until it is stopped, or has ended already', async (t) => {
  t.same(await simulate({ endsAtOnce: true }).exited, { exitCode: 0, signal: undefined })
  const instance = simulate({ endsAtOnce: false })
  instance.signal('SIGTERM')
  t.same(await instance.exited, { exitCode: 0, signal: undefined })
})
