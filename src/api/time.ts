// Times as Kubernetes writes and shows them.
// Upstream: meta/v1 Time and MicroTime, and apimachinery/pkg/util/duration.

/** RFC 3339 in UTC with whole seconds, cut off as Go does. */
export function formatTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}

/** With six decimals, as leases have it. */
export function formatMicroTime(epochMs: number): string {
  const micros = Math.round(epochMs * 1_000)
  const wholeMs = Math.floor(micros / 1_000)
  return `${new Date(wholeMs).toISOString().slice(0, -1)}${String(micros - wholeMs * 1_000).padStart(3, '0')}Z`
}

const timePattern =
  /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d{2}:\d{2})$/

/** Milliseconds since 1970, with a fraction where the text has one; undefined when it is no RFC 3339 time. */
export function parseTime(text: string): number | undefined {
  const found = timePattern.exec(text)
  if (found === null) return undefined
  const [, date, hours = '', minutes = '', seconds = '', fraction = '', zone = ''] = found
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined
  const wholeMs = Date.parse(`${date}T${hours}:${minutes}:${seconds}${zone.toUpperCase()}`)
  if (Number.isNaN(wholeMs) || !isDay(date ?? '')) return undefined
  return wholeMs + Number(`0.${fraction === '' ? '0' : fraction}`) * 1_000
}

/** JavaScript takes the 31st of February for a day in March; Go does not. */
function isDay(date: string): boolean {
  const midnight = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(date)
}

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A span of time in the two units that matter most: `5m30s`, `3d`, `2y45d`; kubectl's Age column. */
export function humanAge(spanMs: number): string {
  const seconds = Math.trunc(spanMs / second)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 60 * 2) return `${seconds}s`
  const minutes = Math.trunc(spanMs / minute)
  if (minutes < 10) return two(minutes, 'm', Math.trunc(spanMs / second) % 60, 's')
  if (minutes < 60 * 3) return `${minutes}m`
  const hours = Math.trunc(spanMs / hour)
  if (hours < 8) return two(hours, 'h', Math.trunc(spanMs / minute) % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(spanMs / day)
  if (hours < 24 * 8) return two(days, 'd', hours % 24, 'h')
  if (hours < 24 * 365 * 2) return `${days}d`
  const years = Math.trunc(hours / 24 / 365)
  if (hours < 24 * 365 * 8) return two(years, 'y', days % 365, 'd')
  return `${years}y`
}

const two = (big: number, bigUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${big}${bigUnit}` : `${big}${bigUnit}${small}${smallUnit}`

/** The age of something made at a time; `<unknown>` when that is absent or unreadable. */
export function ageSince(timestamp: string | null | undefined, now: number): string {
  const at = timestamp === undefined || timestamp === null ? undefined : parseTime(timestamp)
  return at === undefined ? '<unknown>' : humanAge(now - at)
}
