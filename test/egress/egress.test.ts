// Where requests of tenants may not lead, and what a hostile server on the other side can do.

import { test } from 'tap'
import { isDenied } from '../../src/egress/deny.ts'
import { createEgress } from '../../src/egress/egress.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { startHttpsServer } from './https-server.ts'

const name = 'hook.example.com'
const wanted = { url: `https://${name}/admit`, body: '{}', timeoutMs: 10_000 }

test('B18 no address of this machine, its link or a metadata service is dialled, in any spelling', (t) => {
  const addresses = [
    ...['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '100.100.100.200', '168.63.129.16'],
    ...['192.0.0.192', '224.0.0.1', '255.255.255.255', '::1', '::', 'fe80::1', 'ff02::1', 'fd00:ec2::254'],
    ...['::ffff:127.0.0.1', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:7f00:1', '::127.0.0.1', '64:ff9b::a9fe:a9fe'],
    ...['2002:7f00:1::', '2001:0:7f00:1::', '::ffff:0:127.0.0.1', 'fe80::1%eth0', 'localhost', '', '127.1'],
  ]
  for (const address of addresses) t.equal(isDenied(address), true, address)
  for (const address of ['10.96.0.7', '192.168.1.1', '8.8.8.8', '2606:4700::1', '::ffff:10.0.0.1', 'fd12::1'])
    t.equal(isDenied(address), false, address)
  t.end()
})

test('B18 the far end sees no connection for an address that is denied', async (t) => {
  await using server = await startHttpsServer([name], (_request, _body, response) => void response.end('{}'))
  const { dial } = server
  const cases: readonly [string, Parameters<typeof createEgress>[0], object][] = [
    ['a literal', { dial }, { url: 'https://169.254.169.254/latest' }],
    ['a decimal literal', { dial }, { url: 'https://2130706433/' }],
    ['a mapped literal', { dial }, { url: 'https://[::ffff:127.0.0.1]/' }],
    ['a name', { dial, resolve: async () => ['127.0.0.1'] }, {}],
    ['a name with one good address', { dial, resolve: async () => ['10.0.0.1', '169.254.169.254'] }, {}],
    ['endpoints that a tenant wrote', { dial }, { addresses: [{ host: '169.254.169.254', port: 80 }] }],
    ['the plane itself', { dial, isOwn: ({ host }) => host === '10.96.0.1' }, { url: 'https://10.96.0.1/' }],
  ]
  for (const [what, options, change] of cases) {
    await t.rejects(
      createEgress(options).post({ ...wanted, ...change }),
      { message: /does not connect to that address/ },
      what,
    )
  }
  t.strictSame(server.dialled, [])
})

test('B18 a name is resolved once, so a name server that changes its mind is too late', async (t) => {
  await using server = await startHttpsServer(
    [name],
    (_request, _body, response) => void response.end('{"a":1}'),
  )
  const answers = [['203.0.113.9'], ['127.0.0.1']]
  let asked = 0
  const egress = createEgress({ dial: server.dial, resolve: async () => answers[asked++] ?? [] })
  const { status, body } = await egress.post({ ...wanted, ca: server.caPem })
  t.equal(status, 200)
  t.equal(body.toString(), '{"a":1}')
  t.equal(asked, 1)
  t.strictSame(server.dialled, ['203.0.113.9:443'])
})

test('B18 a redirect is an error, and nobody goes there', async (t) => {
  await using server = await startHttpsServer([name], (_request, _body, response) => {
    response.writeHead(302, { location: 'https://169.254.169.254/latest' }).end()
  })
  const egress = createEgress({ dial: server.dial, resolve: async () => ['203.0.113.9'] })
  await t.rejects(egress.post({ ...wanted, ca: server.caPem }), { message: /redirects are not followed/ })
  t.equal(server.dialled.length, 1)
})

test('a certificate must come from the given authority and be for the name', async (t) => {
  await using server = await startHttpsServer([name], (_request, _body, response) => void response.end('{}'))
  const egress = createEgress({ dial: server.dial, resolve: async () => ['203.0.113.9'] })
  await t.rejects(egress.post(wanted), { message: /x509: certificate signed by unknown authority/ })
  await t.rejects(egress.post({ ...wanted, url: 'https://other.example.com/', ca: server.caPem }), {
    message:
      'tls: failed to verify certificate: x509: certificate is valid for hook.example.com, not other.example.com',
  })
})

test('B19 an endless answer is cut off', async (t) => {
  await using server = await startHttpsServer([name], (_request, _body, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    const more = (): void => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', more)
    more()
  })
  const egress = createEgress({ dial: server.dial, resolve: async () => ['203.0.113.9'] })
  await t.rejects(egress.post({ ...wanted, ca: server.caPem }), { message: /larger than 8388608 bytes/ })
})

test('B19 a server that says nothing costs its timeout and no more', async (t) => {
  const clock = new FakeClock()
  let isAsked = (): void => undefined
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve
  })
  await using server = await startHttpsServer([name], () => isAsked())
  const egress = createEgress({ dial: server.dial, resolve: async () => ['203.0.113.9'], clock })
  const answer = egress.post({ ...wanted, ca: server.caPem })
  answer.catch(() => undefined)
  await asked
  await clock.advance(10_000)
  await t.rejects(answer, { message: 'context deadline exceeded', isTimeout: true })
  t.equal(clock.pendingTimers, 0)
})

test('B19 a lookup or a connection that hangs ends with the timeout', async (t) => {
  const clock = new FakeClock()
  const hanging = new Promise<never>(() => undefined)
  const lookups = createEgress({ resolve: () => hanging, clock }).post(wanted)
  lookups.catch(() => undefined)
  await clock.advance(10_000)
  await t.rejects(lookups, { message: 'context deadline exceeded' })
})
