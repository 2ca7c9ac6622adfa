// Cron jobs on a real plane whose clock is moved; jobs run at once, or for ever, as the test says.

import { test } from 'tap'
import { cronJobs, events, jobs } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { MovedClock } from './moved-clock.ts'
import { simulatePods, until } from './simulate-pods.ts'

const minuteMs = 60_000

test('kubectl makes a cron job; its jobs run on time, are told of, and the oldest are forgotten', async (t) => {
  await using clock = new MovedClock()
  await using cluster = await startTestPlane({ clock })
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { exitCode: () => 0, clock })
  const { stderr } = await cluster.kubectl(`create cronjob tick --image=tick '--schedule=*/5 * * * *'`)
  t.equal(stderr, '')
  for (let run = 1; run <= 5; run += 1) {
    await clock.advance(5 * minuteMs)
    const last = `2026-01-01T00:${String(run * 5).padStart(2, '0')}:00Z`
    await until(client, cronJobs, ([found]) => {
      const { active = [], lastScheduleTime, lastSuccessfulTime } = found?.status ?? {}
      return lastScheduleTime === last && (lastSuccessfulTime ?? '') >= last && active.length === 0
    })
  }
  const kept = await until(client, jobs, (all) => all.length === 3)
  t.same(
    kept.map(({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp']),
    ['2026-01-01T00:15:00Z', '2026-01-01T00:20:00Z', '2026-01-01T00:25:00Z'],
  )
  await until(client, events, (all) =>
    ['SuccessfulCreate', 'SawCompletedJob', 'SuccessfulDelete'].every((reason) =>
      all.some((one) => one.reason === reason && one.involvedObject.kind === 'CronJob'),
    ),
  )
  await cluster.ok('create job by-hand --from=cronjob/tick')
  await cluster.ok('wait --for=condition=complete job/by-hand --timeout=20s')
})

test('jobs that still run hold up the next, or give way, as the policy says', async (t) => {
  await using clock = new MovedClock()
  await using cluster = await startTestPlane({ clock })
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, undefined, { clock })
  const cron = (name: string, policy: string) => `
apiVersion: batch/v1
kind: CronJob
metadata: { name: ${name}, namespace: default }
spec:
  schedule: '*/5 * * * *'
  concurrencyPolicy: ${policy}
  jobTemplate:
    spec:
      template:
        spec: { restartPolicy: Never, containers: [{ name: work, image: work }] }
---`
  await cluster.ok('apply -f -', cron('forbid', 'Forbid') + cron('replace', 'Replace'))
  await clock.advance(5 * minuteMs)
  const [first] = await until(
    client,
    cronJobs,
    (all) => all.length === 2 && all.every(({ status }) => status?.active?.length === 1),
  )
  await clock.advance(5 * minuteMs)
  const all = await until(client, cronJobs, (found) =>
    found.some(
      ({ metadata, status }) =>
        metadata.name === 'replace' && status?.lastScheduleTime === '2026-01-01T00:10:00Z',
    ),
  )
  const forbid = all.find(({ metadata }) => metadata.name === 'forbid')
  t.same(forbid?.status?.active, first?.status?.active)
  t.equal(forbid?.status?.lastScheduleTime, '2026-01-01T00:05:00Z')
  t.equal(all.find(({ metadata }) => metadata.name === 'replace')?.status?.active?.length, 1)
  await cluster.ok(`patch cronjob replace -p '{"spec":{"suspend":true}}'`)
  await clock.advance(30 * minuteMs)
  const names = (await client.list(jobs)).items.map(({ metadata }) => metadata.name)
  t.equal(names.filter((name) => name?.startsWith('replace-')).length, 1)
})
