// Parts of timestamps and durations: `getFullYear()`, `getHours("+02:00")`.

import { type Duration, fail, type Timestamp } from '../value.ts'
import { floorDivide } from './clock-text.ts'
import { declare, type Overload } from './overload.ts'

const dayMs = 86_400_000

/** Shifted, so that its UTC parts are those of the zone. */
function at({ nanos }: Timestamp, zone: string | undefined): Date {
  const ms = Number(floorDivide(nanos, 1_000_000n))
  return new Date(ms + offsetMs(zone, ms))
}

function offsetMs(zone: string | undefined, ms: number): number {
  if (zone === undefined || zone === '' || zone === 'UTC' || zone === 'Z') return 0
  const [, sign, hours, minutes] = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone) ?? []
  if (hours === undefined) return namedOffsetMs(zone, ms)
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Of a zone such as `Europe/Berlin`, at that time. */
function namedOffsetMs(zone: string, ms: number): number {
  let written: string
  try {
    written = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).format(
      new Date(ms),
    )
  } catch {
    return fail(`unknown time zone ${zone}`)
  }
  const [, offset] = /GMT([+-]\d{2}:\d{2})/.exec(written) ?? []
  return offset === undefined ? 0 : offsetMs(offset, ms)
}

const dayOfYear = (date: Date): number =>
  Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs)

const parts: Readonly<Record<string, (date: Date) => number>> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDate: (date) => date.getUTCDate(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
  getMilliseconds: (date) => date.getUTCMilliseconds(),
}

const spans: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
}

export const times: readonly Overload[] = [
  ...Object.entries(parts).flatMap(([name, part]) => [
    declare(`.${name}(timestamp): int`, (a: Timestamp) => BigInt(part(at(a, undefined)))),
    declare(`.${name}(timestamp, string): int`, (a: Timestamp, zone: string) => BigInt(part(at(a, zone)))),
  ]),
  ...Object.entries(spans).map(([name, unit]) =>
    declare(`.${name}(duration): int`, (a: Duration) => a.nanos / unit),
  ),
  declare('.getMilliseconds(duration): int', (a: Duration) => (a.nanos / 1_000_000n) % 1000n),
]
