import { test } from 'tap'
import type { Deployment, ReplicaSet } from '../../src/api/models.ts'
import {
  newSet,
  resizedSet,
  setsToForget,
  sortSets,
} from '../../src/controllers/workloads/deployment-sets.ts'
import {
  fencesOf,
  planRecreate,
  planRolling,
  planScaling,
  type Sets,
} from '../../src/controllers/workloads/rollout.ts'

const template = (image: string) => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'web', image }] },
})

function deployment(
  replicas: number,
  strategy: NonNullable<Deployment['spec']>['strategy'] = {},
): Deployment {
  return {
    metadata: { name: 'web', namespace: 'a', uid: 'd' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template('v2'), strategy },
  }
}

function set(
  name: string,
  size: number,
  available = size,
  extra: Partial<ReplicaSet['metadata']> = {},
): ReplicaSet {
  return {
    metadata: {
      name,
      namespace: 'a',
      uid: name,
      creationTimestamp: `2026-01-01T00:00:0${name.slice(-1)}Z`,
      ...extra,
    },
    spec: { replicas: size, selector: {}, template: template('v1') },
    status: { replicas: size, availableReplicas: available },
  }
}

const shown = (plan: ReturnType<typeof planRolling>) => plan.map(({ set, to }) => [set.metadata.name, to])
const limits = (maxSurge: number | string, maxUnavailable: number | string) => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
})

test('fencesOf() rounds surge up and unavailability down, and never lets both be zero', (t) => {
  t.same(fencesOf(deployment(10, limits('25%', '25%'))), { surge: 3, unavailable: 2 })
  t.same(fencesOf(deployment(1, limits('25%', '25%'))), { surge: 1, unavailable: 0 })
  t.same(fencesOf(deployment(3, limits(0, '10%'))), { surge: 0, unavailable: 1 })
  t.end()
})

const rolling: [string, Deployment, Sets, unknown][] = [
  [
    'the current set grows as far as the surge allows',
    deployment(4, limits(1, 1)),
    { current: set('n9', 0), old: [set('o1', 4)] },
    [['n9', 1]],
  ],
  [
    'old sets shrink while enough pods are available',
    deployment(4, limits(1, 1)),
    { current: set('n9', 1, 1), old: [set('o1', 4)] },
    [['o1', 2]],
  ],
  [
    'a current pod that is not available yet is not counted on',
    deployment(4, limits(1, 1)),
    { current: set('n9', 1, 0), old: [set('o1', 4)] },
    [['o1', 3]],
  ],
  [
    'without unavailability old pods wait for new ones',
    deployment(2, limits(1, 0)),
    { current: set('n9', 1, 0), old: [set('o1', 2)] },
    [],
  ],
  [
    'old pods that serve nobody go first',
    deployment(4, limits(1, 1)),
    { current: set('n9', 1, 1), old: [set('o1', 2, 2), set('o2', 2, 0)] },
    [['o2', 0]],
  ],
  [
    'a current set that is too large shrinks',
    deployment(2, limits(1, 0)),
    { current: set('n9', 5), old: [] },
    [['n9', 2]],
  ],
  ['nothing is left to do', deployment(2, limits(1, 0)), { current: set('n9', 2), old: [set('o1', 0)] }, []],
]
for (const [name, wanted, sets, expected] of rolling) {
  test(`planRolling(): ${name}`, (t) => {
    t.same(shown(planRolling(wanted, sets)), expected)
    t.end()
  })
}

test('planRecreate() empties old sets before the current one grows', (t) => {
  const recreate = deployment(3, { type: 'Recreate' })
  t.same(shown(planRecreate(recreate, { current: set('n9', 0), old: [set('o1', 3)] })), [['o1', 0]])
  t.same(shown(planRecreate(recreate, { current: set('n9', 0), old: [set('o1', 0)] })), [['n9', 3]])
  t.end()
})

test('planScaling() shares a new size in proportion and gives the rest to the largest', (t) => {
  const sized = {
    annotations: {
      'deployment.kubernetes.io/max-replicas': '13',
      'deployment.kubernetes.io/desired-replicas': '10',
    },
  }
  const sets = { current: set('n9', 5, 3, sized), old: [set('o1', 8, 8, sized)] }
  const plan = planScaling(deployment(15, limits(3, 2)), sets)
  t.same(shown(plan), [
    ['o1', 11],
    ['n9', 7],
  ])
  t.equal(
    plan.reduce((total, { to }) => total + to, 0),
    18,
  )
  t.end()
})

test('planScaling() sizes the only active set to what is wanted', (t) => {
  t.same(shown(planScaling(deployment(5), { current: set('n9', 2), old: [set('o1', 0)] })), [['n9', 5]])
  t.end()
})

test('sortSets() finds the set with the same template, whatever its hash label and the order of its fields', (t) => {
  const wanted = deployment(1)
  const made = newSet(wanted, { current: undefined, old: [] })
  const { current, old } = sortSets(wanted, [set('o1', 1), made])
  t.equal(current, made)
  t.same(
    old.map(({ metadata }) => metadata.name),
    ['o1'],
  )
  t.match(made.metadata.name, /^web-[bcdfghjklmnpqrstvwxz2456789]+$/)
  t.equal(made.spec?.selector.matchLabels?.['pod-template-hash'], made.metadata.labels?.['pod-template-hash'])
  t.equal(made.metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  t.end()
})

test('a new set takes another name after a collision', (t) => {
  const wanted = deployment(1)
  const first = newSet(wanted, { current: undefined, old: [] })
  const second = newSet({ ...wanted, status: { collisionCount: 1 } }, { current: undefined, old: [] })
  t.not(first.metadata.name, second.metadata.name)
  t.end()
})

test('resizedSet() is the same object when size and annotations are right already', (t) => {
  const wanted = deployment(2)
  const sized = resizedSet(wanted, set('n9', 2), 2)
  t.equal(resizedSet(wanted, sized, 2), sized)
  t.end()
})

test('setsToForget() spares sets with pods and the newest of the history', (t) => {
  const withRevision = (name: string, revision: number, size = 0) =>
    set(name, size, size, { annotations: { 'deployment.kubernetes.io/revision': String(revision) } })
  const old = [withRevision('o1', 3), withRevision('o2', 1, 1), withRevision('o3', 2)]
  const limited = deployment(1)
  const forget = setsToForget(
    { ...limited, spec: { selector: {}, template: {}, ...limited.spec, revisionHistoryLimit: 1 } },
    { current: undefined, old },
  )
  t.same(
    forget.map(({ metadata }) => metadata.name),
    ['o3'],
  )
  t.end()
})
