// When schedules fire: fields, steps, names, zones and changes of clocks; and which of the past times is due.

import { test } from 'tap'
import type { CronJob } from '../../src/api/models.ts'
import { dueTime, jobName, jobsToForget, nextInMs } from '../../src/controllers/batch/cron-plan.ts'
import { readSchedule, timeInZone } from '../../src/controllers/batch/cron-times.ts'

const ms = (time: string) => Date.parse(time)
const text = (atMs: number | undefined) =>
  atMs === undefined ? 'never' : new Date(atMs).toISOString().slice(0, 16)

test('a schedule fires next when its fields match', (t) => {
  const cases = [
    ['* * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01'],
    ['* * * * *', '2026-01-01T00:00:30Z', '2026-01-01T00:01'],
    ['*/15 * * * *', '2026-01-01T00:15:00Z', '2026-01-01T00:30'],
    ['5/20 * * * *', '2026-01-01T00:30:00Z', '2026-01-01T00:45'],
    ['0 0 1 1 *', '2026-01-01T00:00:00Z', '2027-01-01T00:00'],
    ['@hourly', '2026-01-01T00:59:59Z', '2026-01-01T01:00'],
    ['@every 1h30m', '2026-01-01T00:00:00Z', '2026-01-01T01:30'],
    ['0 9 * * mon-fri', '2026-01-02T10:00:00Z', '2026-01-05T09:00'],
    ['0 0 13 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['0 0 */2 * fri', '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['0 12 29 feb ?', '2026-03-01T00:00:00Z', '2028-02-29T12:00'],
    ['59 23 31 2 *', '2026-01-01T00:00:00Z', 'never'],
  ] as const
  for (const [schedule, after, expected] of cases)
    t.equal(text(readSchedule(schedule)(ms(after))), expected, schedule)
  for (const wrong of ['* * * *', '61 * * * *', 'a * * * *', '*/0 * * * *', '@every soon'])
    t.throws(() => readSchedule(wrong), wrong)
  t.end()
})

test('a zone has its own clock: skipped hours do not fire, repeated ones fire twice', (t) => {
  const berlin = readSchedule('30 2 * * *', 'Europe/Berlin')
  t.equal(text(berlin(ms('2026-03-27T12:00:00Z'))), '2026-03-28T01:30')
  t.equal(text(berlin(ms('2026-03-28T02:00:00Z'))), '2026-03-30T00:30', 'the 29th has no half past two')
  t.equal(text(berlin(ms('2026-10-24T12:00:00Z'))), '2026-10-25T00:30')
  t.equal(text(berlin(ms('2026-10-25T00:30:00Z'))), '2026-10-25T01:30', 'and the 25th of October two')
  t.equal(timeInZone(ms('2026-07-01T00:00:00Z'), 'Asia/Kolkata'), '2026-07-01T05:30:00+05:30')
  t.equal(timeInZone(ms('2026-07-01T00:00:00Z')), '2026-07-01T00:00:00Z')
  t.throws(() => readSchedule('* * * * *', 'Mars/Olympus'), RangeError)
  t.end()
})

const cron = (more: Partial<CronJob> = {}): CronJob => ({
  metadata: { name: 'tick', creationTimestamp: '2026-01-01T00:00:30Z' },
  spec: { schedule: '', jobTemplate: {} },
  ...more,
})

test('of the times that passed the most recent is due', (t) => {
  const hourly = readSchedule('0 * * * *')
  const due = (nowMs: number, cronJob = cron()) => dueTime(cronJob, hourly, { nowMs, hasDeadline: true })
  t.equal(due(ms('2026-01-01T00:30:00Z'))?.atMs, undefined)
  t.equal(text(due(ms('2026-01-01T01:00:00Z'))?.atMs), '2026-01-01T01:00')
  t.equal(text(due(ms('2026-01-01T05:30:00Z'))?.atMs), '2026-01-01T05:00')
  t.match(due(ms('2026-01-10T05:30:00Z')), { missed: 221 })
  const strict = cron({ spec: { schedule: '', jobTemplate: {}, startingDeadlineSeconds: 60 } })
  t.equal(due(ms('2026-01-01T05:30:00Z'), strict)?.atMs, undefined)
  t.equal(nextInMs(cron(), hourly, ms('2026-01-01T05:30:00Z')), 1_800_100)
  t.equal(jobName(cron(), ms('2026-01-01T05:00:00Z')), 'tick-29454060')
  t.end()
})

test('the history keeps the youngest of each ending', (t) => {
  const job = (name: string, type: string, startTime: string) => ({
    metadata: { name },
    status: { startTime, conditions: [{ type, status: 'True' }] },
  })
  const jobs = [
    job('c', 'Complete', '2026-01-01T03:00:00Z'),
    job('a', 'Complete', '2026-01-01T01:00:00Z'),
    job('b', 'Failed', '2026-01-01T02:00:00Z'),
    { metadata: { name: 'running' } },
  ]
  const limits = { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 }
  const limited = cron({ spec: { schedule: '', jobTemplate: {}, ...limits } })
  t.same(
    jobsToForget(limited, jobs).map(({ metadata }) => metadata.name),
    ['a'],
  )
  t.end()
})
