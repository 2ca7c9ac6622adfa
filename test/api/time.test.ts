import { test } from 'tap'
import { ageSince, formatMicroTime, formatTime, humanAge, parseTime } from '../../src/api/time.ts'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

test('humanAge() shows the two units that matter', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [-2 * second, '<invalid>'],
    [-1 * second, '0s'],
    [0, '0s'],
    [119 * second, '119s'],
    [120 * second, '2m'],
    [5 * minute + 30 * second, '5m30s'],
    [10 * minute + 30 * second, '10m'],
    [179 * minute, '179m'],
    [180 * minute, '3h'],
    [7 * hour + 30 * minute, '7h30m'],
    [47 * hour, '47h'],
    [48 * hour, '2d'],
    [7 * day + 3 * hour, '7d3h'],
    [8 * day + 3 * hour, '8d'],
    [729 * day, '729d'],
    [2 * 365 * day + 45 * day, '2y45d'],
    [9 * 365 * day, '9y'],
  ]
  for (const [span, expected] of cases) t.equal(humanAge(span), expected, String(span))
})

test('times are written in UTC, with whole seconds or six decimals', async (t) => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  t.equal(formatTime(at), '2026-01-02T03:04:05Z')
  t.equal(formatMicroTime(at), '2026-01-02T03:04:05.678000Z')
  t.equal(formatMicroTime(at + 0.123), '2026-01-02T03:04:05.678123Z')
})

test('parseTime() reads RFC 3339 and nothing else', async (t) => {
  t.equal(parseTime('2026-01-02T03:04:05Z'), Date.UTC(2026, 0, 2, 3, 4, 5))
  t.equal(parseTime('2026-01-02T05:04:05.5+02:00'), Date.UTC(2026, 0, 2, 3, 4, 5, 500))
  for (const text of [
    '2026-01-02',
    '2026-02-30T00:00:00Z',
    '2026-01-02T24:00:00Z',
    'now',
    '2026-01-02 03:04:05Z',
  ])
    t.equal(parseTime(text), undefined, text)
})

test('ageSince() does not know the age of what has no time', async (t) => {
  t.equal(ageSince(undefined, 0), '<unknown>')
  t.equal(ageSince('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1, 0, 5)), '5m')
})
