// Frames of SPDY/3.1 to and from bytes. What they mean for streams is session.ts's.

export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const

export const flagFin = 1

export interface Frame {
  /** Absent: data. */
  readonly type?: number | undefined
  readonly flags: number
  /** Of data only. */
  readonly streamId: number
  readonly body: Buffer
}

const frameBytesMax = 1024 * 1024
const headBytes = 8

/** Throws for what is no SPDY/3 frame or is too large. A stream that ends inside a frame just ends. */
export async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let buffer: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
    for (;;) {
      if (buffer.length < headBytes) break
      const length = buffer.readUIntBE(5, 3)
      if (length > frameBytesMax) throw new Error(`a frame is over ${frameBytesMax} bytes`)
      if (buffer.length < headBytes + length) break
      yield frameOf(buffer, buffer.subarray(headBytes, headBytes + length))
      buffer = buffer.subarray(headBytes + length)
    }
  }
}

function frameOf(buffer: Buffer, body: Buffer): Frame {
  const first = buffer.readUInt32BE(0)
  const flags = buffer.readUInt8(4)
  if (first < 0x80000000) return { flags, streamId: first, body }
  if (buffer.readUInt16BE(0) !== 0x8003) throw new Error('a control frame is not of SPDY/3')
  return { type: buffer.readUInt16BE(2), flags, streamId: 0, body }
}

export function dataFrame(streamId: number, flags: number, data: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(streamId)
  return framed(head, flags, data)
}

export function controlFrame(type: number, flags: number, ...body: readonly (number | Uint8Array)[]): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt16BE(0x8003)
  head.writeUInt16BE(type, 2)
  return framed(
    head,
    flags,
    Buffer.concat(body.map((part) => (typeof part === 'number' ? word(part) : part))),
  )
}

function framed(head: Buffer, flags: number, body: Uint8Array): Buffer {
  head.writeUInt8(flags, 4)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
