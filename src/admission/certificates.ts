// Certificate signing requests: approving or signing one needs a right over its signer, and nobody asks to be an administrator.
// Upstream: plugin/pkg/admission/certificates. What else a signer refuses to sign is the signer's.

import type { AdmissionPlugin, AdmissionRequest, Authorizer } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { isAbout, refuse } from './refuse.ts'

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

const clientSigner = 'kubernetes.io/kube-apiserver-client'

/** `groupsOf` reads the organizations of a request in PEM, and throws when it cannot be read. */
export function certificateSubjectRestriction({
  groupsOf,
}: {
  readonly groupsOf: (pem: string) => readonly string[]
}): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    validate: async (request) => {
      const isNew = request.operation === 'CREATE' && isAbout(request, group, 'certificatesigningrequests')
      const spec = fieldsOf(request.object?.['spec'])
      if (!isNew || spec['signerName'] !== clientSigner) return
      if (!readGroups(request, groupsOf, String(spec['request'] ?? '')).includes('system:masters')) return
      throw refuse(request, `use of ${clientSigner} signer with system:masters group is not allowed`)
    },
  }
}

function readGroups(
  request: AdmissionRequest,
  groupsOf: (pem: string) => readonly string[],
  base64: string,
): readonly string[] {
  try {
    return groupsOf(Buffer.from(base64, 'base64').toString('utf8'))
  } catch (error) {
    throw refuse(request, `failed to parse CSR: ${error instanceof Error ? error.message : String(error)}`)
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
