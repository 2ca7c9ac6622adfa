// Who asks for a certificate is who sent the request, whatever it says; and when its conditions changed is now.
// Upstream: the strategies of pkg/registry/certificates. What may be asked for is the kind's.

import type { AdmissionPlugin, AdmissionRequest, UserInfo } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { fieldInvalid, invalid } from '../api/status.ts'
import { formatTime } from '../api/time.ts'
import type { Clock } from '../platform/clock.ts'
import { refuse } from './refuse.ts'

const group = 'certificates.k8s.io'

export interface CertificateRequesterParts {
  readonly clock: Clock
  /** Throws an Error with a message for the sender when a request (PEM) is malformed or not signed by its own key. */
  readonly checkRequest?: ((pem: string) => void) | undefined
}

export function certificateRequester({ clock, checkRequest }: CertificateRequesterParts): AdmissionPlugin {
  return {
    name: 'CertificateRequester',
    mutate: async (request) => {
      const { object, operation, subresource } = request
      if (!isSigningRequest(request) || object === undefined) return object as unknown as KubeObject
      if (operation === 'CREATE' && subresource === '') return withRequester(object, request.user)
      if (operation === 'UPDATE' && subresource !== '')
        return withTimes(object, request.old, formatTime(clock.now()))
      return object
    },
    validate: async (request) => {
      const { object, operation, subresource, name } = request
      if (!isSigningRequest(request) || object === undefined || operation !== 'CREATE' || subresource !== '')
        return
      // A webhook in between may have written somebody else.
      if (specOf(object)['username'] !== request.user.name)
        throw refuse(request, 'the requester is who sends the request')
      const base64 = String(specOf(object)['request'] ?? '')
      const pem = Buffer.from(base64, 'base64').toString('utf8')
      if (checkRequest === undefined || !pem.includes('CERTIFICATE REQUEST')) return
      try {
        checkRequest(pem)
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        const kind = { group, kind: 'CertificateSigningRequest' }
        throw invalid(kind, name, [fieldInvalid('spec.request', base64, detail)])
      }
    },
  }
}

function isSigningRequest({ resource }: AdmissionRequest): boolean {
  return resource.group === group && resource.resource === 'certificatesigningrequests'
}

type Fields = Readonly<Record<string, unknown>>
const specOf = (object: KubeObject): Fields => (object['spec'] ?? {}) as Fields

function withRequester(object: KubeObject, { name, uid, groups, extra }: UserInfo): KubeObject {
  const { username: _, uid: __, groups: ___, extra: ____, ...asked } = specOf(object)
  const spec = {
    ...asked,
    username: name,
    ...(uid === undefined || uid === '' ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  }
  return { ...object, spec } as KubeObject
}

interface Condition {
  readonly type?: string
  readonly status?: string
  readonly lastUpdateTime?: string | null
  readonly lastTransitionTime?: string | null
}

const conditionsOf = (object: KubeObject | undefined): readonly Condition[] =>
  (object?.['status'] as { conditions?: readonly Condition[] } | undefined)?.conditions ?? []

function withTimes(object: KubeObject, old: KubeObject | undefined, now: string): KubeObject {
  const conditions = conditionsOf(object)
  if (conditions.every((one) => one.lastUpdateTime && one.lastTransitionTime)) return object
  const timed = conditions.map((one) => {
    const before = conditionsOf(old).find(({ type, status }) => type === one.type && status === one.status)
    return {
      ...one,
      lastUpdateTime: one.lastUpdateTime || now,
      lastTransitionTime: one.lastTransitionTime || before?.lastTransitionTime || now,
    }
  })
  return { ...object, status: { ...(object['status'] as Fields), conditions: timed } } as KubeObject
}
