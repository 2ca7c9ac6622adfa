// Certificate signing requests (PKCS #10): reads one, proves that its sender holds the key, and signs it.
// Which requests a signer accepts is decided above, by what is read here.

import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Authority, type CertificateUsage, issueFor } from './certificate.ts'
import { DerError, type DerValue, derTags, readDer, readDerMembers, readObjectIdentifier } from './der.ts'
import { readServerNames, readSubject, type ServerNames, type Subject } from './names.ts'

export interface SigningRequest extends ServerNames {
  readonly subject: Subject
  /** Names of other sorts (mail addresses, URIs): counted, so that a signer can refuse them; never signed. */
  readonly otherNames: number
  readonly publicKey: KeyObject
}

/** The request is no PKCS #10, or not signed with its own key. */
export class SigningRequestError extends Error {
  override readonly name = 'SigningRequestError'
}

// An RSA key of 8192 bits and a hundred names fit well.
const requestLengthMax = 65_536

const extensionRequestOid = '1.2.840.113549.1.9.14'
const subjectAltNameOid = '2.5.29.17'

const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  // Ed25519 hashes by itself.
  '1.3.101.112': null,
}

/** Throws SigningRequestError, with a message for the sender. */
export function readSigningRequest(pem: string): SigningRequest {
  if (pem.length > requestLengthMax) throw new SigningRequestError('the request is too long')
  const match =
    /-----BEGIN CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE REQUEST-----/.exec(pem)
  if (match === null) throw new SigningRequestError('PEM block type must be CERTIFICATE REQUEST')
  try {
    return readRequest(Buffer.from(match[1] ?? '', 'base64'))
  } catch (error) {
    if (error instanceof SigningRequestError) throw error
    // Node's own errors about keys, and ours about DER, say where; the sender needs to know only what.
    throw new SigningRequestError('the request is malformed', { cause: error })
  }
}

/** The certificate, PEM: the names and the key of the request, with the uses that the signer grants. */
export function signRequest(
  authority: Authority,
  request: SigningRequest,
  { usages, validityMs }: { readonly usages: readonly CertificateUsage[]; readonly validityMs: number },
): string {
  const { subject, dnsNames, ipAddresses, publicKey } = request
  const { commonName, organizations } = subject
  return issueFor(authority, publicKey, {
    commonName,
    organizations,
    dnsNames,
    ipAddresses,
    usages,
    validityMs,
  })
}

function readRequest(der: Buffer): SigningRequest {
  const [info, algorithm, signature] = readDerMembers(readDer(der), derTags.sequence)
  const [version, name, keyInfo, attributes] = readDerMembers(info, derTags.sequence)
  if (info === undefined || version === undefined || keyInfo === undefined)
    throw new DerError('the request is cut off')
  const publicKey = createPublicKey({ key: keyInfo.whole, format: 'der', type: 'spki' })
  const oid = readObjectIdentifier(readDerMembers(algorithm, derTags.sequence)[0])
  const digest = digests[oid]
  if (digest === undefined) throw new SigningRequestError('the signature algorithm is not supported')
  if (signature?.tag !== derTags.bitString || signature.content[0] !== 0) throw new DerError('no signature')
  if (!verify(digest, info.whole, publicKey, signature.content.subarray(1))) {
    throw new SigningRequestError('the request is not signed with its own key')
  }
  const names = readRequestedNames(attributes)
  return {
    subject: readSubject(name),
    dnsNames: names?.dnsNames ?? [],
    ipAddresses: names?.ipAddresses ?? [],
    otherNames: names?.others ?? 0,
    publicKey,
  }
}

function readRequestedNames(
  attributes: DerValue | undefined,
): ReturnType<typeof readServerNames> | undefined {
  if (attributes === undefined) return undefined
  for (const attribute of readDerMembers(attributes, 0xa0)) {
    const [type, values] = readDerMembers(attribute, derTags.sequence)
    if (readObjectIdentifier(type) !== extensionRequestOid) continue
    for (const extension of readDerMembers(readDerMembers(values, derTags.set)[0], derTags.sequence)) {
      const parts = readDerMembers(extension, derTags.sequence)
      if (readObjectIdentifier(parts[0]) !== subjectAltNameOid) continue
      // Between the two may stand whether it is critical.
      const content = parts.at(-1)
      if (content?.tag !== derTags.octetString) throw new DerError('an extension has no content')
      return readServerNames(readDer(content.content))
    }
  }
  return undefined
}
