// Writes an answer's body to a socket no faster than the client reads it.
// Which bytes, and in which chunks, is decided before: iterables come in pieces of about 256 KiB.

import type { Writable } from 'node:stream'
import type { Clock } from '../../platform/clock.ts'

/** Pieces of a long body; larger ones stall the event loop, smaller ones cost more writes. */
export const chunkBytes = 256 * 1024

interface WriteOptions {
  readonly clock: Clock
  /** A client that takes nothing for so long is cut off. */
  readonly stallTimeoutMs: number
}

/** Resolves when the last byte is handed over, or the client has gone; ends the iterable in either case. */
export async function writeIterable(
  sink: Writable,
  body: AsyncIterable<Uint8Array>,
  { clock, stallTimeoutMs }: WriteOptions,
): Promise<void> {
  for await (const chunk of body) {
    if (sink.destroyed) return
    if (sink.write(chunk)) continue
    if (!(await drained(sink, { clock, stallTimeoutMs }))) return
  }
  if (!sink.destroyed) sink.end()
}

function drained(sink: Writable, { clock, stallTimeoutMs }: WriteOptions): Promise<boolean> {
  return new Promise((resolve) => {
    if (sink.destroyed) {
      resolve(false)
      return
    }
    const settle = (isOpen: boolean) => {
      cancel()
      sink.off('drain', onDrain).off('close', onClose)
      resolve(isOpen)
    }
    const onDrain = () => settle(true)
    const onClose = () => settle(false)
    const cancel = clock.setTimer(stallTimeoutMs, () => sink.destroy())
    sink.on('drain', onDrain).on('close', onClose)
  })
}

/** Joins small pieces into chunks worth a write. The pieces themselves are not changed. */
export async function* inChunks(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let held: Uint8Array[] = []
  let bytes = 0
  for (const piece of pieces) {
    held.push(piece)
    bytes += piece.byteLength
    if (bytes < chunkBytes) continue
    yield Buffer.concat(held, bytes)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held, bytes)
}
