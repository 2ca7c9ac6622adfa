// The formats date, date-time and duration of CRD schemas, as Go's strfmt reads them.
// Which other formats there are stands in formats.ts.

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** `2006-01-02`, a day that exists. */
export function isDate(text: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (parts === null) return false
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number)
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days = month === 2 && isLeap ? 29 : (daysOfMonth[month - 1] ?? 0)
  return day >= 1 && day <= days
}

const timePattern = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/

/** RFC 3339, in either case. */
export function isDateTime(text: string): boolean {
  const [date = '', time] = text.toLowerCase().split('t')
  if (time === undefined || !isDate(date)) return false
  const parts = timePattern.exec(time)
  if (parts === null) return false
  const [hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  return hour <= 23 && minute <= 59 && second <= 59
}

const goDuration = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const unitNames = ['ns', 'us', 'µs', 'ms', 's', 'sec', 'm', 'min', 'h', 'hr', 'd', 'w', 'wk']
const unitStarts = ['nano', 'micro', 'milli', 'sec', 'min', 'hour', 'day', 'week']
const scalaLengthMax = 1_024

/** As Go's time.ParseDuration, or with words as Scala writes it (`3 days`). */
export function isDuration(text: string): boolean {
  if (goDuration.test(text)) return true
  const parts = text.slice(0, scalaLengthMax).matchAll(/\d+\s*([A-Za-zµ]+)/g)
  return [...parts].some(([, unit = '']) => {
    const word = unit.toLowerCase()
    return unitNames.includes(word) || unitStarts.some((start) => word.startsWith(start))
  })
}
