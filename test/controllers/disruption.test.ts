// Disruption budgets: what they allow, and evictions by the real kubectl and by raw requests that are held to it.

import { test } from 'tap'
import type { Pod, PodDisruptionBudget } from '../../src/api/models.ts'
import { ApiError } from '../../src/api/status.ts'
import { type AnyObject, subresourceOf } from '../../src/client/client.ts'
import { podDisruptionBudgets, pods } from '../../src/client/resources.ts'
import { budgetStatus, recheckInMs } from '../../src/controllers/lifecycle/disruption-status.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { simulatePods, until } from './simulate-pods.ts'

const nowMs = Date.UTC(2026, 0, 1)
const now = '2026-01-01T00:00:00Z'
const pod = (name: string, isReady = true): Pod => ({
  metadata: { name },
  status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
})
const budget = (
  spec: PodDisruptionBudget['spec'],
  status?: PodDisruptionBudget['status'],
): PodDisruptionBudget => ({
  metadata: { name: 'safe', generation: 2 },
  spec: spec ?? {},
  ...(status === undefined ? {} : { status }),
})

test('a budget counts what its pods and their owners say', (t) => {
  const three = [pod('a'), pod('b'), pod('c', false)]
  const cases = [
    { spec: { minAvailable: 1 }, scale: 0, allowed: 1, desired: 1, expected: 3 },
    { spec: { minAvailable: '50%' }, scale: 4, allowed: 0, desired: 2, expected: 4 },
    { spec: { maxUnavailable: 1 }, scale: 3, allowed: 0, desired: 2, expected: 3 },
    { spec: { maxUnavailable: '67%' }, scale: 3, allowed: 2, desired: 0, expected: 3 },
    { spec: {}, scale: 0, allowed: 0, desired: 0, expected: 0 },
  ]
  for (const { spec, scale, allowed, desired, expected } of cases) {
    const status = budgetStatus({ budget: budget(spec), pods: three, scale, nowMs, now })
    t.match(status, {
      disruptionsAllowed: allowed,
      desiredHealthy: desired,
      expectedPods: expected,
      currentHealthy: 2,
      observedGeneration: 2,
      conditions: [{ type: 'DisruptionAllowed', status: allowed > 0 ? 'True' : 'False' }],
    })
  }
  t.end()
})

test('a pod whose eviction was allowed does not count, until it stayed for two minutes', (t) => {
  const two = [pod('a'), pod('b')]
  const evicted = budget({ minAvailable: 1 }, { disruptedPods: { a: now, gone: now } })
  const soon = budgetStatus({ budget: evicted, pods: two, scale: 0, nowMs: nowMs + 1000, now })
  t.match(soon, { disruptionsAllowed: 0, currentHealthy: 1 })
  t.same(soon.disruptedPods, { a: now })
  t.equal(recheckInMs(soon, nowMs + 1000), 119_001)
  const late = budgetStatus({ budget: evicted, pods: two, scale: 0, nowMs: nowMs + 120_001, now })
  t.match(late, { disruptionsAllowed: 1, currentHealthy: 2 })
  t.equal(late.disruptedPods, undefined)
  t.equal(budgetStatus({ budget: budget({ minAvailable: 1 }, late), pods: two, scale: 0, nowMs, now }), late)
  t.end()
})

interface Eviction extends AnyObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly deleteOptions?: { readonly dryRun?: readonly string[] }
}
const evictions = subresourceOf<Eviction>(pods, 'eviction')

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: default }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: web }] }
`

test('evictions go as far as a budget allows, then get 429 with what it needs', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, ({ spec }) => spec?.nodeName !== 'full')
  const { ok, kubectl } = cluster
  await ok('apply -f -', web)
  await ok('rollout status deployment/web --timeout=20s')
  const made = await kubectl('create poddisruptionbudget web --selector=app=web --max-unavailable=1')
  t.notMatch(made.stderr, /Warning/)
  await until(client, podDisruptionBudgets, ([found]) => found?.status?.disruptionsAllowed === 1)
  t.match(await ok('get pdb web'), /web\s+N\/A\s+1\s+1/)
  const [first] = (await client.list(pods)).items
  const evict = (name: string, dryRun: readonly string[] = []) =>
    client.create(
      evictions,
      {
        apiVersion: 'policy/v1',
        kind: 'Eviction',
        metadata: { name, namespace: 'default' },
        deleteOptions: { dryRun },
      },
      { name, namespace: 'default' },
    )
  await evict(first?.metadata.name ?? '', ['All'])
  t.equal((await client.list(pods)).items.length, 2, 'a dry run evicts nobody')

  await ok('scale deployment/web --replicas=1')
  await until(client, pods, (all) => all.length === 1)
  await ok('patch pdb web --type=merge -p {"spec":{"maxUnavailable":null,"minAvailable":1}}')
  await until(
    client,
    podDisruptionBudgets,
    ([found]) => found?.status?.disruptionsAllowed === 0 && found.status.desiredHealthy === 1,
  )
  const [last] = (await client.list(pods)).items
  const name = last?.metadata.name ?? ''
  const refusal = await evict(name).catch((error: unknown) => error)
  t.ok(refusal instanceof ApiError)
  t.match((refusal as ApiError).status, {
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      causes: [
        {
          reason: 'DisruptionBudget',
          message: 'The disruption budget web needs 1 healthy pods and has 1 currently',
        },
      ],
    },
  })
  await ok('create poddisruptionbudget second --selector=app=web --min-available=0')
  const body = JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } })
  const many = await kubectl(`create --raw /api/v1/namespaces/default/pods/${name}/eviction -f -`, body)
  t.match(many.stdout + many.stderr, /more than one PodDisruptionBudget/)
  await ok('delete pdb second')
  await ok('delete pdb web')
  await ok(`create --raw /api/v1/namespaces/default/pods/${name}/eviction -f -`, body)
  await until(client, pods, ([found]) => found !== undefined && found.metadata.name !== name)
})

test('kubectl drain waits for a budget, and empties the node when it may', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok, kubectl } = cluster
  await ok('apply -f -', '{ apiVersion: v1, kind: Node, metadata: { name: one } }')
  await ok('apply -f -', web.replace('spec: { containers', 'spec: { nodeName: one, containers'))
  await ok('rollout status deployment/web --timeout=20s')
  await ok('create poddisruptionbudget web --selector=app=web --min-available=2')
  await until(client, podDisruptionBudgets, ([found]) => found?.status?.currentHealthy === 2)
  const held = await kubectl('drain one --timeout=1s')
  t.match(held.stderr, /Cannot evict pod as it would violate the pod's disruption budget/)
  const before = new Set((await client.list(pods)).items.map(({ metadata }) => metadata.uid))
  await ok('delete pdb web')
  t.match(await ok('drain one --timeout=20s'), /node\/one drained/)
  t.ok((await client.list(pods)).items.every(({ metadata }) => !before.has(metadata.uid)))
})
