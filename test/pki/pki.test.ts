// A plane's keys over restarts and years; what TLS clients make of the certificates.

import { X509Certificate } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { openPki } from '../../src/pki/pki.ts'
import { readCertificateSubject } from '../../src/pki/read.ts'
import { FakeClock, systemClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'

const names = { dnsNames: ['localhost', 'kubernetes.default.svc'], ipAddresses: ['127.0.0.1', 'fd00::1'] }
const dayMs = 24 * 3_600_000

const open = (options: { directory?: string; clock?: FakeClock; dnsNames?: string[] } = {}) =>
  openPki({ ...names, clock: systemClock, random: seededRandom(1), ...options })

t.test('a client and the server trust each other through the authority', async (t) => {
  const pki = await open()
  const { certificatePem, keyPem } = pki.servingCertificate()
  const client = pki.issueClientCertificate({ user: 'jane', groups: ['dev', 'ops'], validityMs: dayMs })
  const peer = Promise.withResolvers<TLSSocket>()
  const server = createServer(
    { cert: certificatePem, key: keyPem, ca: pki.caPem(), requestCert: true, rejectUnauthorized: true },
    (socket) => peer.resolve(socket),
  )
  server.on('tlsClientError', peer.reject)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'kubernetes.default.svc',
    ca: pki.caPem(),
    cert: client.certificatePem,
    key: client.keyPem,
  })
  const seen = await peer.promise
  t.ok(seen.authorized)
  const raw = seen.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)
  t.match(readCertificateSubject(raw).subject, { commonName: 'jane', organizations: ['dev', 'ops'] })
  socket.destroy()
  seen.destroy()
  await new Promise((resolve) => server.close(resolve))
})

t.test('the certificates say what they are for', async (t) => {
  const pki = await open()
  const serving = new X509Certificate(pki.servingCertificate().certificatePem)
  t.same(serving.keyUsage, ['1.3.6.1.5.5.7.3.1'])
  t.ok(serving.checkHost('kubernetes.default.svc'))
  t.ok(serving.checkIP('fd00::1'))
  t.notOk(serving.checkHost('elsewhere'))
  t.notOk(serving.ca)
  const authority = new X509Certificate(pki.caPem())
  t.ok(authority.ca)
  t.ok(serving.checkIssued(authority))
  const client = pki.issueClientCertificate({ user: 'jane', groups: [], validityMs: dayMs })
  t.same(new X509Certificate(client.certificatePem).keyUsage, ['1.3.6.1.5.5.7.3.2'])
})

t.test('a restart finds the same keys in a file that only the owner reads', async (t) => {
  const directory = join(t.testdir(), 'pki')
  const first = await open({ directory })
  const second = await open({ directory })
  t.equal(second.caPem(), first.caPem())
  t.same(second.servingCertificate(), first.servingCertificate())
  t.equal(second.signingKeys.current().id, first.signingKeys.current().id)
  t.equal((await stat(join(directory, 'pki.json'))).mode & 0o777, 0o600)
  t.equal((await stat(directory)).mode & 0o777, 0o700)
})

t.test('a damaged or newer file stops the start instead of making new keys', async (t) => {
  for (const text of ['{', '{"formatVersion":2}', '{"formatVersion":1}', 'null']) {
    const directory = t.testdir({ 'pki.json': text })
    await t.rejects(open({ directory }), { message: /pki\.json/ })
    t.equal(await readFile(join(directory, 'pki.json'), 'utf8'), text)
  }
})

t.test('a key that is not the certificate stops the start', async (t) => {
  const directory = t.testdir()
  await open({ directory })
  const other = await open()
  const path = join(directory, 'pki.json')
  const kept = JSON.parse(await readFile(path, 'utf8'))
  kept.authority.keyPem = other.servingCertificate().keyPem
  await writeFile(path, JSON.stringify(kept))
  await t.rejects(open({ directory }), { message: /does not belong/ })
})

t.test('the serving certificate is renewed before it ends, and for other names', async (t) => {
  const clock = new FakeClock()
  const pki = await open({ clock, directory: t.testdir() })
  const first = pki.servingCertificate()
  t.equal(await pki.renewIfDue(), false)
  await clock.advance(300 * dayMs)
  t.equal(await pki.renewIfDue(), true)
  const second = pki.servingCertificate()
  t.not(second.certificatePem, first.certificatePem)
  t.equal(await pki.setServerNames({ dnsNames: ['other'], ipAddresses: [] }), true)
  t.equal(await pki.setServerNames({ dnsNames: ['other'], ipAddresses: [] }), false)
  t.equal(new X509Certificate(pki.servingCertificate().certificatePem).subjectAltName, 'DNS:other')
})

t.test('what an authority signed stays valid after the authority was renewed', async (t) => {
  const clock = new FakeClock()
  const pki = await open({ clock })
  const client = pki.issueClientCertificate({ user: 'jane', groups: [], validityMs: 3600 * dayMs })
  const old = new X509Certificate(pki.caPem())
  await clock.advance(3000 * dayMs)
  t.equal(await pki.renewIfDue(), true)
  const renewed = new X509Certificate(pki.caPem())
  t.ok(renewed.validToDate > old.validToDate)
  const certificate = new X509Certificate(client.certificatePem)
  t.ok(certificate.checkIssued(renewed) && certificate.verify(renewed.publicKey))
  const fresh = new X509Certificate(pki.servingCertificate().certificatePem)
  t.ok(fresh.checkIssued(old) && fresh.verify(old.publicKey))
})

t.test('a token key is renewed each year, and old ones verify until there are too many', async (t) => {
  const clock = new FakeClock()
  const pki = await open({ clock })
  const first = pki.signingKeys.current().id
  await clock.advance(365 * dayMs)
  await pki.renewIfDue()
  t.not(pki.signingKeys.current().id, first)
  t.equal(pki.signingKeys.find(first)?.id, first)
  for (let year = 0; year < 10; year += 1) {
    await clock.advance(365 * dayMs)
    await pki.renewIfDue()
  }
  t.equal(pki.signingKeys.all().length, 8)
  t.equal(pki.signingKeys.find(first), undefined)
})

t.test('two renewals at once keep the same keys', async (t) => {
  const directory = t.testdir()
  const clock = new FakeClock()
  const pki = await open({ clock, directory })
  await clock.advance(366 * dayMs)
  await Promise.all([pki.renewIfDue(), pki.setServerNames({ dnsNames: ['a'], ipAddresses: [] })])
  const again = await open({ clock, directory, dnsNames: ['a'] })
  t.equal(again.signingKeys.current().id, pki.signingKeys.current().id)
  t.equal(again.signingKeys.all().length, 2)
})
