// Header blocks of SPDY/3: names and values, compressed with one context a direction that lives as long as the session.

import { constants, createDeflate, createInflate } from 'node:zlib'
import { headerDictionary } from './dictionary.ts'

export type Headers = ReadonlyMap<string, string>

const blockBytesMax = 64 * 1024
const headersMax = 100

export interface HeaderCodec {
  /** Blocks are read in the order in which they came; throws for one that is broken or too large. */
  decode(block: Buffer): Promise<Headers>
  encode(headers: Headers): Promise<Buffer>
  close(): void
}

export function createHeaderCodec(): HeaderCodec {
  const settings = { dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH }
  const inflate = createInflate(settings)
  const deflate = createDeflate(settings)
  const decoding = turns(inflate)
  const encoding = turns(deflate)
  return {
    decode: async (block) => headersOf(await decoding(block)),
    encode: (headers) => encoding(blockOf(headers)),
    close: () => {
      inflate.destroy()
      deflate.destroy()
    },
  }
}

/** One block after the other through a stream that keeps its context. */
function turns(stream: ReturnType<typeof createInflate>): (block: Buffer) => Promise<Buffer> {
  let chunks: Buffer[] = []
  let bytes = 0
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > blockBytesMax) stream.destroy(new Error(`a header block is over ${blockBytesMax} bytes`))
  })
  // Reported to whoever has the block; a later one is refused by the write.
  stream.on('error', () => undefined)
  let last: Promise<unknown> = Promise.resolve()
  const one = (block: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const fail = (): void => reject(stream.errored ?? new Error('the session has ended'))
      if (stream.destroyed) return fail()
      stream.once('close', fail)
      stream.write(block, (error) => {
        stream.off('close', fail)
        // zlib calls one that was cut off in its midst a success.
        if (error || stream.destroyed)
          return reject(error ?? stream.errored ?? new Error('the session has ended'))
        const whole = Buffer.concat(chunks)
        chunks = []
        bytes = 0
        resolve(whole)
      })
    })
  return (block) => {
    const next = last.then(() => one(block))
    last = next.catch(() => undefined)
    return next
  }
}

function headersOf(block: Buffer): Headers {
  let at = 0
  const number = (): number => {
    at += 4
    return block.readUInt32BE(at - 4)
  }
  const text = (): string => {
    const length = number()
    if (length > block.length - at) throw new Error('a header reaches beyond its block')
    at += length
    return block.toString('utf8', at - length, at)
  }
  const count = number()
  if (count > headersMax) throw new Error(`a header block has over ${headersMax} headers`)
  return new Map(Array.from({ length: count }, () => [text().toLowerCase(), text()]))
}

function blockOf(headers: Headers): Buffer {
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(value)
    return bytes
  }
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value)
    return Buffer.concat([number(bytes.length), bytes])
  }
  const pairs = [...headers].flatMap(([name, value]) => [text(name), text(value)])
  return Buffer.concat([number(headers.size), ...pairs])
}
