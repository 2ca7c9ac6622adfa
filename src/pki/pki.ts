// A plane's own keys: authority, serving certificate and token signing keys, kept and renewed before they end.
// Who calls renewIfDue, and how often, is plane/'s.

import { X509Certificate } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import {
  type Authority,
  authorityFrom,
  type CertificateAndKey,
  createAuthority,
  issue,
} from './certificate.ts'
import { type KeptPki, readKept, writeKept } from './keep.ts'
import type { ServerNames } from './names.ts'
import {
  loadSigningKeys,
  newSigningKey,
  type SigningKey,
  type SigningKeys,
  signingKeysMax,
} from './signing-keys.ts'

const dayMs = 24 * 3_600_000
const authorityValidityMs = 3650 * dayMs
const servingValidityMs = 365 * dayMs
const signingKeyAgeMaxMs = 365 * dayMs
// What has less than this part of its life left is renewed.
const renewalShare = 0.2

export interface PkiOptions {
  /** The folder that holds the keys and nothing else (`<data>/pki`); without it they live in memory only. */
  readonly directory?: string | undefined
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly clock: Clock
  readonly random: Random
}

export interface Pki {
  /** Signs for everybody in the plane; changes when it is renewed, so do not keep it. */
  authority(): Authority
  /** What clients must trust, PEM: `certificate-authority-data`, kube-root-ca.crt, and the TLS server's client CA. */
  caPem(): string
  /** The server's certificate; ask again after renewIfDue or setServerNames said that something changed. */
  servingCertificate(): CertificateAndKey
  readonly signingKeys: SigningKeys
  /** A certificate that authn/ reads as this user with these groups. */
  issueClientCertificate(user: {
    readonly user: string
    readonly groups: readonly string[]
    readonly validityMs: number
  }): CertificateAndKey
  /** Renews what is near its end and keeps it; true when anything changed. */
  renewIfDue(): Promise<boolean>
  /** Makes the serving certificate valid for these names instead; true when it had to be issued again. */
  setServerNames(names: ServerNames): Promise<boolean>
}

/** Opens what the directory holds, or makes it. Throws when what is there cannot be used. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  const pki = new KeptKeys(options, await keptOrNew(options))
  await pki.renewIfDue()
  return pki
}

class KeptKeys implements Pki {
  readonly #options: PkiOptions
  #kept: KeptPki
  #authority: Authority
  #signingKeys: readonly SigningKey[]
  #names: ServerNames
  #renewal: Promise<boolean> = Promise.resolve(false)

  constructor(options: PkiOptions, kept: KeptPki) {
    this.#options = options
    this.#kept = kept
    this.#authority = authorityFrom(kept.authority, options)
    this.#signingKeys = loadSigningKeys(kept.signingKeys)
    this.#names = { dnsNames: options.dnsNames, ipAddresses: options.ipAddresses }
  }

  readonly signingKeys: SigningKeys = {
    current: () => this.#signingKeys[0] as SigningKey,
    find: (id) => this.#signingKeys.find((key) => key.id === id),
    all: () => this.#signingKeys,
  }

  authority(): Authority {
    return this.#authority
  }

  caPem(): string {
    return this.#authority.certificatePem
  }

  servingCertificate(): CertificateAndKey {
    // openPki's renewal issues it before anybody can ask.
    const { certificatePem, keyPem } = this.#kept.serving as CertificateAndKey
    return { certificatePem, keyPem }
  }

  issueClientCertificate({
    user,
    groups,
    validityMs,
  }: Parameters<Pki['issueClientCertificate']>[0]): CertificateAndKey {
    return issue(this.#authority, { commonName: user, organizations: groups, usages: ['client'], validityMs })
  }

  setServerNames(names: ServerNames): Promise<boolean> {
    this.#names = names
    return this.renewIfDue()
  }

  renewIfDue(): Promise<boolean> {
    // One after the other: two at once would each keep a key that the other does not know.
    this.#renewal = this.#renewal.catch(() => false).then(() => this.#renew())
    return this.#renewal
  }

  async #renew(): Promise<boolean> {
    const nowMs = this.#options.clock.now()
    const authority = isNearEnd(this.#authority.certificate, nowMs)
      ? renewAuthority(this.#authority)
      : this.#authority
    const serving = keepServing({ serving: this.#kept.serving, authority, names: this.#names, nowMs })
    const signingKeys = renewSigningKeys(this.#kept.signingKeys, nowMs)
    const next: KeptPki = {
      formatVersion: 1,
      authority: { certificatePem: authority.certificatePem, keyPem: authority.keyPem },
      serving: serving ?? issueServing(authority, this.#names),
      signingKeys,
    }
    const isSame =
      authority === this.#authority && serving !== undefined && signingKeys === this.#kept.signingKeys
    if (isSame) return false
    // Kept first: a certificate that was seen must still be there after a crash.
    if (this.#options.directory !== undefined) await writeKept(this.#options.directory, next)
    this.#kept = next
    this.#authority = authority
    this.#signingKeys = loadSigningKeys(signingKeys)
    return true
  }
}

async function keptOrNew({ directory, clock, random }: PkiOptions): Promise<KeptPki> {
  const kept = directory === undefined ? undefined : await readKept(directory)
  if (kept !== undefined) return kept
  const { certificatePem, keyPem } = createAuthority({
    commonName: 'k3v-ca',
    clock,
    random,
    validityMs: authorityValidityMs,
  })
  return {
    formatVersion: 1,
    authority: { certificatePem, keyPem },
    signingKeys: [newSigningKey(clock.now())],
  }
}

// The same key and name: what the old certificate signed is valid under the new one, and the other way round.
function renewAuthority({ certificate, keyPem, clock, random }: Authority): Authority {
  const commonName = certificate.subject.replace(/^CN=/, '')
  return createAuthority({ commonName, clock, random, validityMs: authorityValidityMs, keyPem })
}

function renewSigningKeys(kept: KeptPki['signingKeys'], nowMs: number): KeptPki['signingKeys'] {
  const [newest] = kept
  if (newest !== undefined && nowMs - newest.createdAtMs < signingKeyAgeMaxMs) return kept
  return [newSigningKey(nowMs), ...kept].slice(0, signingKeysMax)
}

/** The serving certificate when it may stay. */
function keepServing({
  serving,
  authority,
  names,
  nowMs,
}: {
  serving: KeptPki['serving']
  authority: Authority
  names: ServerNames
  nowMs: number
}): KeptPki['serving'] {
  if (serving === undefined) return undefined
  const certificate = new X509Certificate(serving.certificatePem)
  const isOurs = certificate.verify(authority.certificate.publicKey)
  const isSameNames =
    isSameSet(serving.dnsNames, names.dnsNames) && isSameSet(serving.ipAddresses, names.ipAddresses)
  return isOurs && isSameNames && !isNearEnd(certificate, nowMs) ? serving : undefined
}

function isSameSet(some: readonly string[], others: readonly string[]): boolean {
  const set = new Set(some)
  return set.size === new Set(others).size && others.every((one) => set.has(one))
}

function issueServing(authority: Authority, names: ServerNames): KeptPki['serving'] {
  const { dnsNames, ipAddresses } = names
  const issued = issue(authority, {
    commonName: 'k3v-apiserver',
    dnsNames,
    ipAddresses,
    usages: ['server'],
    validityMs: servingValidityMs,
  })
  return { ...issued, dnsNames, ipAddresses }
}

function isNearEnd(certificate: X509Certificate, nowMs: number): boolean {
  const endMs = certificate.validToDate.getTime()
  const lifeMs = endMs - certificate.validFromDate.getTime()
  return endMs - nowMs < lifeMs * renewalShare
}
