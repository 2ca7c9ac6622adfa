// Durations and timestamps as text: Go's duration syntax and RFC 3339, in nanoseconds.
// The functions on them are times.ts's.

const unitNanos: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
}

const int64Max = 2n ** 63n - 1n

/** Undefined when the text is no duration. */
export function parseDuration(text: string): bigint | undefined {
  const [, sign = '', rest = ''] = /^([+-]?)(.*)$/.exec(text) ?? []
  if (rest === '0') return 0n
  if (rest.length > 100 || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)(?:\.(\d*))?([a-zµμ]+)/g)) {
    const nanos = BigInt(unitNanos[unit] ?? 0)
    total += BigInt(whole === '' ? 0 : whole) * nanos
    if (fraction !== '') total += (BigInt(fraction) * nanos) / 10n ** BigInt(fraction.length)
  }
  if (total > int64Max) return undefined
  return sign === '-' ? -total : total
}

/** Days and weeks, which a schema's format allows and Go's syntax does not. */
export function parseDays(text: string): bigint | undefined {
  const [, count, unit = ''] = /^(\d{1,6})\s*(d|days?|w|weeks?)$/.exec(text) ?? []
  if (count === undefined) return undefined
  return BigInt(count) * (unit.startsWith('w') ? 7n : 1n) * 86_400_000_000_000n
}

const timestampPattern =
  /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9})\d*)?(Z|z|[+-]\d{2}:\d{2})$/

export function parseTimestamp(text: string): bigint | undefined {
  const [, date, time, fraction = '', zone = ''] = timestampPattern.exec(text) ?? []
  const ms = Date.parse(`${date}T${time}${zone.toUpperCase()}`)
  if (Number.isNaN(ms) || !isDay(date ?? '')) return undefined
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0') || '0')
}

/** JavaScript takes the 31st of February for a day in March. */
function isDay(date: string): boolean {
  const ms = Date.parse(`${date}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date)
}

export function writeTimestamp(nanos: bigint): string {
  const seconds = floorDivide(nanos, 1_000_000_000n)
  const rest = nanos - seconds * 1_000_000_000n
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19)
  return `${whole}${writeFraction(rest)}Z`
}

export function writeDuration(nanos: bigint): string {
  const size = nanos < 0n ? -nanos : nanos
  return `${nanos < 0n ? '-' : ''}${size / 1_000_000_000n}${writeFraction(size % 1_000_000_000n)}s`
}

function writeFraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${nanos.toString().padStart(9, '0').replace(/0+$/, '')}`
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by
  return value % by < 0n ? quotient - 1n : quotient
}
