import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { podCells, podColumns, podRowConditions } from '../../src/kinds/pods/pod-columns.ts'

const now = Date.parse('2026-01-01T01:00:00Z')

function cellsOf(fields: { spec?: object; status?: object; metadata?: object }) {
  const pod: KubeObject = {
    metadata: { name: 'a', creationTimestamp: '2026-01-01T00:00:00Z', ...(fields.metadata ?? {}) },
    spec: { containers: [{ name: 'c' }], ...fields.spec },
    status: { phase: 'Pending', ...fields.status },
  }
  const cells = podCells(pod, now)
  return Object.fromEntries(podColumns.map(({ name }, index) => [name, cells[index]]))
}

const container = (state: object, more: object = {}) => [{ name: 'c', state, ...more }]
const ready = [{ type: 'Ready', status: 'True' }]

const table: readonly (readonly [string, Parameters<typeof cellsOf>[0], object])[] = [
  [
    'that waits for a node',
    {},
    { Ready: '0/1', Status: 'Pending', Restarts: '0', Age: '60m', Node: '<none>' },
  ],
  [
    'that runs',
    {
      spec: { nodeName: 'n' },
      status: {
        phase: 'Running',
        podIPs: [{ ip: '10.0.0.1' }],
        containerStatuses: container({ running: {} }, { ready: true, restartCount: 0 }),
      },
    },
    { Ready: '1/1', Status: 'Running', IP: '10.0.0.1', Node: 'n' },
  ],
  [
    'that crashes',
    {
      status: {
        phase: 'Running',
        containerStatuses: container(
          { waiting: { reason: 'CrashLoopBackOff' } },
          { restartCount: 3, lastState: { terminated: { finishedAt: '2026-01-01T00:58:00Z' } } },
        ),
      },
    },
    { Ready: '0/1', Status: 'CrashLoopBackOff', Restarts: '3 (2m ago)' },
  ],
  [
    'that ended badly without a reason',
    { status: { phase: 'Failed', containerStatuses: container({ terminated: { exitCode: 3 } }) } },
    { Status: 'ExitCode:3' },
  ],
  [
    'that initialises',
    {
      spec: { initContainers: [{ name: 'i' }, { name: 'j' }] },
      status: { initContainerStatuses: [{ name: 'i', state: { running: {} } }] },
    },
    { Status: 'Init:0/2', Ready: '0/1' },
  ],
  [
    'with a sidecar',
    {
      spec: { initContainers: [{ name: 's', restartPolicy: 'Always' }] },
      status: {
        phase: 'Running',
        conditions: ready,
        initContainerStatuses: [{ name: 's', started: true, ready: true, state: { running: {} } }],
        containerStatuses: container({ running: {} }, { ready: true }),
      },
    },
    { Ready: '2/2', Status: 'Running' },
  ],
  ['that is deleted', { metadata: { deletionTimestamp: '2026-01-01T00:59:00Z' } }, { Status: 'Terminating' }],
  [
    'whose gates are closed',
    { status: { conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated' }] } },
    { Status: 'SchedulingGated' },
  ],
  [
    'with readiness gates',
    {
      spec: { readinessGates: [{ conditionType: 'a' }, { conditionType: 'b' }] },
      status: { conditions: [{ type: 'a', status: 'True' }] },
    },
    { 'Readiness Gates': '1/2' },
  ],
]

for (const [what, fields, expected] of table) {
  test(`the row of a pod ${what}`, async (t) => {
    t.match(cellsOf(fields), expected)
  })
}

test('a pod that is done has a row condition', async (t) => {
  t.match(podRowConditions({ metadata: {}, status: { phase: 'Succeeded' } }), [{ type: 'Completed' }])
  t.same(podRowConditions({ metadata: {}, status: { phase: 'Running' } }), [])
})
