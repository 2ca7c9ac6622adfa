// Signing requests: what is read of them, what is refused, and what the signed certificate says.

import { createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import t from 'tap'
import { createAuthority, newKey } from '../../src/pki/certificate.ts'
import {
  derBitString,
  derContext,
  derInteger,
  derObjectIdentifier,
  derSequence,
  derSet,
  derTags,
  derValue,
} from '../../src/pki/der.ts'
import { writeServerNames, writeSubject } from '../../src/pki/names.ts'
import { readCertificateSubject } from '../../src/pki/read.ts'
import { readSigningRequest, signRequest } from '../../src/pki/request.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'

const ecdsaWithSha256 = '1.2.840.10045.4.3.2'

/** A request as openssl or Go make it. */
function request(
  key: KeyObject,
  change: { signer?: KeyObject; algorithm?: string; digest?: string | null } = {},
): string {
  const { signer = key, algorithm = ecdsaWithSha256, digest = 'sha256' } = change
  const names = writeServerNames({ dnsNames: ['web.shop.svc'], ipAddresses: ['10.0.0.1', 'fd00::1'] })
  const extension = derSequence(derObjectIdentifier('2.5.29.17'), derValue(derTags.octetString, names))
  const info = derSequence(
    derInteger(Buffer.from([0])),
    writeSubject({ commonName: 'jane', organizations: ['dev', 'ops'], uids: [] }),
    createPublicKey(key).export({ type: 'spki', format: 'der' }),
    derContext(0, derSequence(derObjectIdentifier('1.2.840.113549.1.9.14'), derSet(derSequence(extension)))),
  )
  const signature = sign(digest, info, signer)
  const der = derSequence(info, derSequence(derObjectIdentifier(algorithm)), derBitString(signature))
  return pemOf(der)
}

const pemOf = (der: Buffer, type = 'CERTIFICATE REQUEST') =>
  `-----BEGIN ${type}-----\n${der.toString('base64')}\n-----END ${type}-----\n`

t.test('names and key are read', async (t) => {
  const key = newKey()
  const { subject, dnsNames, ipAddresses, otherNames, publicKey } = readSigningRequest(request(key))
  t.same(subject, { commonName: 'jane', organizations: ['dev', 'ops'], uids: [] })
  t.same([dnsNames, ipAddresses, otherNames], [['web.shop.svc'], ['10.0.0.1', 'fd00:0:0:0:0:0:0:1'], 0])
  t.ok(publicKey.equals(createPublicKey(key)))
})

t.test('RSA and Ed25519 keys are taken too', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  t.ok(readSigningRequest(request(rsa, { algorithm: '1.2.840.113549.1.1.11' })))
  const edwards = generateKeyPairSync('ed25519').privateKey
  t.ok(readSigningRequest(request(edwards, { algorithm: '1.3.101.112', digest: null })))
})

t.test('a request that is not signed with its own key is refused', async (t) => {
  t.throws(() => readSigningRequest(request(newKey(), { signer: newKey() })), {
    message: /not signed with its own key/,
  })
  t.throws(() => readSigningRequest(request(newKey(), { algorithm: '1.2.840.10045.4.1' })), {
    message: /algorithm is not supported/,
  })
})

t.test('what is no request is refused with a sentence', async (t) => {
  const der = Buffer.from(request(newKey()).split('\n')[1] ?? '', 'base64')
  const bad = ['', 'x', pemOf(der, 'CERTIFICATE'), pemOf(Buffer.from([0x30, 0x80])), 'x'.repeat(100_000)]
  for (let cut = 0; cut < der.length; cut += 7) bad.push(pemOf(der.subarray(0, cut)))
  for (const pem of bad) t.throws(() => readSigningRequest(pem), { name: 'SigningRequestError' })
})

t.test('no changed byte gets through', async (t) => {
  const der = Buffer.from(request(newKey()).split('\n')[1] ?? '', 'base64')
  for (let at = 0; at < der.length; at += 3) {
    const changed = Buffer.from(der)
    changed[at] = (changed[at] ?? 0) ^ 0x01
    t.throws(() => readSigningRequest(pemOf(changed)), { name: 'SigningRequestError' }, `byte ${at}`)
  }
})

t.test('the signed certificate has the names of the request and the uses of the signer', async (t) => {
  const authority = createAuthority({
    commonName: 'ca',
    clock: systemClock,
    random: seededRandom(5),
    validityMs: 3_600_000,
  })
  const read = readSigningRequest(request(newKey()))
  const certificate = new X509Certificate(
    signRequest(authority, read, { usages: ['client'], validityMs: 60_000 }),
  )
  t.ok(certificate.checkIssued(authority.certificate) && certificate.verify(authority.certificate.publicKey))
  t.match(readCertificateSubject(certificate.raw).subject, { commonName: 'jane' })
  t.same(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  t.ok(certificate.checkHost('web.shop.svc'))
})
