import { test } from 'tap'
import type { Deployment, ReplicaSet } from '../../src/api/models.ts'
import {
  nextLookMs,
  pauseConditions,
  rolloutStatus,
} from '../../src/controllers/workloads/deployment-status.ts'

const start = Date.UTC(2026, 0, 1)

function deployment(status: Deployment['status'] = {}): Deployment {
  const spec = { replicas: 2, selector: {}, template: {}, progressDeadlineSeconds: 600 }
  return { metadata: { name: 'web', generation: 3 }, spec, status }
}

const current = (replicas: number, available: number): ReplicaSet => ({
  metadata: { name: 'web-x' },
  spec: { replicas: 2, selector: {} },
  status: { replicas, readyReplicas: available, availableReplicas: available },
})

const condition = (status: Deployment['status'], type: string) =>
  status?.conditions?.find((one) => one.type === type)

test('a rollout whose pods are all there and available has progressed', (t) => {
  const status = rolloutStatus(deployment(), { current: current(2, 2), old: [] }, start)
  t.match(condition(status, 'Progressing'), {
    status: 'True',
    reason: 'NewReplicaSetAvailable',
    message: 'ReplicaSet "web-x" has successfully progressed.',
  })
  t.match(condition(status, 'Available'), { status: 'True', reason: 'MinimumReplicasAvailable' })
  t.match(status, { observedGeneration: 3, updatedReplicas: 2, unavailableReplicas: 0 })
  t.end()
})

test('each progress moves the deadline, a standstill does not', (t) => {
  const first = rolloutStatus(deployment(), { current: current(1, 0), old: [] }, start)
  t.match(condition(first, 'Progressing'), {
    reason: 'ReplicaSetUpdated',
    lastUpdateTime: '2026-01-01T00:00:00Z',
  })
  const second = rolloutStatus(deployment(first), { current: current(2, 1), old: [] }, start + 60_000)
  t.match(condition(second, 'Progressing'), {
    lastUpdateTime: '2026-01-01T00:01:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  const third = rolloutStatus(deployment(second), { current: current(2, 1), old: [] }, start + 120_000)
  t.same(condition(third, 'Progressing'), condition(second, 'Progressing'))
  t.equal(nextLookMs(deployment(third), third, start + 120_000), 541_000)
  t.end()
})

test('a rollout that stands still past its deadline says so, and recovers', (t) => {
  const first = rolloutStatus(deployment(), { current: current(1, 0), old: [] }, start)
  const late = rolloutStatus(deployment(first), { current: current(1, 0), old: [] }, start + 601_000)
  t.match(condition(late, 'Progressing'), { status: 'False', reason: 'ProgressDeadlineExceeded' })
  const after = rolloutStatus(deployment(late), { current: current(2, 2), old: [] }, start + 700_000)
  t.match(condition(after, 'Progressing'), { status: 'True', reason: 'NewReplicaSetAvailable' })
  t.end()
})

test('a set that cannot make pods makes its deployment say why', (t) => {
  const failing = current(0, 0)
  const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' }]
  const broken = { ...failing, status: { replicas: 0, ...failing.status, conditions } }
  const status = rolloutStatus(deployment(), { current: broken, old: [] }, start)
  t.match(condition(status, 'ReplicaFailure'), { status: 'True', reason: 'FailedCreate', message: 'quota' })
  t.equal(
    condition(
      rolloutStatus(deployment(status), { current: current(1, 0), old: [] }, start),
      'ReplicaFailure',
    ),
    undefined,
  )
  t.end()
})

test('a pause is told once, and so is its end', (t) => {
  const plain = deployment()
  const spec = { selector: {}, template: {}, ...plain.spec, paused: true }
  const paused = pauseConditions({ ...plain, spec }, start)
  t.match(paused, [{ type: 'Progressing', status: 'Unknown', reason: 'DeploymentPaused' }])
  t.equal(pauseConditions({ ...plain, spec, status: { conditions: paused } }, start + 1), paused)
  t.match(pauseConditions(deployment({ conditions: paused }), start), [{ reason: 'DeploymentResumed' }])
  t.end()
})
