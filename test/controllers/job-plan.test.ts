// How jobs count indexes, wait after failures, and choose the pods that they make and remove.

import { test } from 'tap'
import type { Job, Pod } from '../../src/api/models.ts'
import {
  countCommon,
  countIndexes,
  formatIndexes,
  freeIndexes,
  hasIndex,
  parseIndexes,
  withIndexes,
} from '../../src/controllers/batch/indexes.ts'
import { backoffLeftMs, nextBackoff, noBackoff } from '../../src/controllers/batch/job-backoff.ts'
import { planJob } from '../../src/controllers/batch/job-plan.ts'
import { jobPod } from '../../src/controllers/batch/job-pods.ts'
import { viewJob } from '../../src/controllers/batch/job-view.ts'

const nowMs = Date.UTC(2026, 0, 1)

test('indexes are written as runs, two neighbours as two numbers', (t) => {
  for (const text of ['', '0', '0,1', '0-2', '0,2', '1,3-5,7,8'])
    t.equal(formatIndexes(parseIndexes(text, 100)), text)
  t.equal(formatIndexes(parseIndexes('0-9,broken,20', 5)), '0-4')
  t.equal(formatIndexes(withIndexes(parseIndexes('0,2', 9), [1, 5])), '0-2,5')
  t.equal(countIndexes(parseIndexes('0-2,7', 9)), 4)
  t.equal(countCommon(parseIndexes('0-4', 9), parseIndexes('3-8', 9)), 2)
  t.ok(hasIndex(parseIndexes('3-5', 9), 4))
  t.same(freeIndexes(parseIndexes('0,2-3', 9), { count: 3, limit: 6 }), [1, 4, 5])
  t.same(freeIndexes([], { count: 9, limit: 2 }), [0, 1])
  t.end()
})

const ended = (finishedAt: string): Pod => ({
  metadata: { name: finishedAt },
  status: {
    containerStatuses: [
      {
        name: 'c',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: 1, finishedAt } },
      },
    ],
  },
})

test('each failure since the last success doubles the pause, up to ten minutes', (t) => {
  const once = nextBackoff(noBackoff, [], [ended('2026-01-01T00:00:00Z')])
  t.equal(backoffLeftMs(once, nowMs), 10_000)
  t.equal(backoffLeftMs(once, nowMs + 11_000), 0)
  const twice = nextBackoff(once, [], [ended('2026-01-01T00:00:10Z')])
  t.equal(backoffLeftMs(twice, nowMs + 10_000), 20_000)
  t.equal(backoffLeftMs({ failuresSinceSuccess: 50, lastFailureMs: nowMs }, nowMs), 600_000)
  const after = nextBackoff(twice, [ended('2026-01-01T00:01:00Z')], [ended('2026-01-01T00:00:30Z')])
  t.same(after, noBackoff, 'a success forgives what failed before it')
  t.end()
})

const job = (spec: Partial<Job['spec']>): Job => ({
  metadata: { name: 'work', namespace: 'default', uid: 'u' },
  spec: { parallelism: 2, template: { spec: { containers: [{ name: 'c' }] } }, ...spec },
})
const running = (owner: Job, index: number | undefined, name: string): Pod => {
  const made = jobPod(owner, index, undefined)
  return { ...made, metadata: { ...made.metadata, name, uid: name }, status: { phase: 'Running' } }
}
const plan = (owner: Job, pods: readonly Pod[]) => {
  const view = viewJob({ job: owner, pods, released: new Set(), backoff: noBackoff })
  const { create, remove } = planJob(view, nowMs)
  return { create, remove: remove.map(({ metadata }) => metadata.name).sort() }
}

test('no more pods run than are still wanted, and no index twice', (t) => {
  const three = job({ completions: 3 })
  t.same(plan(three, []), { create: [undefined, undefined], remove: [] })
  t.same(plan({ ...three, status: { succeeded: 2 } }, []), { create: [undefined], remove: [] })
  t.same(plan({ ...three, status: { succeeded: 3 } }, [running(three, undefined, 'a')]).remove, ['a'])
  const indexed = job({ completions: 3, completionMode: 'Indexed' })
  t.same(plan({ ...indexed, status: { completedIndexes: '0' } }, []).create, [1, 2])
  const twins = [running(indexed, 0, 'a'), running(indexed, 0, 'b'), running(indexed, undefined, 'c')]
  t.same(plan(indexed, twins), { create: [], remove: ['a', 'c'] })
  t.same(plan(job({ completions: 3, suspend: true }), [running(three, undefined, 'a')]).remove, ['a'])
  t.same(plan(job({}), []).create.length, 2)
  const leaving = running(three, undefined, 'a')
  const gone = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2025-12-31T23:00:00Z' } }
  t.equal(plan(three, [gone]).create.length, 2)
  t.equal(plan(job({ completions: 3, podReplacementPolicy: 'Failed' }), [gone]).create.length, 1)
  t.end()
})
