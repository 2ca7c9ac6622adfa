// Reads a cron schedule far enough to say whether it is one: five fields or a name such as `@daily`.
// When it fires next is the controller's work.

import { type FieldError, fieldInvalid } from '../../api/status.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const fields = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: months },
  { name: 'day of week', min: 0, max: 6, words: days },
] as const

const named = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

export function checkSchedule(schedule: string, field: string): readonly FieldError[] {
  if (schedule.includes('TZ')) {
    return [fieldInvalid(field, schedule, 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead')]
  }
  const problem = problemOf(schedule.trim())
  return problem === undefined ? [] : [fieldInvalid(field, schedule, problem)]
}

function problemOf(schedule: string): string | undefined {
  if (schedule.startsWith('@')) {
    if (named.includes(schedule) || /^@every [0-9.]+(ns|us|µs|ms|s|m|h)/.test(schedule)) return undefined
    return `unrecognized descriptor: ${schedule}`
  }
  const parts = schedule.split(/\s+/)
  if (parts.length !== fields.length)
    return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [index, rule] of fields.entries()) {
    const problem = (parts[index] ?? '')
      .split(',')
      .map((range) => rangeProblem(range, rule))
      .find((one) => one !== undefined)
    if (problem !== undefined) return problem
  }
  return undefined
}

type Rule = (typeof fields)[number]

function rangeProblem(text: string, { min, max, words }: Rule): string | undefined {
  const [range = '', step, more] = text.split('/')
  if (more !== undefined) return `too many slashes: ${text}`
  if (step !== undefined && !(Number(step) > 0)) return `step of range should be a positive number: ${text}`
  if (range === '*' || range === '?') return undefined
  const [from = '', to = from, tooMany] = range.split('-')
  if (tooMany !== undefined) return `too many hyphens: ${text}`
  const [start, end] = [numberIn(from, words, min), numberIn(to, words, min)]
  if (start === undefined || end === undefined)
    return `failed to parse int from ${start === undefined ? from : to}: strconv.Atoi: parsing ${JSON.stringify(start === undefined ? from : to)}: invalid syntax`
  if (start < min) return `beginning of range (${start}) below minimum (${min}): ${text}`
  if (end > max) return `end of range (${end}) above maximum (${max}): ${text}`
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`
  return undefined
}

function numberIn(text: string, words: readonly string[], min: number): number | undefined {
  const word = words.indexOf(text.toLowerCase())
  if (word >= 0) return word + min
  return /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
