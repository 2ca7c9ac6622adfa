// SPDY/3.1 as Kubernetes speaks it, without a client: what is broken or too large ends the session, and only that.

import { PassThrough } from 'node:stream'
import t from 'tap'
import { headerDictionary } from '../../src/node/spdy/dictionary.ts'
import {
  controlFrame,
  dataFrame,
  type Frame,
  flagFin,
  framesOf,
  frameTypes,
} from '../../src/node/spdy/frames.ts'
import { createHeaderCodec } from '../../src/node/spdy/headers.ts'
import { SpdySession, type SpdyStream } from '../../src/node/spdy/session.ts'

t.test('the dictionary is that of the draft', (t) => {
  t.equal(headerDictionary.length, 1423)
  // zlib names a dictionary by this sum: RFC 1950.
  let [a, b] = [1, 0]
  for (const byte of headerDictionary) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  t.equal(b * 65_536 + a, 0xe3c6a7c2)
  t.end()
})

t.test('headers keep their context from block to block, and are bounded', async (t) => {
  const [one, other] = [createHeaderCodec(), createHeaderCodec()]
  for (const port of ['80', '81']) {
    const headers = new Map([['port', port]])
    t.same(await other.decode(await one.encode(headers)), headers)
  }
  const bomb = await one.encode(new Map([['x', 'x'.repeat(10_000_000)]]))
  await t.rejects(other.decode(bomb), /is over/)
  await t.rejects(other.decode(Buffer.alloc(4)), 'and nothing comes after it')
  const third = createHeaderCodec()
  await t.rejects(third.decode(Buffer.from('this is no compressed block')))
  third.close()
  one.close()
  other.close()
})

t.test('a frame that is too large or of another protocol is refused', async (t) => {
  const read = async (...chunks: readonly Buffer[]): Promise<readonly Frame[]> => {
    const source = new PassThrough()
    for (const chunk of chunks) source.write(chunk)
    source.end()
    return await Array.fromAsync(framesOf(source))
  }
  const whole = dataFrame(1, flagFin, Buffer.from('data'))
  t.match(await read(whole.subarray(0, 3), whole.subarray(3)), [{ streamId: 1, body: Buffer.from('data') }])
  t.same(await read(whole.subarray(0, 9)), [], 'what is cut off is not a frame')
  await t.rejects(read(Buffer.from([0, 0, 0, 1, 0, 0xff, 0xff, 0xff])), /over/)
  await t.rejects(read(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0])), /not of SPDY/)
})

t.test('a session opens streams, answers pings, and ends with its client', async (t) => {
  const source = new PassThrough()
  const sent = new PassThrough()
  const opened = Promise.withResolvers<SpdyStream>()
  const session = new SpdySession(
    { source, send: async (data) => sent.write(data) || true, close: () => void sent.end() },
    opened.resolve,
  )
  const running = session.run()
  const client = createHeaderCodec()
  const head = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  source.write(
    controlFrame(frameTypes.synStream, 0, head, await client.encode(new Map([['streamtype', 'data']]))),
  )
  source.write(controlFrame(frameTypes.ping, 0, 7))
  source.write(dataFrame(1, flagFin, Buffer.from('all')))
  const stream = await opened.promise
  t.equal(stream.headers.get('streamtype'), 'data')
  t.equal(String(Buffer.concat(await stream.toArray())), 'all')
  stream.end('answer')
  source.end()
  await running
  t.ok(stream.destroyed)
  const frames = await Array.fromAsync(framesOf(sent))
  t.same(
    frames.slice(0, 2).map(({ type }) => type),
    [frameTypes.synReply, frameTypes.ping],
  )
  client.close()
})
