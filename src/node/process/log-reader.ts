// Reads a container's log as `kubectl logs` asks for it: the last lines, since a moment, with times, following.
// How lines stand in the file is log-file.ts's.

import { readFile } from 'node:fs/promises'
import type { LogFile } from './log-file.ts'

export interface LogOptions {
  /** The last so many lines; all unless given. */
  readonly tail?: number | undefined
  /** Milliseconds since 1970. */
  readonly sinceMs?: number | undefined
  readonly timestamps?: boolean | undefined
  readonly limitBytes?: number | undefined
}

interface Line {
  readonly time: string
  readonly isWhole: boolean
  readonly text: string
}

/** Empty when there is no such file. */
export async function readLog(path: string, options: LogOptions = {}): Promise<string> {
  const lines = (await linesIn(path)).filter(({ time }) => isSince(time, options.sinceMs))
  return limited(render(lastLines(lines, options.tail), options), options.limitBytes)
}

/** What is there, then what comes, until the container ends or the signal says so. */
export async function* followLog(
  file: LogFile,
  { signal, ...options }: LogOptions & { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<string> {
  let shown = 0
  let wake = Promise.withResolvers<void>()
  const tell = (): void => wake.resolve()
  const end = file.onChange(tell)
  signal?.addEventListener('abort', tell, { once: true })
  try {
    for (let isFirst = true; signal?.aborted !== true; isFirst = false) {
      wake = Promise.withResolvers<void>()
      const isLast = file.isClosed
      const lines = await linesIn(file.path)
      // After a rotation the older lines are counted from anew; what was dropped was shown.
      const fresh = isFirst ? lastLines(lines, options.tail) : lines.slice(Math.min(shown, lines.length))
      shown = lines.length
      if (fresh.length > 0) yield render(fresh, options)
      if (isLast) return
      await wake.promise
    }
  } finally {
    end()
    signal?.removeEventListener('abort', tell)
  }
}

async function linesIn(path: string): Promise<readonly Line[]> {
  const texts = await Promise.all([`${path}.1`, path].map((one) => readFile(one, 'utf8').catch(() => '')))
  return texts
    .flatMap((text) => text.split('\n'))
    .flatMap((line) => {
      const match = /^(\S+) (?:stdout|stderr) ([FP]) (.*)$/s.exec(line)
      return match === null ? [] : [{ time: match[1] ?? '', isWhole: match[2] === 'F', text: match[3] ?? '' }]
    })
}

const isSince = (time: string, sinceMs: number | undefined): boolean =>
  sinceMs === undefined || Date.parse(time) >= sinceMs

function lastLines(lines: readonly Line[], tail: number | undefined): readonly Line[] {
  return tail === undefined || tail < 0 ? lines : lines.slice(Math.max(0, lines.length - tail))
}

function render(lines: readonly Line[], { timestamps = false }: LogOptions): string {
  return lines
    .map(({ time, isWhole, text }) => `${timestamps ? `${time} ` : ''}${text}${isWhole ? '\n' : ''}`)
    .join('')
}

function limited(text: string, bytesMax: number | undefined): string {
  if (bytesMax === undefined) return text
  const bytes = Buffer.from(text)
  return bytes.length <= bytesMax ? text : bytes.subarray(0, bytesMax).toString('utf8')
}
