// Names that are not the cluster's: the machine's resolvers in order, over UDP and, when cut, over TCP.
// Answers travel as bytes, so that every type passes; a few are kept for some seconds.

import { createSocket } from 'node:dgram'
import { createConnection, isIP } from 'node:net'
import { encode, RECURSION_DESIRED } from 'dns-packet'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Asked } from './records.ts'
import type { Resolver } from './resolv-conf.ts'

const tryMs = 2_000
const keepMs = 5_000
const keptMax = 1_000
const inFlightMax = 256
const truncatedBit = 0x02

export interface UpstreamOptions {
  readonly resolvers: readonly Resolver[]
  readonly clock: Clock
  readonly random: Random
}

export class Upstream {
  readonly #options: UpstreamOptions
  readonly #kept = new Map<string, { readonly bytes: Buffer; readonly untilMs: number }>()
  readonly #inFlight = new Set<() => void>()
  #isStopped = false

  constructor(options: UpstreamOptions) {
    this.#options = options
  }

  /** The whole answer under an id of its own; undefined when nobody answers in time or too many ask. */
  async ask({ name, type }: Asked): Promise<Buffer | undefined> {
    const { clock, random, resolvers } = this.#options
    const key = `${type} ${name.toLowerCase()}`
    const kept = this.#kept.get(key)
    if (kept !== undefined && kept.untilMs > clock.monotonic()) return kept.bytes
    for (const resolver of resolvers) {
      if (this.#isStopped || this.#inFlight.size >= inFlightMax) return undefined
      const [high = 0, low = 0] = random.bytes(2)
      const query = encode({
        type: 'query',
        id: high * 256 + low,
        flags: RECURSION_DESIRED,
        questions: [{ name, type: type as never }],
      })
      const short = await this.#askOnce(query, (done) => overUdp(resolver, query, done))
      const isCut = short !== undefined && (short.readUInt8(2) & truncatedBit) !== 0
      const bytes = isCut ? await this.#askOnce(query, (done) => overTcp(resolver, query, done)) : short
      if (bytes !== undefined) return this.#keep(key, bytes)
    }
    return undefined
  }

  stop(): void {
    this.#isStopped = true
    for (const end of [...this.#inFlight]) end()
  }

  #keep(key: string, bytes: Buffer): Buffer {
    const code = bytes.readUInt8(3) & 0x0f
    if (code !== 0 && code !== 3) return bytes
    this.#kept.delete(key)
    if (this.#kept.size >= keptMax) this.#kept.delete(this.#kept.keys().next().value ?? '')
    this.#kept.set(key, { bytes, untilMs: this.#options.clock.monotonic() + keepMs })
    return bytes
  }

  #askOnce(query: Buffer, start: (done: Done) => () => void): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const finish = (bytes?: Buffer): void => {
        if (!this.#inFlight.delete(end)) return
        cancel()
        close()
        resolve(bytes)
      }
      const end = (): void => finish()
      this.#inFlight.add(end)
      const cancel = this.#options.clock.setTimer(tryMs, end)
      const close = start((bytes) => {
        // A foreign datagram is waited over: only the answer to this very question counts.
        if (bytes === undefined) finish()
        else if (isAnswerTo(query, bytes)) finish(bytes)
      })
    })
  }
}

/** Called later, never at once. */
type Done = (bytes?: Buffer) => void

function isAnswerTo(query: Buffer, bytes: Buffer): boolean {
  const text = (one: Buffer): string => one.subarray(12, query.length).toString('latin1').toLowerCase()
  return (
    bytes.length >= query.length &&
    bytes.readUInt16BE(0) === query.readUInt16BE(0) &&
    (bytes.readUInt8(2) & 0x80) !== 0 &&
    text(bytes) === text(query)
  )
}

function overUdp({ address, port }: Resolver, query: Buffer, done: Done): () => void {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4')
  let isClosed = false
  socket.on('error', () => done())
  socket.on('message', (bytes) => done(bytes))
  socket.connect(port, address, () => {
    if (!isClosed) socket.send(query)
  })
  return () => {
    isClosed = true
    socket.close()
  }
}

function overTcp({ address, port }: Resolver, query: Buffer, done: Done): () => void {
  const socket = createConnection({ host: address, port })
  let heard: Buffer = Buffer.alloc(0)
  socket.on('error', () => done())
  socket.on('close', () => done())
  socket.on('data', (part: Buffer) => {
    heard = Buffer.concat([heard, part])
    if (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0))
      done(heard.subarray(2, 2 + heard.readUInt16BE(0)))
  })
  const length = Buffer.alloc(2)
  length.writeUInt16BE(query.length)
  socket.write(Buffer.concat([length, query]))
  return () => socket.destroy()
}
