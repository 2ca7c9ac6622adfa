// Logging as constant sentences with fields: for a person at a terminal, or one JSON document a line.
// Where a line goes is the `write` that is handed in; what must be kept for the record is the audit log's work.

import { type Clock, systemClock } from './clock.ts'

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

export const logFormats = ['human', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

/** What varies stands here, never in the sentence. Errors are written with their causes. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds these fields to every line; the line's own fields win. */
  child(fields: LogFields): Logger
}

export interface LoggerOptions {
  /** Lines below this level are dropped. */
  readonly level?: LogLevel
  readonly format?: LogFormat
  readonly clock?: Clock
  /** Gets whole lines, newline included; standard error unless given. */
  readonly write?: (line: string) => void
}

export function createLogger({
  level = 'info',
  format = 'human',
  clock = systemClock,
  write = (line) => void process.stderr.write(line),
}: LoggerOptions = {}): Logger {
  const render = format === 'json' ? renderJson : renderHuman
  const lowest = logLevels.indexOf(level)
  const withFields = (base: LogFields): Logger => {
    const at =
      (line: LogLevel) =>
      (message: string, fields: LogFields = {}) => {
        if (logLevels.indexOf(line) < lowest) return
        const time = new Date(clock.now()).toISOString()
        write(`${render({ time, level: line, message, fields: { ...base, ...fields } })}\n`)
      }
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => withFields({ ...base, ...fields }),
    }
  }
  return withFields({})
}

/** Says nothing: for tests and for proofs whose report is their result. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

interface Line {
  readonly time: string
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

function renderJson({ time, level, message, fields }: Line): string {
  return toJson({ ...fields, time, level, message })
}

function renderHuman({ time, level, message, fields }: Line): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${renderValue(value)}`)
  return `${time} ${level.padEnd(5)} ${message}${pairs.join('')}`
}

// A value without spaces, quotes or control characters needs no quotes; the rest cannot forge a second line.
const plainValue = /^[\w./:@+*%-]+$/

function renderValue(value: unknown): string {
  if (typeof value === 'string') return plainValue.test(value) ? value : JSON.stringify(value)
  if (value instanceof Error) return JSON.stringify(describeError(value))
  return toJson(value)
}

// A logger never throws: what JSON cannot hold is named instead.
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value, jsonValue) ?? String(value)
  } catch (error) {
    return JSON.stringify({ unloggable: describeError(error) })
  }
}

function jsonValue(_key: string, value: unknown): unknown {
  if (value instanceof Error) return describeError(value)
  if (typeof value === 'bigint') return value.toString()
  return value
}

const causesMax = 5

function describeError(error: unknown): string {
  const parts: string[] = []
  let current = error
  while (current !== undefined && parts.length < causesMax) {
    parts.push(current instanceof Error ? `${current.name}: ${current.message}` : String(current))
    current = current instanceof Error ? current.cause : undefined
  }
  return parts.join('; caused by ')
}
