// When a cron schedule fires: five fields, names such as `@daily`, or `@every 1h30m`, by the wall clock of a time zone. Pure.
// The rules are those of robfig/cron, which upstream uses: hours that a change of clocks skips do not fire.

const minuteMs = 60_000
const yearsMax = 5

/** The first time after `afterMs`; undefined when there is none within five years. */
export type NextTime = (afterMs: number) => number | undefined

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const rules = [
  { min: 0, max: 59, words: [] },
  { min: 0, max: 23, words: [] },
  { min: 1, max: 31, words: [] },
  { min: 1, max: 12, words: months },
  { min: 0, max: 6, words: days },
] as const

const named: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

/** Throws an Error that says what is wrong. Without a zone the clock is UTC's. */
export function readSchedule(text: string, timeZone = ''): NextTime {
  const trimmed = text.trim()
  if (trimmed.startsWith('@every ')) return everyFrom(trimmed.slice('@every '.length).trim())
  const spelled = named[trimmed] ?? trimmed
  const parts = spelled.split(/\s+/)
  if (parts.length !== rules.length) throw new Error(`expected exactly 5 fields, found ${parts.length}`)
  const fields = rules.map((rule, index) => readField(parts[index] ?? '', rule))
  const [minute, hour, day, month, weekday] = fields as [Field, Field, Field, Field, Field]
  return nextOf({ minute, hour, day, month, weekday, wall: wallClock(timeZone) })
}

const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 0.001, µs: 0.001, ns: 0.000_001 } as const

function everyFrom(duration: string): NextTime {
  const parts = [...duration.matchAll(/([0-9]+(?:\.[0-9]+)?)(h|ms|m|us|µs|ns|s)/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== duration)
    throw new Error(`failed to parse duration @every ${duration}`)
  const delayMs = parts.reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units],
    0,
  )
  const wholeMs = Math.max(1000, Math.floor(delayMs / 1000) * 1000)
  return (afterMs) => Math.floor(afterMs / 1000) * 1000 + wholeMs
}

interface Field {
  readonly values: ReadonlySet<number>
  /** Says nothing: then the other of day and weekday decides alone. */
  readonly isOpen: boolean
}

type Rule = (typeof rules)[number]

function readField(text: string, rule: Rule): Field {
  const values = new Set<number>()
  let isOpen = false
  for (const part of text.split(',')) {
    const [range = '', stepText] = part.split('/')
    const step = stepText === undefined ? 1 : Number(stepText)
    if (!(Number.isInteger(step) && step > 0)) throw new Error(`step of range is wrong: ${part}`)
    const isAll = range === '*' || range === '?'
    if (isAll && step === 1) isOpen = true
    const [from, to] = isAll ? [rule.min, rule.max] : readRange(range, rule, stepText !== undefined)
    if (from < rule.min || to > rule.max || from > to) throw new Error(`range is wrong: ${part}`)
    for (let value = from; value <= to; value += step) values.add(value)
  }
  return { values, isOpen }
}

function readRange(range: string, rule: Rule, hasStep: boolean): readonly [number, number] {
  const [from = '', to] = range.split('-')
  const start = readNumber(from, rule)
  if (to !== undefined) return [start, readNumber(to, rule)]
  return [start, hasStep ? rule.max : start]
}

function readNumber(text: string, { words, min }: Rule): number {
  const word = (words as readonly string[]).indexOf(text.toLowerCase())
  if (word >= 0) return word + min
  if (!/^[0-9]{1,4}$/.test(text)) throw new Error(`failed to parse int from ${text}`)
  return Number(text)
}

interface Wall {
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
}

interface Spec {
  readonly minute: Field
  readonly hour: Field
  readonly day: Field
  readonly month: Field
  readonly weekday: Field
  readonly wall: (atMs: number) => Wall
}

/** Walks through absolute time in steps that cannot jump over a match. */
function nextOf({ minute, hour, day, month, weekday, wall }: Spec): NextTime {
  const isDay = (at: Wall) => {
    const [isOne, isOther] = [day.values.has(at.day), weekday.values.has(at.weekday)]
    return day.isOpen || weekday.isOpen ? isOne && isOther : isOne || isOther
  }
  return (afterMs) => {
    const endMs = afterMs + yearsMax * 366 * 24 * 60 * minuteMs
    let atMs = Math.floor(afterMs / minuteMs) * minuteMs + minuteMs
    while (atMs <= endMs) {
      const at = wall(atMs)
      if (!month.values.has(at.month)) atMs += minutesToDay(at, Math.max(0, 27 - at.day)) * minuteMs
      else if (!isDay(at)) atMs += minutesToDay(at, 0) * minuteMs
      else if (!hour.values.has(at.hour)) atMs += (60 - at.minute) * minuteMs
      else if (!minute.values.has(at.minute)) atMs += minuteMs
      else return atMs
    }
    return undefined
  }
}

// The last hours of a day are taken one by one: a change of clocks makes it shorter or longer.
function minutesToDay({ hour, minute }: Wall, daysMore: number): number {
  if (daysMore > 0) return daysMore * 24 * 60 - 240
  const left = 24 * 60 - hour * 60 - minute
  return left > 240 ? left - 180 : 60 - minute
}

function wallClock(timeZone: string): (atMs: number) => Wall {
  if (timeZone === '' || timeZone === 'UTC') return wallInUtc
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  return (atMs) => {
    const parts = Object.fromEntries(
      format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]),
    )
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay()
    return { month, day, weekday, hour, minute }
  }
}

function wallInUtc(atMs: number): Wall {
  const date = new Date(atMs)
  return {
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  }
}

/** RFC 3339 with the offset of a zone. */
export function timeInZone(atMs: number, timeZone = ''): string {
  const utc = new Date(atMs).toISOString().slice(0, 19)
  if (timeZone === '') return `${utc}Z`
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  const name = format.formatToParts(atMs).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT'
  const [, sign, hours, minutes] = /^GMT([+-])([0-9]{2}):([0-9]{2})/.exec(name) ?? []
  if (sign === undefined) return `${utc}Z`
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return `${new Date(atMs + offset * minuteMs).toISOString().slice(0, 19)}${sign}${hours}:${minutes}`
}
