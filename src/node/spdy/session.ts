// The server's side of a SPDY/3.1 session: streams that the client opens, as Duplex streams.
// As in Kubernetes, windows are ignored: a reader that is slow holds up the whole session instead.

import { Duplex } from 'node:stream'
import { controlFrame, dataFrame, type Frame, flagFin, framesOf, frameTypes } from './frames.ts'
import { createHeaderCodec, type HeaderCodec, type Headers } from './headers.ts'

/** A socket, or the messages of a websocket. */
export interface Channel {
  readonly source: AsyncIterable<Buffer>
  /** Resolves when there is room for more; false once the other side is gone. */
  send(data: Uint8Array): Promise<boolean>
  close(): void
}

const streamsMax = 512
const unreadBytesMax = 256 * 1024
const dataBytesMax = 32 * 1024
const resetProtocolError = 1
const resetRefused = 3
const resetCancel = 5

export class SpdySession {
  readonly #channel: Channel
  readonly #codec: HeaderCodec = createHeaderCodec()
  readonly #streams = new Map<number, SpdyStream>()
  readonly #onStream: (stream: SpdyStream) => void
  #lastStreamId = 0

  constructor(channel: Channel, onStream: (stream: SpdyStream) => void) {
    this.#channel = channel
    this.#onStream = onStream
  }

  /** Reads until the client goes or `close()`; never rejects. Then no stream is left. */
  async run(): Promise<void> {
    try {
      for await (const frame of framesOf(this.#channel.source)) await this.#take(frame)
    } catch {
      // The client has gone or talks nonsense: both end the session.
    }
    for (const stream of [...this.#streams.values()]) stream.destroy()
    this.#codec.close()
    this.close()
  }

  close(): void {
    this.#channel.close()
  }

  async #take({ type, flags, streamId, body }: Frame): Promise<void> {
    if (type === undefined) return await this.#takeData(streamId, flags, body)
    if (type === frameTypes.synStream) return await this.#open(flags, body)
    if (type === frameTypes.synReply || type === frameTypes.headers) {
      // Of no use here, but the context of compression goes through them.
      await this.#codec.decode(body.subarray(4))
    } else if (type === frameTypes.rstStream) {
      this.#streams.get(body.readUInt32BE(0))?.destroyByClient()
    } else if (type === frameTypes.ping) {
      await this.#channel.send(controlFrame(frameTypes.ping, 0, body.readUInt32BE(0)))
    }
  }

  async #open(flags: number, body: Buffer): Promise<void> {
    const id = body.readUInt32BE(0) & 0x7fffffff
    const headers = await this.#codec.decode(body.subarray(10))
    if (id % 2 === 0 || id <= this.#lastStreamId)
      throw new Error('a stream has a number that it may not have')
    this.#lastStreamId = id
    if (this.#streams.size >= streamsMax) {
      await this.#channel.send(controlFrame(frameTypes.rstStream, 0, id, resetRefused))
      return
    }
    const stream = new SpdyStream(headers, {
      send: (data, isLast) => this.#send(id, data, isLast),
      closed: (isWhole) => {
        this.#streams.delete(id)
        if (!isWhole) void this.#channel.send(controlFrame(frameTypes.rstStream, 0, id, resetCancel))
      },
    })
    // A stream's own failure is its user's; without one, it is nobody's.
    stream.on('error', () => undefined)
    this.#streams.set(id, stream)
    await this.#channel.send(
      controlFrame(frameTypes.synReply, 0, id, await this.#codec.encode(new Map<string, string>())),
    )
    if ((flags & flagFin) !== 0) stream.push(null)
    this.#onStream(stream)
  }

  async #takeData(id: number, flags: number, data: Buffer): Promise<void> {
    const stream = this.#streams.get(id)
    if (stream === undefined) {
      // What was under way when we let go of it is not worth an answer.
      if (id > this.#lastStreamId)
        await this.#channel.send(controlFrame(frameTypes.rstStream, 0, id, resetProtocolError))
      return
    }
    if (data.length > 0) stream.push(data)
    if ((flags & flagFin) !== 0) stream.push(null)
    else if (stream.readableLength > unreadBytesMax) await stream.untilRead()
  }

  async #send(id: number, data: Uint8Array, isLast: boolean): Promise<void> {
    if (data.length === 0 || isLast) {
      await this.#channel.send(dataFrame(id, isLast ? flagFin : 0, data))
      return
    }
    for (let at = 0; at < data.length; at += dataBytesMax) {
      await this.#channel.send(dataFrame(id, 0, data.subarray(at, at + dataBytesMax)))
    }
  }
}

interface StreamWire {
  send(data: Uint8Array, isLast: boolean): Promise<void>
  /** Whole: both sides have said all. */
  closed(isWhole: boolean): void
}

export class SpdyStream extends Duplex {
  readonly headers: Headers
  readonly #wire: StreamWire
  #wakes: (() => void)[] = []
  #isReset = false

  constructor(headers: Headers, wire: StreamWire) {
    super({ allowHalfOpen: true })
    this.headers = headers
    this.#wire = wire
  }

  destroyByClient(): void {
    this.#isReset = true
    this.destroy()
  }

  /** Resolves when somebody asks for more, or nobody will. */
  untilRead(): Promise<void> {
    return new Promise((resolve) => {
      if (this.destroyed) resolve()
      else this.#wakes.push(resolve)
    })
  }

  override _read(): void {
    this.#wake()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#wire.send(chunk, false).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#wire.send(Buffer.alloc(0), true).then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#wake()
    this.#wire.closed(this.#isReset || (this.writableFinished && this.readableEnded))
    done(error)
  }

  #wake(): void {
    const wakes = this.#wakes
    this.#wakes = []
    for (const wake of wakes) wake()
  }
}
