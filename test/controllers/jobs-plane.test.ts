// Jobs on a real plane, driven by the real kubectl; pods end at once, as the test says.

import { test } from 'tap'
import type { Job, Pod } from '../../src/api/models.ts'
import { events, jobs, pods } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { MovedClock } from './moved-clock.ts'
import { simulatePods, until } from './simulate-pods.ts'

const job = (spec: string, policy = 'Never') => `
apiVersion: batch/v1
kind: Job
metadata: { name: work, namespace: default }
spec:
${spec}
  template:
    spec: { restartPolicy: ${policy}, containers: [{ name: work, image: work }] }
`
const has = (found: Job | undefined, type: string) =>
  found?.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true
const indexOf = ({ metadata }: Pod) =>
  Number(metadata.annotations?.['batch.kubernetes.io/job-completion-index'])

test('kubectl creates a job, waits for it, and finds its pods counted and let go', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 0 })
  const { ok } = cluster
  const { stderr } = await cluster.kubectl('create job once --image=work -- work')
  t.notMatch(stderr, /Warning/)
  await ok('wait --for=condition=complete job/once --timeout=20s')
  t.match(await ok('get job once'), /once\s+Complete\s+1\/1/)
  await ok('apply -f -', job('  completions: 5\n  parallelism: 2'))
  await ok('wait --for=condition=complete job/work --timeout=20s')
  const found = await client.get(jobs, { namespace: 'default', name: 'work' })
  t.match(found?.status, { succeeded: 5, ready: 0, uncountedTerminatedPods: {} })
  t.same(
    found?.status?.conditions?.map(({ type, reason }) => [type, reason]),
    [
      ['SuccessCriteriaMet', 'CompletionsReached'],
      ['Complete', 'CompletionsReached'],
    ],
  )
  t.type(found?.status?.completionTime, 'string')
  const { items } = await client.list(pods)
  t.equal(items.length, 6)
  t.ok(items.every(({ metadata }) => metadata.finalizers === undefined))
  await until(client, events, (all) =>
    ['SuccessfulCreate', 'Completed'].every((reason) => all.some((one) => one.reason === reason)),
  )
  await ok('delete job work once --timeout=20s')
  await until(client, pods, (all) => all.length === 0)
})

test('an indexed job runs every index once, with its number in the pod', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 0 })
  await cluster.ok('apply -f -', job('  completions: 4\n  parallelism: 3\n  completionMode: Indexed'))
  await cluster.ok('wait --for=condition=complete job/work --timeout=20s')
  const found = await client.get(jobs, { namespace: 'default', name: 'work' })
  t.match(found?.status, { succeeded: 4, completedIndexes: '0-3' })
  const { items } = await client.list(pods)
  t.same(items.map(indexOf).sort(), [0, 1, 2, 3])
  const second = items.find((pod) => indexOf(pod) === 1)
  t.match(second?.metadata.name, /^work-1-[a-z0-9]{5}$/)
  t.equal(second?.spec?.hostname, 'work-1')
  t.match(second?.spec?.containers[0]?.env, [
    {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
    },
  ])
})

test('a success policy ends a job early, and the pods that still run are removed', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const exitCode = (pod: Pod) => (indexOf(pod) === 0 ? 0 : undefined)
  await using _nodes = simulatePods(client, undefined, { exitCode })
  const policy = '  successPolicy: { rules: [{ succeededIndexes: "0" }] }'
  await cluster.ok(
    'apply -f -',
    job(`  completions: 3\n  parallelism: 3\n  completionMode: Indexed\n${policy}`),
  )
  await cluster.ok('wait --for=condition=complete job/work --timeout=20s')
  const found = await client.get(jobs, { namespace: 'default', name: 'work' })
  t.match(found?.status, { succeeded: 1, completedIndexes: '0' })
  t.match(found?.status?.conditions?.at(-1), { type: 'Complete', reason: 'SuccessPolicy' })
  t.equal(found?.status?.active ?? 0, 0)
})

test('failed pods are replaced after a growing pause, until the backoff limit fails the job', async (t) => {
  await using clock = new MovedClock()
  await using cluster = await startTestPlane({ clock })
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 1, clock })
  await cluster.ok('apply -f -', job('  backoffLimit: 2'))
  const failed = (count: number) =>
    until(client, jobs, ([found]) => found?.status?.failed === count && (found.status.active ?? 0) === 0)
  await failed(1)
  t.equal((await client.list(pods)).items.length, 1, 'nothing is made before its time')
  await clock.advance(10_000)
  await failed(2)
  await clock.advance(10_000)
  t.equal((await client.list(pods)).items.length, 2, 'the second pause is longer')
  await clock.advance(10_000)
  const [found] = await until(client, jobs, ([one]) => has(one, 'Failed'))
  t.match(found?.status, { failed: 3 })
  t.same(
    found?.status?.conditions?.map(({ type }) => type),
    ['FailureTarget', 'Failed'],
  )
  t.match(found?.status?.conditions?.[1], {
    reason: 'BackoffLimitExceeded',
    message: 'Job has reached the specified backoff limit',
  })
})

test('a pod failure policy fails a job at once, ignores, or counts, by exit code', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 42 })
  const rule = '{ action: FailJob, onExitCodes: { operator: In, values: [42] } }'
  await cluster.ok('apply -f -', job(`  backoffLimit: 6\n  podFailurePolicy: { rules: [${rule}] }`))
  await cluster.ok('wait --for=condition=failed job/work --timeout=20s')
  const found = await client.get(jobs, { namespace: 'default', name: 'work' })
  t.match(found?.status?.conditions?.at(-1), {
    reason: 'PodFailurePolicy',
    message:
      /^Container work for pod default\/work-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  })
})

test('a limit for each index lets the others go on', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const exitCode = (pod: Pod) => (indexOf(pod) === 1 ? 1 : 0)
  await using _nodes = simulatePods(client, undefined, { exitCode })
  await cluster.ok(
    'apply -f -',
    job('  completions: 3\n  parallelism: 3\n  completionMode: Indexed\n  backoffLimitPerIndex: 0'),
  )
  await cluster.ok('wait --for=condition=failed job/work --timeout=20s')
  const found = await client.get(jobs, { namespace: 'default', name: 'work' })
  t.match(found?.status, { succeeded: 2, failed: 1, completedIndexes: '0,2', failedIndexes: '1' })
  t.match(found?.status?.conditions?.at(-1), { reason: 'FailedIndexes' })
})

test('a suspended job has no pods, and its deadline counts from the time that it goes on', async (t) => {
  await using clock = new MovedClock()
  await using cluster = await startTestPlane({ clock })
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { clock })
  const { ok } = cluster
  await ok('apply -f -', job('  suspend: true\n  activeDeadlineSeconds: 60'))
  const [suspended] = await until(client, jobs, ([found]) => has(found, 'Suspended'))
  t.equal(suspended?.status?.startTime, undefined)
  await clock.advance(120_000)
  await ok(`patch job work -p '{"spec":{"suspend":false}}'`)
  await until(client, jobs, ([found]) => found?.status?.ready === 1)
  await ok(`patch job work -p '{"spec":{"suspend":true}}'`)
  await until(client, pods, (all) => all.length === 0)
  await until(client, jobs, ([found]) => has(found, 'Suspended') && (found?.status?.active ?? 0) === 0)
  await ok(`patch job work -p '{"spec":{"suspend":false}}'`)
  await until(client, jobs, ([found]) => found?.status?.ready === 1)
  await clock.advance(60_000)
  const [failed] = await until(client, jobs, ([found]) => has(found, 'Failed'))
  t.match(failed?.status?.conditions?.at(-1), { reason: 'DeadlineExceeded' })
  await until(client, pods, (all) => all.length === 0)
})

test('a finished job is removed with its pods when its time to live is over', async (t) => {
  await using clock = new MovedClock()
  await using cluster = await startTestPlane({ clock })
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 0, clock })
  await cluster.ok('apply -f -', job('  ttlSecondsAfterFinished: 30'))
  await until(client, jobs, ([found]) => has(found, 'Complete'))
  await clock.advance(29_000)
  t.equal((await client.list(jobs)).items.length, 1)
  await clock.advance(2_000)
  await until(client, jobs, (all) => all.length === 0)
  await until(client, pods, (all) => all.length === 0)
})
