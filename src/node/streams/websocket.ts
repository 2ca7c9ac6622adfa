// The server's side of a websocket (RFC 6455) over an upgraded socket: handshake, messages in, messages out.
// What the messages mean is the caller's. No extensions; text and binary are alike.

import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'

const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const messageBytesMax = 1024 * 1024

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface Handshake {
  readonly key: string
  readonly protocol: string
}

export class WebSocketServerEnd {
  readonly #socket: Duplex
  readonly #head: Buffer
  #isClosed = false

  /** Answers the handshake. */
  constructor(socket: Duplex, { key, protocol }: Handshake, head: Buffer) {
    this.#socket = socket
    this.#head = head
    const accept = createHash('sha1').update(`${key}${acceptGuid}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${protocol}\r\n\r\n`,
    )
  }

  /** Resolves when there is room for more; false once the other side is gone. */
  async send(data: Uint8Array): Promise<boolean> {
    if (this.#isClosed || !this.#socket.writable) return false
    if (!this.#socket.write(frameOf(opcodes.binary, data))) await drained(this.#socket)
    return this.#socket.writable
  }

  /** Harmless to call again. */
  close(code = 1000): void {
    if (this.#isClosed) return
    this.#isClosed = true
    const reason = Buffer.alloc(2)
    reason.writeUInt16BE(code)
    if (this.#socket.writable) this.#socket.end(frameOf(opcodes.close, reason))
  }

  /** Whole messages until the other side closes; throws when it breaks the protocol. Read it once. */
  async *messages(): AsyncGenerator<Buffer> {
    let parts: Buffer[] = []
    let bytes = 0
    for await (const { opcode, isLast, data } of framesOf(this.#head, this.#socket)) {
      if (opcode === opcodes.close) {
        this.close()
        return
      }
      if (opcode === opcodes.ping) this.#socket.write(frameOf(opcodes.pong, data))
      if (opcode > opcodes.close) continue
      parts.push(data)
      bytes += data.length
      if (bytes > messageBytesMax) throw new Error(`a message is over ${messageBytesMax} bytes`)
      if (!isLast) continue
      yield parts.length === 1 ? data : Buffer.concat(parts)
      parts = []
      bytes = 0
    }
  }
}

function frameOf(opcode: number, data: Uint8Array): Buffer {
  const { length } = data
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  if (length < 126) head[1] = length
  else if (length < 65_536) {
    head[1] = 126
    head.writeUInt16BE(length, 2)
  } else {
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, data])
}

interface Frame {
  readonly opcode: number
  readonly isLast: boolean
  readonly data: Buffer
}

async function* framesOf(head: Buffer, socket: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let buffer: Buffer = head
  const iterator = socket[Symbol.asyncIterator]()
  for (;;) {
    const frame = readFrame(buffer)
    if (frame !== undefined) {
      buffer = buffer.subarray(frame.size)
      yield frame
      continue
    }
    const next = await iterator.next()
    if (next.done === true) return
    buffer = buffer.length === 0 ? next.value : Buffer.concat([buffer, next.value])
  }
}

/** Undefined while it is not whole. */
function readFrame(buffer: Buffer): (Frame & { readonly size: number }) | undefined {
  if (buffer.length < 2) return undefined
  const first = buffer.readUInt8(0)
  const second = buffer.readUInt8(1)
  if ((first & 0x70) !== 0) throw new Error('a frame uses an extension that was not agreed')
  if ((second & 0x80) === 0) throw new Error('a frame of a client is not masked')
  const short = second & 0x7f
  const start = short === 126 ? 4 : short === 127 ? 10 : 2
  if (buffer.length < start + 4) return undefined
  const length =
    short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short
  if (length > messageBytesMax) throw new Error(`a frame is over ${messageBytesMax} bytes`)
  const size = start + 4 + length
  if (buffer.length < size) return undefined
  const mask = buffer.subarray(start, start + 4)
  const data = Buffer.from(buffer.subarray(start + 4, size))
  for (let at = 0; at < data.length; at++) data.writeUInt8(data.readUInt8(at) ^ mask.readUInt8(at & 3), at)
  return { opcode: first & 0x0f, isLast: (first & 0x80) !== 0, data, size }
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
    socket.on('drain', done)
    socket.on('close', done)
  })
}
