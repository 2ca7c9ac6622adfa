import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { FakeClock } from '../../src/platform/clock.ts'
import type { Handler, HttpRequest, HttpResponse } from '../../src/server/http/exchange.ts'
import { BodyError } from '../../src/server/http/exchange.ts'
import { splitTarget } from '../../src/server/http/parts.ts'
import { askH2, startTestServer, tlsOf } from './start-server.ts'

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body,
})

const echo: Handler = async (request) => {
  try {
    const body = (await request.body()).toString('utf8')
    const { method, path, query } = request
    return text(
      200,
      JSON.stringify({ method, path, query, body, groups: request.headers.all('impersonate-group') }),
    )
  } catch (error) {
    return text(error instanceof BodyError ? error.code : 500, String(error))
  }
}

t.test('a handler sees the same request and gives the same answer over HTTP/2 and HTTP/1.1', async (t) => {
  await using server = await startTestServer({ handler: echo })
  const ask = { method: 'POST', headers: { 'impersonate-group': ['a', 'b, c'] }, body: 'hello' }
  const expected = { method: 'POST', path: '/a%2Fb', query: 'x=1&x=2', body: 'hello', groups: ['a', 'b, c'] }
  for (const send of [server.h1, server.h2]) {
    const reply = await send('/a%2Fb?x=1&x=2', ask)
    t.equal(reply.status, 200)
    t.same(reply.json(), expected)
  }
})

t.test('a body over the bound is refused with 413, whether its length is promised or not', async (t) => {
  await using server = await startTestServer({ handler: echo, limits: { bodyBytesMax: 1000 } })
  for (const send of [server.h1, server.h2]) {
    t.equal((await send('/', { method: 'POST', body: 'x'.repeat(1000) })).status, 200)
    t.equal(
      (await send('/', { method: 'POST', body: 'x'.repeat(1001), headers: { 'content-length': '1001' } }))
        .status,
      413,
    )
    t.equal((await send('/', { method: 'POST', body: 'x'.repeat(5000), headers: {} })).status, 413)
  }
})

t.test('a body that does not arrive in time is refused with 408', async (t) => {
  const clock = new FakeClock()
  const asked = Promise.withResolvers<void>()
  const handler: Handler = async (request) => {
    const answer = echo(request)
    asked.resolve()
    return answer
  }
  await using server = await startTestServer({ handler, clock })
  const session = server.session()
  const stream = session.request({ ':method': 'POST', ':path': '/' })
  stream.write('slow')
  await asked.promise
  await clock.advance(60_000)
  const [headers] = await once(stream, 'response')
  t.equal(headers[':status'], 408)
  session.destroy()
})

t.test('a header that must stand once and does not is refused', async (t) => {
  await using server = await startTestServer({ handler: echo })
  const socket = connectTls({
    host: '127.0.0.1',
    port: server.server.port,
    ca: server.pki.caPem(),
    ALPNProtocols: ['http/1.1'],
  })
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n')
  const [chunk] = await once(socket, 'data')
  t.match(String(chunk), /^HTTP\/1\.1 400 /)
  socket.destroy()
})

t.test('a client certificate reaches the handler only when our authority signed it', async (t) => {
  const seen: (number | undefined)[] = []
  const handler: Handler = async (request) => {
    seen.push(request.clientCertificate?.length)
    return text(200, 'ok')
  }
  await using server = await startTestServer({ handler })
  await using stranger = await startTestServer({ handler })
  const issue = (from: typeof server) => {
    const { certificatePem, keyPem } = from.pki.issueClientCertificate({
      user: 'u',
      groups: [],
      validityMs: 3_600_000,
    })
    return { cert: certificatePem, key: keyPem }
  }
  for (const send of [server.h1, server.h2]) {
    await send('/', { tls: issue(server) })
    await send('/', { tls: issue(stranger) })
    await send('/')
  }
  t.same(
    seen.map((bytes) => bytes !== undefined && bytes > 100),
    [true, false, false, true, false, false],
  )
})

async function* pieces(count: number, piece: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) yield piece
}

t.test('a long answer arrives whole, and compressed for those who take gzip', async (t) => {
  const piece = Buffer.alloc(256 * 1024, 'kubernetes ')
  const handler: Handler = async (request) => ({
    status: 200,
    headers: {},
    body: request.path === '/whole' ? Buffer.concat([piece, piece]) : pieces(20, piece),
    bodyBytes: 20 * piece.length,
  })
  await using server = await startTestServer({ handler })
  for (const send of [server.h1, server.h2]) {
    const plain = await send('/stream')
    t.equal(plain.raw.length, 20 * piece.length)
    t.equal(plain.headers['content-encoding'], undefined)
    const zipped = await send('/stream', { headers: { 'accept-encoding': 'gzip' } })
    t.equal(zipped.headers['content-encoding'], 'gzip')
    t.equal(gunzipSync(zipped.raw).length, 20 * piece.length)
    const whole = await send('/whole', { headers: { 'accept-encoding': 'gzip' } })
    t.equal(gunzipSync(whole.raw).length, 2 * piece.length)
    t.equal(
      (await send('/whole', { headers: { 'accept-encoding': 'gzip;q=0' } })).headers['content-encoding'],
      undefined,
    )
  }
})

t.test('a client that goes away ends the answer it was reading', async (t) => {
  let ended = Promise.withResolvers<void>()
  const gone = { aborted: 0 }
  async function* endless(request: HttpRequest): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield Buffer.alloc(64 * 1024)
    } finally {
      if (request.signal.aborted) gone.aborted += 1
      ended.resolve()
    }
  }
  const handler: Handler = async (request) => ({
    status: 200,
    headers: {},
    body: endless(request),
    isStream: true,
  })
  await using server = await startTestServer({ handler })
  const session = server.session()
  const stream = session.request({ ':path': '/' })
  await once(stream, 'response')
  stream.close()
  await ended.promise
  session.destroy()
  ended = Promise.withResolvers<void>()
  const request = httpsRequest({
    host: '127.0.0.1',
    port: server.server.port,
    ca: server.pki.caPem(),
    agent: false,
  })
  request.on('error', () => undefined)
  request.end()
  await once(request, 'response')
  request.destroy()
  await ended.promise
  t.equal(gone.aborted, 2)
})

t.test('a reader that takes nothing is cut off after a while', async (t) => {
  const clock = new FakeClock()
  const ended = Promise.withResolvers<void>()
  let produced = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        produced += 1
        yield Buffer.alloc(256 * 1024)
      }
    } finally {
      ended.resolve()
    }
  }
  const handler: Handler = async () => ({ status: 200, headers: {}, body: endless(), isStream: true })
  await using server = await startTestServer({ handler, clock })
  const session = server.session()
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => undefined)
  await once(stream, 'response')
  stream.pause()
  // The windows fill up, then nothing is asked for any more.
  let before = -1
  while (before !== produced) {
    before = produced
    await roundTrip(session)
  }
  await clock.advance(61_000)
  await ended.promise
  t.ok(produced < 100, 'what nobody reads is not produced')
  session.destroy()
})

function roundTrip(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.ping(() => resolve())
  })
}

t.test('renewed certificates are used for new connections', async (t) => {
  await using server = await startTestServer({ handler: echo })
  await using other = await startTestServer({ handler: echo })
  server.server.renew(tlsOf(other.pki))
  await t.rejects(server.h2('/'))
  t.equal((await server.h2('/', { tls: { ca: other.pki.caPem() } })).status, 200)
})

t.test('closing lets running requests finish, tells streams to end, and takes no new ones', async (t) => {
  const release = Promise.withResolvers<void>()
  const running = Promise.withResolvers<void>()
  let waiting = 0
  const handler: Handler = async (request) => {
    waiting += 1
    if (waiting === 3) running.resolve()
    if (request.path === '/watch') {
      return { status: 200, headers: {}, isStream: true, body: untilClosing(request) }
    }
    await release.promise
    return text(200, 'finished')
  }
  await using server = await startTestServer({ handler })
  const session = server.session()
  const slow = askH2(session, '/slow')
  const watch = askH2(session, '/watch')
  const old = server.h1('/slow')
  await running.promise
  const closed = server.server.close(10_000)
  t.equal((await watch).text, 'ended')
  await t.rejects(server.h2('/slow'))
  release.resolve()
  t.equal((await slow).text, 'finished')
  t.equal((await old).headers.connection, 'close')
  await closed
})

async function* untilClosing({ closing }: HttpRequest): AsyncGenerator<Uint8Array> {
  if (!closing.aborted) await once(closing, 'abort')
  yield Buffer.from('ended')
}

t.test('closing cuts what does not end within the grace', async (t) => {
  const running = Promise.withResolvers<void>()
  const handler: Handler = async () => {
    running.resolve()
    return new Promise(() => undefined)
  }
  await using server = await startTestServer({ handler })
  const asked = server.h2('/').catch((error: Error) => error)
  await running.promise
  await server.server.close(1)
  t.type(await asked, Error)
})

t.test('a handler that fails answers 500 without saying why', async (t) => {
  const handler: Handler = async () => {
    throw new Error('secret detail')
  }
  await using server = await startTestServer({ handler })
  for (const send of [server.h1, server.h2]) {
    const reply = await send('/')
    t.equal(reply.status, 500)
    t.notMatch(reply.text, /secret/)
  }
})

t.test('HEAD gets the headers alone', async (t) => {
  await using server = await startTestServer({ handler: async () => text(200, 'body') })
  for (const send of [server.h1, server.h2]) {
    const reply = await send('/', { method: 'HEAD' })
    t.equal(reply.status, 200)
    t.equal(reply.text, '')
  }
})

t.test('upgrade requests go to their own handler, with the identity of the connection', async (t) => {
  await using server = await startTestServer({
    handler: echo,
    onUpgrade: (request, socket) => {
      socket.end(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n${request.path} ${request.query}`,
      )
    },
  })
  const request = httpsRequest({
    host: '127.0.0.1',
    port: server.server.port,
    ca: server.pki.caPem(),
    path: '/exec?x=1',
    headers: { connection: 'Upgrade', upgrade: 'test' },
  })
  request.end()
  const [, socket, head] = await once(request, 'upgrade')
  let received = String(head)
  for await (const chunk of socket) received += chunk
  t.equal(received, '/exec x=1')
})

t.test('splitTarget() takes paths and absolute forms, and nothing else', async (t) => {
  t.same(splitTarget('/a/b?c=d?e'), { path: '/a/b', query: 'c=d?e' })
  t.same(splitTarget('https://evil:1/a?b'), { path: '/a', query: 'b' })
  t.same(splitTarget('http://evil'), { path: '/', query: '' })
  t.same(splitTarget('//evil/a'), { path: '//evil/a', query: '' })
  for (const target of ['*', '', 'api/v1', 'example.com:443']) t.equal(splitTarget(target), undefined)
})
