// Signs approved requests for client certificates of this API, and removes requests that are over or forgotten.
// Upstream: pkg/controller/certificates signer and cleaner. Nobody but a person or a program with the right approves.

import { X509Certificate } from 'node:crypto'
import type { CertificateSigningRequest } from '../../api/models.ts'
import { isNotFound } from '../../client/failures.ts'
import { certificateSigningRequests } from '../../client/resources.ts'
import type { Authority } from '../../pki/certificate.ts'
import { readSigningRequest, signRequest } from '../../pki/request.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import { timeOf } from '../conditions.ts'
import type { Context } from '../context.ts'

const name = 'certificate-controller'
const signerName = 'kubernetes.io/kube-apiserver-client'
const hourMs = 3_600_000
const validityMaxMs = 365 * 24 * hourMs
const validityMinMs = 600_000
const decidedMs = hourMs
const pendingMs = 24 * hourMs

export function startSigningRequests(context: Context): Controller {
  const { clientFor, control, informers, clock, authority } = context
  const client = clientFor(name)
  const requests = informers.of(certificateSigningRequests)
  return control({
    name,
    sources: [fromInformer(requests)],
    reconcile: async (key, { signal }) => {
      const request = requests.version(key)?.object
      if (request === undefined || request.metadata.deletionTimestamp !== undefined) return undefined
      const endsMs = endsAtMs(request)
      const leftMs = endsMs - clock.now()
      if (leftMs <= 0) {
        const { uid } = request.metadata
        await client
          .delete(certificateSigningRequests, { name: key }, { preconditions: { uid }, signal })
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error
          })
        return undefined
      }
      const status = authority === undefined ? undefined : answer(request, authority(), timeOf(clock.now()))
      if (status !== undefined)
        await client.updateStatus(certificateSigningRequests, { ...request, status }, { signal })
      return Number.isFinite(leftMs) ? { requeueAfterMs: leftMs } : undefined
    },
  })
}

const conditionOf = ({ status }: CertificateSigningRequest, type: string) =>
  status?.conditions?.find((one) => one.type === type)

/** The status with the certificate, or with why there is none; undefined when there is nothing to do. */
export function answer(
  request: CertificateSigningRequest,
  authority: Authority,
  now: string,
): CertificateSigningRequest['status'] {
  const { spec, status = {} } = request
  const isDue = conditionOf(request, 'Approved') !== undefined && conditionOf(request, 'Failed') === undefined
  if (!isDue || spec.signerName !== signerName || (status.certificate ?? '') !== '') return undefined
  const problem = usageProblem(spec.usages ?? [])
  if (problem !== undefined) return failed(status, problem, now)
  try {
    const read = readSigningRequest(Buffer.from(spec.request, 'base64').toString('utf8'))
    // Admission refuses it at the door; a request from before must not slip through.
    if (read.subject.organizations.includes('system:masters'))
      return failed(status, `use of ${signerName} signer with system:masters group is not allowed`, now)
    const pem = signRequest(authority, read, { usages: ['client'], validityMs: validityOf(spec) })
    return { ...status, certificate: Buffer.from(pem).toString('base64') }
  } catch (error) {
    return failed(status, error instanceof Error ? error.message : String(error), now)
  }
}

function usageProblem(usages: readonly string[]): string | undefined {
  const other = usages.find(
    (usage) => !['client auth', 'digital signature', 'key encipherment'].includes(usage),
  )
  if (other !== undefined) return `invalid usage for client certificate: ${other}`
  return usages.includes('client auth')
    ? undefined
    : 'missing required usage for client certificate: client auth'
}

function validityOf({ expirationSeconds }: CertificateSigningRequest['spec']): number {
  if (expirationSeconds === undefined) return validityMaxMs
  return Math.min(validityMaxMs, Math.max(validityMinMs, expirationSeconds * 1000))
}

function failed(
  status: NonNullable<CertificateSigningRequest['status']>,
  message: string,
  now: string,
): CertificateSigningRequest['status'] {
  const condition = {
    type: 'Failed',
    status: 'True',
    reason: 'SignerValidationFailure',
    message,
    lastUpdateTime: now,
    lastTransitionTime: now,
  }
  return { ...status, conditions: [...(status.conditions ?? []), condition] }
}

/** When a request is of no use any more: an hour after it was answered, a day when nobody answers. */
export function endsAtMs(request: CertificateSigningRequest): number {
  const { metadata, status } = request
  const ends: number[] = []
  const since = (text: string | null | undefined, ms: number) => {
    const atMs = Date.parse(text ?? '')
    if (!Number.isNaN(atMs)) ends.push(atMs + ms)
  }
  const isIssued = (status?.certificate ?? '') !== ''
  if ((status?.conditions ?? []).length === 0) since(metadata.creationTimestamp, pendingMs)
  since(conditionOf(request, 'Denied')?.lastUpdateTime, decidedMs)
  since(conditionOf(request, 'Failed')?.lastUpdateTime, decidedMs)
  since(conditionOf(request, 'Approved')?.lastUpdateTime, isIssued ? decidedMs : pendingMs)
  if (isIssued) since(expiryOf(status?.certificate ?? ''), 0)
  return Math.min(...ends, Number.POSITIVE_INFINITY)
}

function expiryOf(base64: string): string | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).validTo
  } catch {
    return undefined
  }
}
