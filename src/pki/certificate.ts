// Makes certificates: an authority that signs, and the leaves it issues. ECDSA P-256 with SHA-256 throughout.
// Where they are kept and when they are renewed is pki.ts's.

import assert from 'node:assert/strict'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import {
  derBitString,
  derContext,
  derInteger,
  derObjectIdentifier,
  derSequence,
  derTags,
  derTime,
  derValue,
} from './der.ts'
import { type ServerNames, type Subject, writeServerNames, writeSubject } from './names.ts'
import { readCertificateSubject } from './read.ts'

export const certificateUsages = ['server', 'client'] as const
export type CertificateUsage = (typeof certificateUsages)[number]

/** A certificate and its private key (PKCS #8), both PEM. */
export interface CertificateAndKey {
  readonly certificatePem: string
  readonly keyPem: string
}

export interface AuthorityOptions {
  readonly commonName: string
  readonly clock: Clock
  /** Only serial numbers come from it: keys are never seeded. */
  readonly random: Random
  readonly validityMs: number
  /** To renew an authority: with the old key, whatever the old certificate signed stays valid. */
  readonly keyPem?: string | undefined
}

/** Signs certificates. Hold on to it: parsing its key again costs more than a signature. */
export interface Authority extends CertificateAndKey {
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
  readonly clock: Clock
  readonly random: Random
}

export interface LeafOptions {
  readonly commonName: string
  readonly organizations?: readonly string[] | undefined
  readonly uid?: string | undefined
  readonly dnsNames?: readonly string[] | undefined
  readonly ipAddresses?: readonly string[] | undefined
  readonly usages: readonly CertificateUsage[]
  /** Cut short where the authority itself ends. */
  readonly validityMs: number
}

// A client whose clock is a little behind must not call a fresh certificate invalid; upstream's signers do the same.
const backdateMs = 5 * 60_000

const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  subjectKeyId: '2.5.29.14',
  authorityKeyId: '2.5.29.35',
  server: '1.3.6.1.5.5.7.3.1',
  client: '1.3.6.1.5.5.7.3.2',
} as const

export function createAuthority(options: AuthorityOptions): Authority {
  const { commonName, clock, random, validityMs } = options
  const privateKey = options.keyPem === undefined ? newKey() : createPrivateKey(options.keyPem)
  const subject = writeSubject({ commonName, organizations: [], uids: [] })
  const der = signCertificate({
    subject,
    issuer: subject,
    publicKey: createPublicKey(privateKey),
    signer: privateKey,
    random,
    notBeforeMs: clock.now() - backdateMs,
    notAfterMs: clock.now() + validityMs,
    extensions: [
      extension(oids.basicConstraints, derSequence(derValue(derTags.boolean, Buffer.from([0xff]))), {
        isCritical: true,
      }),
      // digitalSignature, keyEncipherment, keyCertSign: what upstream's own authorities carry.
      extension(oids.keyUsage, derBitString(Buffer.from([0b1010_0100]), 2), { isCritical: true }),
      extension(oids.subjectKeyId, derValue(derTags.octetString, keyIdOf(createPublicKey(privateKey)))),
    ],
  })
  return authorityFrom({ certificatePem: pemOf(der), keyPem: pemOfKey(privateKey) }, { clock, random })
}

/** An authority from what was kept of it; throws when the key is not the certificate's. */
export function authorityFrom(
  { certificatePem, keyPem }: CertificateAndKey,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Authority {
  const certificate = new X509Certificate(certificatePem)
  const privateKey = createPrivateKey(keyPem)
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error('the private key does not belong to the certificate')
  return { certificatePem, keyPem, certificate, privateKey, clock, random }
}

/** A leaf with a fresh key. */
export function issue(authority: Authority, options: LeafOptions): CertificateAndKey {
  const privateKey = newKey()
  return {
    certificatePem: issueFor(authority, createPublicKey(privateKey), options),
    keyPem: pemOfKey(privateKey),
  }
}

/** A leaf for a key that somebody else holds; PEM. */
export function issueFor(authority: Authority, publicKey: KeyObject, options: LeafOptions): string {
  const { commonName, organizations = [], uid, dnsNames = [], ipAddresses = [], usages, validityMs } = options
  assert(usages.length > 0, 'a certificate without a use is of no use')
  const subject: Subject = { commonName, organizations, uids: uid === undefined ? [] : [uid] }
  const nowMs = authority.clock.now()
  const der = signCertificate({
    subject: writeSubject(subject),
    issuer: readCertificateSubject(authority.certificate.raw).bytes,
    publicKey,
    signer: authority.privateKey,
    random: authority.random,
    notBeforeMs: nowMs - backdateMs,
    notAfterMs: Math.min(nowMs + validityMs, authority.certificate.validToDate.getTime()),
    extensions: leafExtensions({ authority, publicKey, usages, dnsNames, ipAddresses }),
  })
  return pemOf(der)
}

/** A fresh P-256 key: the only sort that this room makes. */
export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

export function pemOfKey(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function leafExtensions({
  authority,
  publicKey,
  usages,
  dnsNames,
  ipAddresses,
}: ServerNames & {
  authority: Authority
  publicKey: KeyObject
  usages: readonly CertificateUsage[]
}): Buffer[] {
  const isRsa = publicKey.asymmetricKeyType === 'rsa'
  const extensions = [
    // digitalSignature; an RSA key also enciphers keys in TLS 1.2.
    extension(
      oids.keyUsage,
      isRsa ? derBitString(Buffer.from([0b1010_0000]), 5) : derBitString(Buffer.from([0x80]), 7),
      {
        isCritical: true,
      },
    ),
    extension(oids.extendedKeyUsage, derSequence(...usages.map((usage) => derObjectIdentifier(oids[usage])))),
    extension(oids.basicConstraints, derSequence(), { isCritical: true }),
    extension(oids.authorityKeyId, derSequence(derValue(0x80, keyIdOf(authority.certificate.publicKey)))),
  ]
  if (dnsNames.length + ipAddresses.length === 0) return extensions
  return [...extensions, extension(oids.subjectAltName, writeServerNames({ dnsNames, ipAddresses }))]
}

interface CertificateParts {
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly random: Random
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly extensions: readonly Buffer[]
}

function signCertificate(parts: CertificateParts): Buffer {
  const algorithm = derSequence(derObjectIdentifier(oids.ecdsaWithSha256))
  const serial = parts.random.bytes(16)
  // Never zero, never negative: RFC 5280 section 4.1.2.2.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const toBeSigned = derSequence(
    derContext(0, derInteger(Buffer.from([2]))),
    derInteger(serial),
    algorithm,
    parts.issuer,
    derSequence(derTime(parts.notBeforeMs), derTime(parts.notAfterMs)),
    parts.subject,
    parts.publicKey.export({ type: 'spki', format: 'der' }),
    derContext(3, derSequence(...parts.extensions)),
  )
  return derSequence(toBeSigned, algorithm, derBitString(sign('sha256', toBeSigned, parts.signer)))
}

function extension(oid: string, content: Buffer, { isCritical = false } = {}): Buffer {
  const critical = isCritical ? [derValue(derTags.boolean, Buffer.from([0xff]))] : []
  return derSequence(derObjectIdentifier(oid), ...critical, derValue(derTags.octetString, content))
}

// RFC 7093, section 2: the leftmost 160 bits of the SHA-256 of the public key.
function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20)
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
