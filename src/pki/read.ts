// Reads of a certificate what node:crypto does not hand out byte for byte: its subject.
// Whether the certificate is valid is for the caller to find out first.

import { derTags, readDer, readDerMembers } from './der.ts'
import { readSubject, type Subject } from './names.ts'

/** The subject, and its exact bytes: an issuer's name must be repeated as it stands. Throws DerError. */
export function readCertificateSubject(der: Uint8Array): {
  readonly subject: Subject
  readonly bytes: Buffer
} {
  const [toBeSigned] = readDerMembers(readDer(der), derTags.sequence)
  const fields = readDerMembers(toBeSigned, derTags.sequence)
  // The version stands first, tagged [0], unless it is version 1.
  const name = fields[fields[0]?.tag === 0xa0 ? 5 : 4]
  return { subject: readSubject(name), bytes: name?.whole ?? Buffer.alloc(0) }
}
