// What every step of a request needs, and the small decisions they share.
// No step keeps state of its own: all of it is here, in the store or in the call.

import type {
  AdmissionRequest,
  Allocator,
  Authenticator,
  Authorizer,
  Call,
  TokenIssuer,
} from '../api/contracts.ts'
import type { Json, KubeObject } from '../api/object.ts'
import { badRequest } from '../api/status.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Kind, Subresource } from '../kinds/kind.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { Turns } from './objects/turns.ts'

export interface Admission {
  mutate(request: AdmissionRequest): Promise<KubeObject>
  validate(request: AdmissionRequest): Promise<void>
}

export interface Spine {
  readonly catalog: Catalog
  readonly authorizer: Authorizer
  readonly authenticator: Authenticator
  readonly admission: Admission
  readonly allocator: Allocator
  readonly tokens: TokenIssuer
  /** For writers that were not the first. */
  readonly turns: Turns
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** A call whose kind and subresource are known. */
export interface Target {
  readonly call: Call
  readonly kind: Kind
  /** Undefined for the object itself. */
  readonly subresource: Subresource | undefined
  readonly warnings: string[]
}

/** The resource as messages name it. */
export const named = (kind: Kind): { group: string; resource: string } => ({
  group: kind.group,
  resource: kind.plural,
})

/** `apps/v1` */
export const versionOf = (kind: Kind): string =>
  kind.group === '' ? kind.version : `${kind.group}/${kind.version}`

export function admissionRequest(
  target: Target,
  operation: AdmissionRequest['operation'],
  { object, old }: { object: KubeObject | undefined; old: KubeObject | undefined },
): AdmissionRequest {
  const { call, kind, warnings } = target
  return {
    user: call.user,
    operation,
    kind: { group: kind.group, version: kind.version, kind: kind.kind },
    resource: { group: kind.group, version: kind.version, resource: kind.plural },
    subresource: call.subresource,
    namespace: call.namespace,
    name: call.name !== '' ? call.name : (object?.metadata.name ?? ''),
    object,
    old,
    isDryRun: call.options.dryRun === true,
    options: optionsOf(call, operation),
    warn: (message) => {
      if (!warnings.includes(message)) warnings.push(message)
    },
  }
}

/** The options as upstream shows them to webhooks. */
function optionsOf({ options, verb }: Call, operation: AdmissionRequest['operation']): Json {
  const name = {
    CREATE: 'Create',
    UPDATE: verb === 'patch' ? 'Patch' : 'Update',
    DELETE: 'Delete',
    CONNECT: '',
  }
  const given = {
    dryRun: options.dryRun === true ? ['All'] : undefined,
    ...(operation === 'DELETE'
      ? {
          gracePeriodSeconds: options.gracePeriodSeconds,
          propagationPolicy: options.propagationPolicy,
          preconditions: options.preconditions,
        }
      : {
          fieldManager: options.fieldManager,
          fieldValidation: options.fieldValidation,
          force: options.force,
        }),
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return {
    kind: `${name[operation]}Options`,
    apiVersion: 'meta.k8s.io/v1',
    ...Object.fromEntries(set),
  } as Json
}

/**
 * Unknown and duplicate fields: an error under Strict, warnings under Warn (the default), nothing under Ignore.
 * Upstream: apiserver/pkg/endpoints/handlers, `strict decoding error`.
 */
export function reportDecoding(target: Target, problems: readonly string[]): void {
  if (problems.length === 0) return
  const directive = target.call.options.fieldValidation ?? 'Warn'
  if (directive === 'Ignore') return
  if (directive === 'Strict') throw badRequest(strictText(target.kind, problems))
  for (const problem of problems) if (!target.warnings.includes(problem)) target.warnings.push(problem)
}

function strictText(kind: Kind, problems: readonly string[]): string {
  const text = `strict decoding error: ${problems.join(', ')}`
  return kind.isCustom
    ? text
    : `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: ${text}`
}

/** The manager of a write's fields: as asked, else the client's name. Upstream cuts at 128 characters. */
export function fieldManagerOf(call: Call): string {
  const { fieldManager } = call.options
  if (fieldManager !== undefined && fieldManager !== '') return fieldManager
  return (call.userAgent ?? '').split('/')[0]?.slice(0, 128) || 'unknown'
}
