import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { type DecodedPacket, decode, encode, type Packet, streamDecode, streamEncode } from 'dns-packet'
import fc from 'fast-check'
import { test } from 'tap'
import { createInProcessClient } from '../../src/client/in-process.ts'
import { endpointSlices, services } from '../../src/client/resources.ts'
import { readResolvers } from '../../src/dns/resolv-conf.ts'
import { startDns } from '../../src/dns/server.ts'
import { Upstream } from '../../src/dns/upstream.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeDoor } from '../client/fake-door.ts'

const http = { name: 'http', protocol: 'TCP', port: 80 }

/** Services of every sort behind a real server, and a resolver that knows `example.org`. */
async function setUp() {
  const client = createInProcessClient({
    door: new FakeDoor(),
    user: { name: 'dns', groups: [] },
    userAgent: 'test/1',
  })
  const service = (name: string, spec: object) =>
    client.create(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'shop' },
      spec,
    } as never)
  const slice = (name: string, endpoints: readonly object[]) =>
    client.create(endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-x`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ ...http, port: 8080 }],
    } as never)
  const unready = { addresses: ['10.1.0.9'], conditions: { ready: false } }
  await service('web', { clusterIP: '10.0.0.7', ports: [http] })
  await service('db', { clusterIP: 'None', ports: [http] })
  await slice('db', [{ addresses: ['10.1.0.1'], hostname: 'db-0' }, { addresses: ['10.1.0.2'] }, unready])
  await service('all', { clusterIP: 'None', publishNotReadyAddresses: true })
  await slice('all', [unready])
  await service('none', { clusterIP: 'None' })
  await service('away', { type: 'ExternalName', externalName: 'example.org' })
  await service('near', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' })
  await service('many', { clusterIP: 'None', ports: [http] })
  await slice(
    'many',
    Array.from({ length: 90 }, (_, index) => ({ addresses: [`10.2.0.${index + 1}`] })),
  )
  const resolver = await startResolver()
  const dns = await startDns({
    client,
    host: '127.0.0.1',
    port: 0,
    resolvers: [{ address: '127.0.0.1', port: resolver.address().port }],
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  })
  return {
    port: dns.port,
    asked: resolver.asked,
    [Symbol.asyncDispose]: async () => {
      await dns[Symbol.asyncDispose]()
      resolver.close()
    },
  }
}

async function startResolver(): Promise<Socket & { asked: string[] }> {
  const asked: string[] = []
  const socket = Object.assign(createSocket('udp4'), { asked })
  socket.on('message', (bytes, { port, address }) => {
    const { id = 0, questions = [] } = decode(bytes)
    const name = questions[0]?.name ?? ''
    asked.push(name)
    const isKnown = name === 'example.org'
    const answer = encode({
      type: 'response',
      id,
      flags: isKnown ? 0 : 3,
      questions,
      answers: isKnown ? [{ type: 'A', name, ttl: 60, data: '192.0.2.80' }] : [],
    })
    socket.send(answer, port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

const query = (name: string, type: string, more: Packet = {}): Packet => ({
  type: 'query',
  id: 77,
  flags: 256,
  questions: [{ name, type: type as never }],
  ...more,
})

async function sendUdp(port: number, bytes: Uint8Array): Promise<DecodedPacket> {
  const socket = createSocket('udp4')
  try {
    socket.send(bytes, port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return decode(answer)
  } finally {
    socket.close()
  }
}

async function sendTcp(port: number, packet: Packet): Promise<DecodedPacket> {
  const socket = connect(port, '127.0.0.1')
  socket.write(streamEncode(packet))
  let heard = Buffer.alloc(0)
  for await (const part of socket) {
    heard = Buffer.concat([heard, part as Buffer])
    if (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) break
  }
  return streamDecode(heard) as DecodedPacket
}

const shown = (packet: DecodedPacket): string =>
  [
    (packet as unknown as { rcode: string }).rcode,
    ...(packet.answers ?? []).map((answer) => {
      const { type, data } = answer as { type: string; data: unknown }
      if (type !== 'SRV') return `${type} ${String(data)}`
      const { target, port } = data as { target: string; port: number }
      return `SRV ${target}:${port}`
    }),
  ].join(', ')

const db = 'db.shop.svc.cluster.local'
const cases: readonly (readonly [string, string, string])[] = [
  ['web.shop.svc.cluster.local', 'A', 'NOERROR, A 10.0.0.7'],
  ['WEB.shop.svc.Cluster.Local', 'A', 'NOERROR, A 10.0.0.7'],
  ['web.shop.svc.cluster.local', 'AAAA', 'NOERROR'],
  ['web.shop.svc.cluster.local.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['x.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['web.other.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['shop.svc.cluster.local', 'A', 'NOERROR'],
  ['cluster.local', 'A', 'NOERROR'],
  ['svc.cluster.local', 'A', 'NOERROR'],
  ['web.cluster.local', 'A', 'NXDOMAIN'],
  [db, 'A', 'NOERROR, A 10.1.0.1, A 10.1.0.2'],
  [`db-0.${db}`, 'A', 'NOERROR, A 10.1.0.1'],
  [`10-1-0-2.${db}`, 'A', 'NOERROR, A 10.1.0.2'],
  [`db-1.${db}`, 'A', 'NXDOMAIN'],
  ['all.shop.svc.cluster.local', 'A', 'NOERROR, A 10.1.0.9'],
  ['none.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
  ['_http._tcp.web.shop.svc.cluster.local', 'SRV', 'NOERROR, SRV web.shop.svc.cluster.local:80'],
  ['_http._udp.web.shop.svc.cluster.local', 'SRV', 'NXDOMAIN'],
  [`_http._tcp.${db}`, 'SRV', `NOERROR, SRV db-0.${db}:8080, SRV 10-1-0-2.${db}:8080`],
  ['away.shop.svc.cluster.local', 'A', 'NOERROR, CNAME example.org, A 192.0.2.80'],
  ['near.shop.svc.cluster.local', 'A', 'NOERROR, CNAME web.shop.svc.cluster.local, A 10.0.0.7'],
  ['1-2-3-4.shop.pod.cluster.local', 'A', 'NOERROR, A 1.2.3.4'],
  ['1-2-3-999.shop.pod.cluster.local', 'A', 'NXDOMAIN'],
  ['7.0.0.10.in-addr.arpa', 'PTR', 'NOERROR, PTR web.shop.svc.cluster.local'],
  ['1.0.1.10.in-addr.arpa', 'PTR', `NOERROR, PTR db-0.${db}`],
  ['dns-version.cluster.local', 'TXT', 'NOERROR, TXT 1.1.0'],
  ['example.org', 'A', 'NOERROR, A 192.0.2.80'],
  ['nothing.example.org', 'A', 'NXDOMAIN'],
]

test('names of the cluster are answered as by CoreDNS, the same over UDP and TCP', async (t) => {
  await using dns = await setUp()
  for (const [name, type, wanted] of cases) {
    t.equal(shown(await sendUdp(dns.port, encode(query(name, type)))), wanted, `${type} ${name}`)
    t.equal(shown(await sendTcp(dns.port, query(name, type))), wanted, `${type} ${name} over TCP`)
  }
  t.same(dns.asked, ['example.org', 'nothing.example.org'], 'other names are kept for a moment')
})

test('an answer carries the id, an authority when it is empty, and addresses beside SRV records', async (t) => {
  await using dns = await setUp()
  const none = await sendUdp(dns.port, encode(query('x.shop.svc.cluster.local', 'A')))
  t.equal(none.id, 77)
  t.match(none.authorities, [{ type: 'SOA', name: 'cluster.local', ttl: 5 }])
  const found = await sendUdp(dns.port, encode(query(`_http._tcp.${db}`, 'SRV')))
  t.match(found.additionals, [
    { type: 'A', name: `db-0.${db}`, data: '10.1.0.1' },
    { type: 'A', data: '10.1.0.2' },
  ])
})

test('an answer that is too large is cut over UDP, less so with EDNS, and whole over TCP', async (t) => {
  await using dns = await setUp()
  const name = 'many.shop.svc.cluster.local'
  const cut = await sendUdp(dns.port, encode(query(name, 'A')))
  t.match(cut, { flag_tc: true, answers: [] })
  const whole = await sendTcp(dns.port, query(name, 'A'))
  t.match(whole, { flag_tc: false })
  t.equal(whole.answers?.length, 90)
  const option = { type: 'OPT', name: '.', udpPayloadSize: 4096, flags: 0, options: [] } as never
  const withOption = await sendUdp(
    dns.port,
    encode(query('web.shop.svc.cluster.local', 'A', { additionals: [option] })),
  )
  t.match(withOption.additionals, [{ type: 'OPT', udpPayloadSize: 1232 }])
})

test('what is no plain question is refused, and nothing stops the server', async (t) => {
  await using dns = await setUp()
  t.equal(shown(await sendUdp(dns.port, encode(query(db, 'AXFR')))), 'REFUSED')
  const update = encode(query(db, 'A', { flags: 5 << 11 }))
  t.equal(shown(await sendUdp(dns.port, update)), 'NOTIMP')
  const header = Buffer.from([0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 63])
  t.equal(shown(await sendUdp(dns.port, header)), 'FORMERR')
  const socket = createSocket('udp4')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (bytes) => {
      await new Promise((resolve) => socket.send(bytes, dns.port, '127.0.0.1', resolve))
    }),
  )
  socket.close()
  t.equal(
    shown(await sendUdp(dns.port, encode(query('web.shop.svc.cluster.local', 'A')))),
    'NOERROR, A 10.0.0.7',
  )
})

test('an answer that the resolver cut is fetched again over TCP', async (t) => {
  const answerTo = (bytes: Buffer, flags: number, data: string): Packet => {
    const { id = 0, questions = [] } = decode(bytes)
    const name = questions[0]?.name ?? ''
    return { type: 'response', id, flags, questions, answers: data === '' ? [] : [{ type: 'A', name, data }] }
  }
  const tcp = createServer((socket) => {
    socket.on('data', (part: Buffer) => socket.end(streamEncode(answerTo(part.subarray(2), 0, '192.0.2.9'))))
  })
  tcp.listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const { port } = tcp.address() as AddressInfo
  const udp = createSocket('udp4')
  udp.on('message', (bytes, from) => udp.send(encode(answerTo(bytes, 1 << 9, '')), from.port, from.address))
  udp.bind(port, '127.0.0.1')
  await once(udp, 'listening')
  t.teardown(() => {
    udp.close()
    tcp.close()
  })
  const resolvers = [{ address: '127.0.0.1', port }]
  const upstream = new Upstream({ resolvers, clock: systemClock, random: systemRandom })
  const found = await upstream.ask({ name: 'big.example.org', type: 'A' })
  t.match(decode(found ?? Buffer.alloc(12)).answers, [{ data: '192.0.2.9' }])
  upstream.stop()
  t.equal(
    await upstream.ask({ name: 'late.example.org', type: 'A' }),
    undefined,
    'nothing is asked after a stop',
  )
})

test('readResolvers() takes three addresses at most and needs no file', async (t) => {
  const lines = ['# nameserver 9.9.9.9', 'search a', 'nameserver 10.0.0.1', 'nameserver x', 'nameserver ::1']
  const folder = t.testdir({ conf: [...lines, 'nameserver 10.0.0.2', 'nameserver 10.0.0.3'].join('\n') })
  const found = await readResolvers(join(folder, 'conf'))
  t.same(
    found.map(({ address }) => address),
    ['10.0.0.1', '::1', '10.0.0.2'],
  )
  t.same(await readResolvers(join(folder, 'missing')), [])
})
