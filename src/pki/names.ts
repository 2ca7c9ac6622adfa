// The names that certificates carry: the subject of a user, and the DNS names and addresses of a server.
// Who may have which name is for the callers to decide.

import assert from 'node:assert/strict'
import { isIPv4, isIPv6 } from 'node:net'
import {
  type DerValue,
  derObjectIdentifier,
  derSequence,
  derSet,
  derTags,
  derText,
  derValue,
  readDerMembers,
  readObjectIdentifier,
  readText,
} from './der.ts'

/** The parts of a subject that Kubernetes reads: CN is the user, O the groups. */
export interface Subject {
  readonly commonName: string
  readonly organizations: readonly string[]
  /** From the attribute that Kubernetes defines for it; several are kept so that a reader can refuse them. */
  readonly uids: readonly string[]
}

const commonNameOid = '2.5.4.3'
const organizationOid = '2.5.4.10'
// CNCF's private arc: k8s.io/apiserver, x509 authenticator.
const uidOid = '1.3.6.1.4.1.57683.2'

export function writeSubject({ commonName, organizations, uids }: Subject): Buffer {
  const attribute = (oid: string, value: string) => derSequence(derObjectIdentifier(oid), derText(value))
  const sets = []
  if (organizations.length > 0) {
    sets.push(derSet(...organizations.map((organization) => attribute(organizationOid, organization))))
  }
  if (commonName !== '') sets.push(derSet(attribute(commonNameOid, commonName)))
  for (const uid of uids) sets.push(derSet(attribute(uidOid, uid)))
  return derSequence(...sets)
}

/** Attributes that Kubernetes does not read are skipped. The last common name counts, as in Go. */
export function readSubject(name: DerValue | undefined): Subject {
  const organizations: string[] = []
  const uids: string[] = []
  let commonName = ''
  for (const set of readDerMembers(name, derTags.sequence)) {
    for (const attribute of readDerMembers(set, derTags.set)) {
      const [type, value] = readDerMembers(attribute, derTags.sequence)
      const oid = readObjectIdentifier(type)
      if (oid === commonNameOid) commonName = readText(value)
      if (oid === organizationOid) organizations.push(readText(value))
      if (oid === uidOid) uids.push(readText(value))
    }
  }
  return { commonName, organizations, uids }
}

/** What a server certificate is valid for. */
export interface ServerNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

/** The content of a subjectAltName extension. */
export function writeServerNames({ dnsNames, ipAddresses }: ServerNames): Buffer {
  return derSequence(
    ...dnsNames.map((name) => derValue(0x82, Buffer.from(name, 'ascii'))),
    ...ipAddresses.map((address) => derValue(0x87, addressBytes(address))),
  )
}

/** The names of a subjectAltName extension; other sorts of names are counted in `others`. */
export function readServerNames(extension: DerValue): ServerNames & { others: number } {
  const dnsNames: string[] = []
  const ipAddresses: string[] = []
  let others = 0
  for (const name of readDerMembers(extension, derTags.sequence)) {
    if (name.tag === 0x82) dnsNames.push(name.content.toString('ascii'))
    else if (name.tag === 0x87) ipAddresses.push(addressText(name.content))
    else others += 1
  }
  return { dnsNames, ipAddresses, others }
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  assert(isIPv6(address), `${address} is no IP address`)
  const plain = address.replace(/%.*$/, '').replace(/(\d+\.\d+\.\d+\.\d+)$/, (v4) => {
    const hex = Buffer.from(v4.split('.').map(Number)).toString('hex')
    return `${hex.slice(0, 4)}:${hex.slice(4)}`
  })
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  return (bytes.toString('hex').match(/.{4}/g) ?? []).map((group) => group.replace(/^0{1,3}/, '')).join(':')
}
