// serviceaccounts/token: short-lived tokens of this plane, bound to a pod or secret when asked.
// Upstream: pkg/registry/core/serviceaccount/storage/token.go.

import type { Answer, Call } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { badRequest, conflict, fieldInvalid, invalid, notFound } from '../../api/status.ts'
import { requireBody } from '../objects/check.ts'
import { named, type Spine, type Target } from '../spine.ts'

const served = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenRequest',
  listKind: 'TokenRequestList',
  plural: 'tokenrequests',
} as const
const expirationSecondsMin = 600
const expirationSecondsMax = 2 ** 32
const expirationSecondsDefault = 3_600

type TokenSpec = {
  readonly audiences?: readonly string[]
  readonly expirationSeconds?: number
  readonly boundObjectRef?: {
    readonly kind?: string
    readonly apiVersion?: string
    readonly name?: string
    readonly uid?: string
  } | null
}

export async function requestToken(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const account = spine.catalog.get(kind, call.namespace, call.name)
  if (account === undefined) throw notFound(named(kind), call.name)
  const request = requireBody(target)
  const spec = (request['spec'] ?? {}) as TokenSpec
  const expirationSeconds = spec.expirationSeconds ?? expirationSecondsDefault
  checkExpiration(call.name, expirationSeconds)
  const boundObject = bound(spine, call, spec.boundObjectRef)
  const issued = await spine.tokens.issue({
    namespace: call.namespace,
    serviceAccount: { name: call.name, uid: account.header.uid },
    audiences: spec.audiences ?? [],
    expirationSeconds,
    ...(boundObject === undefined ? {} : { boundObject }),
  })
  const object: KubeObject = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: call.name, namespace: call.namespace, creationTimestamp: null },
    spec: { ...spec, expirationSeconds },
    status: { token: issued.token, expirationTimestamp: issued.expirationTimestamp },
  }
  return { type: 'object', code: 201, served, object, warnings: target.warnings }
}

function checkExpiration(name: string, seconds: number): void {
  const refuse = (detail: string): never => {
    throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, [
      fieldInvalid('spec.expirationSeconds', seconds, detail),
    ])
  }
  if (seconds < expirationSecondsMin) refuse('may not specify a duration less than 10 minutes')
  if (seconds > expirationSecondsMax) refuse('may not specify a duration larger than 2^32 seconds')
}

function bound(spine: Spine, { namespace, name: account }: Call, reference: TokenSpec['boundObjectRef']) {
  if (reference === undefined || reference === null) return undefined
  const { kind, name = '', uid = '' } = reference
  if (kind !== 'Pod' && kind !== 'Secret')
    throw badRequest(
      `cannot bind token to object of type ${String(reference.apiVersion)}, Kind=${String(kind)}`,
    )
  const resource = { group: '', resource: kind === 'Pod' ? 'pods' : 'secrets' }
  const object = spine.catalog.reader.get(resource, namespace, name)
  if (object === undefined) throw notFound(resource, name)
  if (uid !== '' && uid !== object.header.uid) {
    throw conflict(
      resource,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  const pod = object.object['spec'] as { serviceAccountName?: string } | undefined
  if (kind === 'Pod' && pod?.serviceAccountName !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`,
    )
  }
  return { kind, name, uid: object.header.uid } as const
}
