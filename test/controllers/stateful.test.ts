import { test } from 'tap'
import type { Pod, StatefulSet } from '../../src/api/models.ts'
import { planRevision, templateOf } from '../../src/controllers/workloads/revisions.ts'
import {
  claimOwners,
  claimsOf,
  statefulPod,
  statefulSetKind,
} from '../../src/controllers/workloads/stateful-identity.ts'
import { planStateful } from '../../src/controllers/workloads/stateful-plan.ts'

const template = { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'db', image: 'v2' }] } }

function stateful(spec: Partial<NonNullable<StatefulSet['spec']>> = {}): StatefulSet {
  const selector = { matchLabels: { app: 'db' } }
  return {
    metadata: { name: 'db', namespace: 'a', uid: 'set' },
    spec: { replicas: 3, serviceName: 'db', selector, template, ...spec },
    status: { replicas: 0 },
  }
}

function pod(
  ordinal: number,
  look: { revision?: string; phase?: string; isReady?: boolean; isDeleting?: boolean } = {},
): Pod {
  const { revision = 'new', phase = 'Running', isReady = true, isDeleting = false } = look
  return {
    metadata: {
      name: `db-${ordinal}`,
      uid: `u${ordinal}`,
      labels: { 'controller-revision-hash': revision },
      ...(isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status: { phase, conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  }
}

const shown = (set: StatefulSet, pods: readonly Pod[]) =>
  planStateful({ set, pods, current: { name: 'old', template }, update: { name: 'new', template }, nowMs: 0 })
    .filter((action) => action.type !== 'claims')
    .map((action) =>
      action.type === 'create'
        ? `+${action.ordinal} ${action.revision.name}`
        : action.type === 'delete'
          ? `-${action.pod.metadata.name}`
          : '',
    )

const parallel = { podManagementPolicy: 'Parallel' }
const partition = (first: number) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: first } },
})
const old = { revision: 'old' }

const cases: [string, StatefulSet, Pod[], string[]][] = [
  ['pods come one after the other', stateful(partition(0)), [], ['+0 new']],
  ['the next one waits until the last is up', stateful(partition(0)), [pod(0, { isReady: false })], []],
  ['a gap is filled before anything else', stateful(partition(0)), [pod(0), pod(2)], ['+1 new']],
  [
    'in parallel all come at once',
    stateful({ ...parallel, ...partition(0) }),
    [],
    ['+0 new', '+1 new', '+2 new'],
  ],
  [
    'a finished pod is removed to come back',
    stateful(partition(0)),
    [pod(0, { phase: 'Failed' }), pod(1), pod(2)],
    ['-db-0'],
  ],
  [
    'what is too much goes from the end',
    stateful({ replicas: 1, ...partition(0) }),
    [pod(0), pod(1), pod(2)],
    ['-db-2'],
  ],
  [
    'one removal waits for the one before',
    stateful({ replicas: 1, ...partition(0) }),
    [pod(0), pod(1), pod(2, { isDeleting: true })],
    [],
  ],
  ['an update begins at the end', stateful(partition(0)), [pod(0, old), pod(1, old), pod(2, old)], ['-db-2']],
  [
    'an update waits for the pod it replaced',
    stateful(partition(0)),
    [pod(0, old), pod(1, old), pod(2, { isReady: false })],
    [],
  ],
  ['an update stops at its partition', stateful(partition(2)), [pod(0, old), pod(1, old), pod(2)], []],
  [
    'below the partition a pod comes back as it was',
    stateful(partition(2)),
    [pod(1, old), pod(2)],
    ['+0 old'],
  ],
  [
    'on delete nothing is replaced',
    stateful({ updateStrategy: { type: 'OnDelete' } }),
    [pod(0, old), pod(1, old), pod(2, old)],
    [],
  ],
  [
    'ordinals may start elsewhere',
    stateful({ replicas: 1, ordinals: { start: 5 }, ...partition(0) }),
    [],
    ['+5 new'],
  ],
]
for (const [name, set, pods, expected] of cases) {
  test(`planStateful(): ${name}`, (t) => {
    t.same(shown(set, pods), expected)
    t.end()
  })
}

test('planStateful() replaces as many pods at once as may be unavailable', (t) => {
  const set = stateful({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } },
  })
  t.same(shown(set, [pod(0, old), pod(1, old), pod(2, old)]), ['-db-2', '-db-1'])
  t.end()
})

test('a stateful pod has its name, its host name and its claims', (t) => {
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: {} }]
  const made = statefulPod(stateful({ volumeClaimTemplates }), { name: 'db-abc', template }, 1)
  t.match(made, {
    metadata: {
      name: 'db-1',
      labels: {
        app: 'db',
        'controller-revision-hash': 'db-abc',
        'statefulset.kubernetes.io/pod-name': 'db-1',
        'apps.kubernetes.io/pod-index': '1',
      },
    },
    spec: {
      hostname: 'db-1',
      subdomain: 'db',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } }],
    },
  })
  t.match(claimsOf(stateful({ volumeClaimTemplates }), 1), [
    { metadata: { name: 'data-db-1', labels: { app: 'db' } } },
  ])
  t.end()
})

test('claims belong to the set or the pod as the retention policy says', (t) => {
  const policy = (whenDeleted: string, whenScaled: string) =>
    stateful({ persistentVolumeClaimRetentionPolicy: { whenDeleted, whenScaled } })
  const owners = (set: StatefulSet, ordinal: number) =>
    claimOwners([], { set, ordinal, pod: pod(ordinal) }).map(({ uid }) => uid)
  t.same(owners(policy('Retain', 'Retain'), 0), [])
  t.same(owners(policy('Delete', 'Retain'), 7), ['set'])
  t.same(owners(policy('Retain', 'Delete'), 0), [])
  t.same(owners(policy('Delete', 'Delete'), 7), ['u7'])
  t.end()
})

test('planRevision() makes one for a new template and raises the one that it went back to', (t) => {
  const first = planRevision(stateful(), statefulSetKind, [])
  t.equal(first.change, 'create')
  t.same(templateOf(first.update), template)
  t.equal(planRevision(stateful(), statefulSetKind, [first.update]).change, 'none')
  const other = stateful({ template: { ...template, spec: { containers: [{ name: 'db', image: 'v3' }] } } })
  const second = planRevision(other, statefulSetKind, [first.update])
  t.equal(second.update.revision, 2)
  const back = planRevision(stateful(), statefulSetKind, [first.update, second.update])
  t.match(back, { change: 'raise', update: { revision: 3, metadata: { name: first.update.metadata.name } } })
  t.end()
})
