// Client certificates, and the chain that asks one authenticator after the other.

import { X509Certificate } from 'node:crypto'
import t from 'tap'
import type { Authenticator } from '../../src/api/contracts.ts'
import { unauthorized } from '../../src/api/status.ts'
import { chainAuthenticators } from '../../src/authn/chain.ts'
import { createClientCertificateAuthenticator } from '../../src/authn/client-certificates.ts'
import { issue } from '../../src/pki/certificate.ts'
import { openPki } from '../../src/pki/pki.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'

const dayMs = 24 * 3_600_000

async function start() {
  const clock = new FakeClock()
  const open = () => openPki({ dnsNames: ['a'], ipAddresses: [], clock, random: seededRandom(2) })
  const [pki, foreign] = [await open(), await open()]
  const authenticator = createClientCertificateAuthenticator({
    authorities: () => [new X509Certificate(pki.caPem())],
    clock,
  })
  const who = (pem: string) =>
    authenticator.authenticate({ bearerToken: undefined, clientCertificate: new X509Certificate(pem).raw })
  return { clock, pki, foreign, authenticator, who }
}

t.test('a certificate names its user and groups', async (t) => {
  const { pki, who } = await start()
  const { certificatePem } = pki.issueClientCertificate({
    user: 'kubernetes-admin',
    groups: ['system:masters', 'größe'],
    validityMs: dayMs,
  })
  const user = await who(certificatePem)
  t.match(user, { name: 'kubernetes-admin', uid: undefined })
  t.same([...(user?.groups ?? [])].sort(), ['größe', 'system:masters'])
  const fingerprint = new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase()
  t.same(user?.extra, { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] })
})

t.test('a name with line breaks and commas stays one name', async (t) => {
  const { pki, who } = await start()
  const user = 'jane\nO=system:masters, O=system:masters/O=system:masters'
  const { certificatePem } = pki.issueClientCertificate({ user, groups: ['dev'], validityMs: dayMs })
  t.match(await who(certificatePem), { name: user, groups: ['dev'] })
})

t.test('a uid is read from its own attribute', async (t) => {
  const { pki, who } = await start()
  const leaf = issue(pki.authority(), {
    commonName: 'jane',
    uid: '17',
    usages: ['client'],
    validityMs: dayMs,
  })
  t.equal((await who(leaf.certificatePem))?.uid, '17')
})

t.test('a certificate that has ended, or is not ours, or not for clients, is refused', async (t) => {
  const { clock, pki, foreign, authenticator, who } = await start()
  const short = pki.issueClientCertificate({ user: 'jane', groups: [], validityMs: dayMs }).certificatePem
  t.ok(await who(short))
  await clock.advance(dayMs + 1000)
  await t.rejects(who(short), { code: 401 })
  const other = foreign.issueClientCertificate({
    user: 'jane',
    groups: ['system:masters'],
    validityMs: dayMs,
  })
  await t.rejects(who(other.certificatePem), { code: 401 })
  await t.rejects(who(pki.servingCertificate().certificatePem), { code: 401 })
  await t.rejects(who(pki.caPem()), { code: 401 })
  const rubbish = { bearerToken: undefined, clientCertificate: Buffer.from('rubbish') }
  await t.rejects(authenticator.authenticate(rubbish), { code: 401 })
})

t.test('a certificate from before its time is refused', async (t) => {
  const { pki, clock } = await start()
  const { certificatePem } = pki.issueClientCertificate({ user: 'jane', groups: [], validityMs: dayMs })
  const early = createClientCertificateAuthenticator({
    authorities: () => [new X509Certificate(pki.caPem())],
    clock: new FakeClock(clock.now() - dayMs),
  })
  const clientCertificate = new X509Certificate(certificatePem).raw
  await t.rejects(early.authenticate({ bearerToken: undefined, clientCertificate }), { code: 401 })
})

t.test('a certificate without a common name is nobody’s', async (t) => {
  const { pki, who } = await start()
  const { certificatePem } = pki.issueClientCertificate({ user: '', groups: ['dev'], validityMs: dayMs })
  t.equal(await who(certificatePem), undefined)
})

const knows: Authenticator = { authenticate: async () => ({ name: 'jane', groups: ['dev'] }) }
const refuses: Authenticator = { authenticate: () => Promise.reject(unauthorized()) }
const silent: Authenticator = { authenticate: async () => undefined }
const none = { bearerToken: undefined, clientCertificate: undefined }
const token = { bearerToken: 'x', clientCertificate: undefined }

t.test('who brings nothing is anonymous', async (t) => {
  t.same(await chainAuthenticators([silent]).authenticate(none), {
    name: 'system:anonymous',
    groups: ['system:unauthenticated'],
  })
})

t.test('a token that nobody knows is refused, not anonymous', async (t) => {
  await t.rejects(chainAuthenticators([silent]).authenticate(token), { code: 401 })
})

t.test('bad credentials are refused unless others are good', async (t) => {
  await t.rejects(chainAuthenticators([refuses, silent]).authenticate(none), { code: 401 })
  t.match(await chainAuthenticators([refuses, knows]).authenticate(token), { name: 'jane' })
})

t.test('everybody who is known is in system:authenticated', async (t) => {
  t.same((await chainAuthenticators([knows]).authenticate(token))?.groups, ['dev', 'system:authenticated'])
})

t.test('a fault of an authenticator is not taken for a refusal', async (t) => {
  const broken: Authenticator = { authenticate: () => Promise.reject(new Error('broken')) }
  await t.rejects(chainAuthenticators([broken, knows]).authenticate(token), { message: 'broken' })
})
