import { test } from 'tap'
import type { Pod } from '../../src/api/models.ts'
import { burstMax, firstToGo, planReplicas } from '../../src/controllers/workloads/replica-plan.ts'
import { slowStart } from '../../src/controllers/workloads/slow-start.ts'

const nowMs = Date.UTC(2026, 0, 2)

type Look = {
  node?: string
  phase?: string
  readySince?: string
  cost?: string
  restarts?: number
  created?: string
}

function pod(name: string, look: Look = {}): Pod {
  const { node = 'n', phase = 'Running', readySince = '2026-01-01T00:00:00Z', cost, restarts = 0 } = look
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: look.created ?? '2026-01-01T00:00:00Z',
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      ...(readySince === ''
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }] }),
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  }
}

const order: [string, Pod, Pod][] = [
  ['a pod without a node', pod('b', { node: '' }), pod('a')],
  ['a pending pod', pod('b', { phase: 'Pending' }), pod('a')],
  ['a pod that is not ready', pod('b', { readySince: '' }), pod('a')],
  ['a pod that costs less', pod('b', { cost: '-5' }), pod('a', { cost: '3' })],
  ['a pod that was ready for less time', pod('b', { readySince: '2026-01-01T23:59:50Z' }), pod('a')],
  ['a pod that restarted more often', pod('b', { restarts: 4 }), pod('a')],
  ['a younger pod', pod('b', { created: '2026-01-01T23:59:50Z' }), pod('a')],
]
for (const [name, first, second] of order) {
  test(`firstToGo(): ${name} goes first`, (t) => {
    const names = firstToGo([second, first], [first, second], nowMs).map(({ metadata }) => metadata.name)
    t.same(names, ['b', 'a'])
    t.end()
  })
}

test('firstToGo() takes from the node where most of the work is', (t) => {
  const crowded = pod('b', { node: 'crowded' })
  const others = [pod('x', { node: 'crowded' }), pod('y', { node: 'crowded' })]
  t.equal(firstToGo([pod('a'), crowded], [pod('a'), crowded, ...others], nowMs)[0], crowded)
  t.end()
})

test('planReplicas() makes what is missing, removes what is too much, and never more than a burst', (t) => {
  const base = { related: [], nowMs }
  t.equal(planReplicas({ ...base, want: 3, have: [pod('a')] }).create, 2)
  t.equal(planReplicas({ ...base, want: 1, have: [pod('a'), pod('b')] }).remove.length, 1)
  t.equal(planReplicas({ ...base, want: 10_000, have: [] }).create, burstMax)
  t.end()
})

test('slowStart() does not go on after a round that failed', async (t) => {
  let calls = 0
  const failing = slowStart(100, async () => {
    calls += 1
    if (calls === 3) throw new Error('quota')
  })
  await t.rejects(failing, { message: 'quota' })
  t.equal(calls, 3)
})
