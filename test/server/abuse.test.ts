// Clients that mean harm, by the ids of the threat list: a healthy client beside them must not notice.

import { once } from 'node:events'
import { constants } from 'node:http2'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import t from 'tap'
import type { Handler } from '../../src/server/http/exchange.ts'
import { startTestServer, type TestServer } from './start-server.ts'

const ok: Handler = async () => ({ status: 200, headers: {}, body: 'ok' })
const readsBody: Handler = async (request) => {
  if (request.method === 'GET') return { status: 200, headers: {}, body: 'ok' }
  const { length } = await request.body()
  return { status: 200, headers: {}, body: String(length) }
}

const raw = async (server: TestServer, protocol: string): Promise<TLSSocket> => {
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.server.port,
    ca: server.pki.caPem(),
    ALPNProtocols: [protocol],
  })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

const closed = async (socket: TLSSocket): Promise<void> => {
  socket.resume()
  if (!socket.closed) await once(socket, 'close')
}

t.test('B1: bodies that never end hold up nobody else', async (t) => {
  await using server = await startTestServer({ handler: readsBody })
  const slow = await Promise.all(Array.from({ length: 50 }, () => raw(server, 'http/1.1')))
  for (const socket of slow)
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n')
  t.equal((await server.h1('/')).text, 'ok')
  t.equal((await server.h2('/')).text, 'ok')
  for (const socket of slow) socket.destroy()
})

t.test('B1: headers over the bound are refused', async (t) => {
  await using server = await startTestServer({ handler: ok, limits: { headerBytesMax: 8 * 1024 } })
  t.equal((await server.h1('/', { headers: { big: 'x'.repeat(16 * 1024) } })).status, 431)
  await t.rejects(server.h2('/', { headers: { big: 'x'.repeat(70 * 1024) } }))
  t.equal((await server.h2('/')).status, 200)
})

t.test('B11: a client that opens and resets streams as fast as it can does not stop others', async (t) => {
  let answered = 0
  const handler: Handler = async () => {
    answered += 1
    return { status: 200, headers: {}, body: 'ok' }
  }
  await using server = await startTestServer({ handler })
  const session = server.session()
  await once(session, 'connect')
  const attempts = 20_000
  for (let at = 0; at < attempts && !session.destroyed && !session.closed; at += 1) {
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => undefined)
    stream.close(constants.NGHTTP2_CANCEL)
    if (at % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal((await server.h2('/')).text, 'ok')
  t.ok(answered < attempts, 'the connection was cut before all of them were served')
  session.destroy()
})

t.test('B11: frames that are none end the connection', async (t) => {
  await using server = await startTestServer({ handler: ok })
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  const garbage = await raw(server, 'h2')
  garbage.write(Buffer.concat([Buffer.from(preface), Buffer.alloc(9), Buffer.alloc(4096, 0xff)]))
  await closed(garbage)
  t.equal((await server.h2('/')).text, 'ok')
})

t.test('B11: header blocks that go on and on end the connection', async (t) => {
  await using server = await startTestServer({ handler: ok })
  const socket = await raw(server, 'h2')
  const frame = (type: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  const [settings, headers, continuation] = [4, 1, 9]
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  socket.write(frame(settings, 0, Buffer.alloc(0)))
  socket.write(frame(headers, 1, Buffer.alloc(0)))
  const piece = frame(continuation, 1, Buffer.alloc(0))
  const flood = async (): Promise<void> => {
    while (socket.writable) {
      socket.write(Buffer.concat(Array.from({ length: 100 }, () => piece)))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all([flood(), closed(socket)])
  t.equal((await server.h2('/')).text, 'ok')
})

t.test('B13: a request that two readers could cut differently is refused', async (t) => {
  await using server = await startTestServer({ handler: readsBody })
  const smuggled = [
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd',
    'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nbad header: y\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ]
  for (const text of smuggled) {
    const socket = await raw(server, 'http/1.1')
    socket.write(text)
    const [chunk] = await once(socket, 'data')
    t.match(String(chunk), /^HTTP\/1\.1 400 /, JSON.stringify(text))
    socket.destroy()
  }
})

t.test('B13: header names are data, whatever they are called', async (t) => {
  const seen: (string | undefined)[] = []
  const handler: Handler = async ({ headers }) => {
    seen.push(headers.get('__proto__'), headers.get('constructor'), headers.get('toString'))
    return { status: 200, headers: {}, body: 'ok' }
  }
  await using server = await startTestServer({ handler })
  const socket = await raw(server, 'http/1.1')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n__proto__: evil\r\n\r\n')
  await once(socket, 'data')
  socket.destroy()
  t.same(seen, ['evil', undefined, undefined])
  t.equal(({} as Record<string, unknown>)['evil'], undefined)
})
