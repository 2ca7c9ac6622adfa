// A ReplicaSet whose pods are refused waits longer each time; it does not wake itself with its own status.
// How long a queue waits is reconcile's.

import t from 'tap'
import type { ReplicaSet } from '../../src/api/models.ts'
import { replicaStatus } from '../../src/controllers/workloads/replica-status.ts'

t.test('a failure that only names another pod is no change of the status', async (t) => {
  const failing = (set: ReplicaSet, pod: string) =>
    replicaStatus({
      set,
      pods: [],
      failure: { reason: 'FailedCreate', message: `pods "${pod}" is forbidden` },
      nowMs: 0,
      now: '2026-01-02T03:04:05Z',
    })
  const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } } }
  const set: ReplicaSet = { metadata: { name: 'web', namespace: 'default' }, spec }
  const first = failing(set, 'web-aaaaa')
  t.match(first.conditions, [{ type: 'ReplicaFailure', reason: 'FailedCreate' }])
  t.equal(failing({ ...set, status: first }, 'web-bbbbb'), first)
})
