// A container's output on disk, a line each as container runtimes write them: time, stream, whole or partial, text.
// Bounded: the older half is dropped. Reading it is log-reader.ts's.

import { type FileHandle, open, rename } from 'node:fs/promises'
import type { Clock } from '../../platform/clock.ts'

export const logBytesMax = 10 * 1024 * 1024
const lineBytesMax = 16 * 1024
const newline = 0x0a

export type Stream = 'stdout' | 'stderr'

export class LogFile implements AsyncDisposable {
  readonly path: string
  readonly #clock: Clock
  readonly #bytesMax: number
  readonly #rest: Record<Stream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  readonly #readers = new Set<() => void>()
  #handle: FileHandle
  #bytes: number
  #isClosed = false
  /** Writes follow one another: two streams share the file. */
  #last: Promise<void> = Promise.resolve()

  private constructor(
    handle: FileHandle,
    { path, clock, bytes, bytesMax }: { path: string; clock: Clock; bytes: number; bytesMax: number },
  ) {
    this.path = path
    this.#handle = handle
    this.#clock = clock
    this.#bytes = bytes
    this.#bytesMax = bytesMax
  }

  static async open({
    path,
    clock,
    bytesMax = logBytesMax,
  }: {
    path: string
    clock: Clock
    bytesMax?: number
  }): Promise<LogFile> {
    const handle = await open(path, 'a', 0o600)
    const { size } = await handle.stat()
    return new LogFile(handle, { path, clock, bytes: size, bytesMax })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Resolves when it is written, so that a program that writes faster than the disk waits. */
  write(stream: Stream, chunk: Buffer): Promise<void> {
    const lines = this.#linesIn(stream, chunk)
    return lines.length === 0 ? this.#last : this.#append(lines)
  }

  /** Told after each write and once when nothing more will come. */
  onChange(reader: () => void): () => void {
    this.#readers.add(reader)
    return () => void this.#readers.delete(reader)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    const rests = (['stdout', 'stderr'] as const).flatMap((stream) =>
      this.#rest[stream].length === 0 ? [] : [this.#format(stream, 'F', this.#rest[stream])],
    )
    if (rests.length > 0) await this.#append(Buffer.concat(rests))
    this.#isClosed = true
    await this.#last
    await this.#handle.close()
    this.#tell()
  }

  #linesIn(stream: Stream, chunk: Buffer): Buffer {
    const lines: Buffer[] = []
    let data = Buffer.concat([this.#rest[stream], chunk])
    for (;;) {
      const end = data.indexOf(newline)
      if (end === -1 && data.length < lineBytesMax) break
      const isWhole = end !== -1 && end <= lineBytesMax
      lines.push(this.#format(stream, isWhole ? 'F' : 'P', data.subarray(0, isWhole ? end : lineBytesMax)))
      data = data.subarray(isWhole ? end + 1 : lineBytesMax)
    }
    this.#rest[stream] = data
    return Buffer.concat(lines)
  }

  #format(stream: Stream, tag: 'F' | 'P', text: Buffer): Buffer {
    const time = new Date(this.#clock.now()).toISOString().replace('Z', '000000Z')
    return Buffer.concat([Buffer.from(`${time} ${stream} ${tag} `), text, Buffer.from('\n')])
  }

  #append(lines: Buffer): Promise<void> {
    this.#last = this.#last.then(async () => {
      if (this.#isClosed) return
      if (this.#bytes + lines.length > this.#bytesMax / 2 && this.#bytes > 0) await this.#rotate()
      await this.#handle.write(lines)
      this.#bytes += lines.length
      this.#tell()
    })
    return this.#last
  }

  async #rotate(): Promise<void> {
    await this.#handle.close()
    await rename(this.path, `${this.path}.1`)
    this.#handle = await open(this.path, 'a', 0o600)
    this.#bytes = 0
  }

  #tell(): void {
    for (const reader of this.#readers) reader()
  }
}
