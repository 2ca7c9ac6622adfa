// Reads a container's log as `kubectl logs` asks for it: the last lines, since a moment, with times, following.
// How lines stand in the file is log-file.ts's.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
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
  let wake = Promise.withResolvers<void>()
  const tell = (): void => wake.resolve()
  const end = file.onChange(tell)
  signal?.addEventListener('abort', tell, { once: true })
  const place = new Place(file.path)
  try {
    for (let isFirst = true; signal?.aborted !== true; isFirst = false) {
      wake = Promise.withResolvers<void>()
      const isLast = file.isClosed
      const fresh = linesOf(await place.read()).filter(({ time }) => isSince(time, options.sinceMs))
      const shown = isFirst ? lastLines(fresh, options.tail) : fresh
      if (shown.length > 0) yield render(shown, options)
      if (isLast) return
      await wake.promise
    }
  } finally {
    end()
    signal?.removeEventListener('abort', tell)
  }
}

/** How far a log was read. Its file gives way to a new one when it is full, and is found under another name then. */
class Place {
  readonly #path: string
  #file: number | undefined
  #offset = 0
  #rest = Buffer.alloc(0)

  constructor(path: string) {
    this.#path = path
  }

  /** Whole lines that were not read before. */
  async read(): Promise<string> {
    const older = `${this.#path}.1`
    const olderFile = await fileNumber(older)
    const parts: Buffer[] = [this.#rest]
    const isStart = this.#file === undefined
    if (isStart) parts.push(await readFrom(older, 0))
    else if (olderFile === this.#file) {
      parts.push(await readFrom(older, this.#offset))
      this.#offset = 0
    }
    this.#file = await fileNumber(this.#path)
    const fresh = await readFrom(this.#path, this.#offset)
    this.#offset += fresh.length
    const all = Buffer.concat([...parts, fresh])
    const end = all.lastIndexOf(0x0a) + 1
    this.#rest = all.subarray(end)
    return all.subarray(0, end).toString('utf8')
  }
}

const fileNumber = async (path: string): Promise<number | undefined> =>
  (await stat(path).catch(() => undefined))?.ino

async function readFrom(path: string, offset: number): Promise<Buffer> {
  try {
    const chunks: Buffer[] = []
    for await (const chunk of createReadStream(path, { start: offset })) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks)
  } catch {
    return Buffer.alloc(0)
  }
}

async function linesIn(path: string): Promise<readonly Line[]> {
  return linesOf(Buffer.concat([await readFrom(`${path}.1`, 0), await readFrom(path, 0)]).toString('utf8'))
}

function linesOf(text: string): readonly Line[] {
  return text.split('\n').flatMap((line) => {
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
