// Which nodes get a daemon's pod, and how old pods make room for new ones.

import { test } from 'tap'
import type { DaemonSet, Node, Pod, Toleration } from '../../src/api/models.ts'
import { planDaemons } from '../../src/controllers/daemons/daemon-plan.ts'
import { daemonPod, nodeOf } from '../../src/controllers/daemons/daemon-pods.ts'
import { EndedPods } from '../../src/controllers/daemons/ended-pods.ts'
import { fitOf, tolerates } from '../../src/controllers/daemons/node-fit.ts'

const nowMs = Date.UTC(2026, 0, 1)
const node = (name: string, more: Partial<Node> = {}): Node => ({
  metadata: { name, labels: { zone: name } },
  ...more,
})
const set = (rollingUpdate: object = {}, type = 'RollingUpdate'): DaemonSet => ({
  metadata: { name: 'agent', namespace: 'default', uid: 'u' },
  spec: {
    selector: { matchLabels: { app: 'agent' } },
    template: { metadata: { labels: { app: 'agent' } }, spec: { containers: [{ name: 'agent' }] } },
    updateStrategy: { type, ...(type === 'OnDelete' ? {} : { rollingUpdate }) },
  },
})
const pod = (on: string, hash = 'new', isReady = true, phase = 'Running'): Pod => {
  const made = daemonPod(set(), { nodeName: on, hash })
  const ready = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    lastTransitionTime: '2025-12-31T00:00:00Z',
  }
  const name = `${on}-${hash}`
  return {
    ...made,
    metadata: { ...made.metadata, name, uid: name, creationTimestamp: '2025-12-31T00:00:00Z' },
    status: { phase, conditions: [ready] },
  }
}
const plan = (wanted: DaemonSet, nodes: readonly Node[], pods: readonly Pod[]) => {
  const { create, remove } = planDaemons({ set: wanted, nodes, pods, hash: 'new', nowMs })
  return { create: [...create].sort(), remove: remove.map(({ metadata }) => metadata.name).sort() }
}
const three = [node('a'), node('b'), node('c')]

test('each node gets one pod; what is too much, ended, or lost goes', (t) => {
  t.same(plan(set(), three, [pod('a')]), { create: ['b', 'c'], remove: [] })
  const twice = { ...pod('a'), metadata: { ...pod('a').metadata, name: 'again', uid: 'again' } }
  t.same(plan(set(), [node('a')], [pod('a'), twice]), { create: [], remove: ['again'] })
  t.same(plan(set(), [node('a')], [pod('a', 'new', false, 'Failed')]), { create: [], remove: ['a-new'] })
  t.same(plan(set(), [node('a')], [pod('a'), pod('gone')]), { create: [], remove: ['gone-new'] })
  const leaving = {
    ...pod('a'),
    metadata: { ...pod('a').metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  }
  t.same(plan(set(), [node('a')], [leaving]), { create: [], remove: [] }, 'one that goes holds its place')
  t.end()
})

test('selectors and taints say where a pod belongs, and where it may stay', (t) => {
  const spec = (more: object) => ({ containers: [], ...more })
  const tainted = (effect: string) => node('a', { spec: { taints: [{ key: 'special', effect }] } })
  t.same(fitOf(node('a'), spec({ nodeSelector: { zone: 'a' } })), { shouldRun: true, mayStay: true })
  t.same(fitOf(node('a'), spec({ nodeSelector: { zone: 'b' } })), { shouldRun: false, mayStay: false })
  t.same(fitOf(tainted('NoSchedule'), spec({})), { shouldRun: false, mayStay: true })
  t.same(fitOf(tainted('NoExecute'), spec({})), { shouldRun: false, mayStay: false })
  t.same(fitOf(tainted('PreferNoSchedule'), spec({})), { shouldRun: true, mayStay: true })
  const tolerations: Toleration[] = [{ key: 'special', operator: 'Exists' }]
  t.same(fitOf(tainted('NoExecute'), spec({ tolerations })), { shouldRun: true, mayStay: true })
  t.ok(tolerates({ operator: 'Exists' }, { key: 'x', effect: 'NoExecute' }))
  t.ok(tolerates({ key: 'x', value: '1' }, { key: 'x', value: '1', effect: 'NoExecute' }))
  t.notOk(tolerates({ key: 'x', value: '2' }, { key: 'x', value: '1', effect: 'NoExecute' }))
  const cordoned = node('a', {
    spec: { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] },
  })
  t.same(plan(set(), [cordoned], []), { create: ['a'], remove: [] }, 'daemons run on cordoned nodes')
  t.end()
})

test('old pods go as many at a time as may be missing', (t) => {
  const old = three.map(({ metadata }) => pod(metadata.name ?? '', 'old'))
  t.equal(plan(set({ maxUnavailable: 1 }), three, old).remove.length, 1)
  t.equal(plan(set({ maxUnavailable: '50%' }), three, old).remove.length, 2)
  t.same(plan(set({}, 'OnDelete'), three, old), { create: [], remove: [] })
  const oneUnready = [pod('a', 'new', false), pod('b', 'old'), pod('c', 'old')]
  t.same(plan(set({ maxUnavailable: 1 }), three, oneUnready), { create: [], remove: [] })
  const useless = [pod('a'), pod('b', 'old', false), pod('c', 'old')]
  t.same(plan(set({ maxUnavailable: 1 }), three, useless), { create: [], remove: ['b-old'] })
  t.end()
})

test('with surge the new pods come first, and the old go when the new ones serve', (t) => {
  const surge = set({ maxSurge: 1, maxUnavailable: 0 })
  const old = three.map(({ metadata }) => pod(metadata.name ?? '', 'old'))
  t.equal(plan(surge, three, old).create.length, 1)
  const [a, b, c] = old as [Pod, Pod, Pod]
  t.same(plan(surge, three, [a, b, c, pod('a', 'new', false)]), { create: [], remove: [] })
  t.same(plan(surge, three, [a, b, c, pod('a')]), { create: [], remove: ['a-old'] })
  t.end()
})

test('a pod stands for the node that it was made for, wherever the host put it', (t) => {
  const made = daemonPod(set(), { nodeName: 'a', hash: 'x' })
  t.equal(nodeOf(made), 'a')
  t.equal(nodeOf({ ...made, spec: { containers: [], ...made.spec, nodeName: 'elsewhere' } }), 'a')
  t.equal(nodeOf({ metadata: {}, spec: { containers: [], nodeName: 'b' } }), 'b')
  t.end()
})

test('pods that fail again and again are removed more and more slowly', (t) => {
  const ended = new EndedPods()
  t.equal(ended.holdMs('set', 'a', 0), 0)
  t.equal(ended.holdMs('set', 'a', 400), 600)
  t.equal(ended.holdMs('set', 'a', 1000), 0)
  t.equal(ended.holdMs('set', 'a', 1000), 2000)
  ended.forget('set')
  t.equal(ended.holdMs('set', 'a', 1000), 0)
  t.end()
})
