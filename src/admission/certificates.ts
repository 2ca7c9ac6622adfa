// CertificateApproval and CertificateSigning: approving or signing a request needs a right over its signer.
// Upstream: plugin/pkg/admission/certificates. What a signer refuses to sign is the signer's.

import type { AdmissionPlugin, AdmissionRequest, Authorizer } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { refuse } from './refuse.ts'

const group = 'certificates.k8s.io'

export function certificateApproval({ authorizer }: { readonly authorizer: Authorizer }): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    validate: async (request) => {
      const { operation, resource, subresource, old, object } = request
      const isRequest = resource.group === group && resource.resource === 'certificatesigningrequests'
      if (operation !== 'UPDATE' || !isRequest || old === undefined) return
      const isSigning = subresource === 'status' && hasNewCertificate(object, old)
      if (subresource !== 'approval' && !isSigning) return
      const verb = isSigning ? 'sign' : 'approve'
      const signer = fieldsOf(old['spec'])['signerName']
      if (typeof signer === 'string' && mayUse({ authorizer, request, verb, signer })) return
      throw refuse(
        request,
        `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer ?? '')}`,
      )
    },
  }
}

// A condition that reports a failure is the signer's too.
function hasNewCertificate(object: KubeObject | undefined, old: KubeObject): boolean {
  const [now, before] = [fieldsOf(object?.['status']), fieldsOf(old['status'])]
  return (
    now['certificate'] !== before['certificate'] ||
    JSON.stringify(now['conditions']) !== JSON.stringify(before['conditions'])
  )
}

// Either over this signer, or over all of its domain: `example.com/*`.
function mayUse({
  authorizer,
  request,
  verb,
  signer,
}: {
  authorizer: Authorizer
  request: AdmissionRequest
  verb: string
  signer: string
}): boolean {
  return [signer, `${signer.split('/')[0]}/*`].some((name) => {
    const asked = { group, version: '*', resource: 'signers', subresource: '', namespace: '', name, path: '' }
    return authorizer.authorize({ user: request.user, verb, isResource: true, ...asked }).allowed
  })
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  (value ?? {}) as Readonly<Record<string, unknown>>
