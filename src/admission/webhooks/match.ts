// Whether a webhook is called for a request, and in which version of its resource.
// Upstream: apiserver/pkg/admission/plugin/webhook/generic (ShouldCallHook) and predicates.

import type { AdmissionRequest, Reader } from '../../api/contracts.ts'
import type { GroupVersionKind, GroupVersionResource, KubeObject } from '../../api/object.ts'
import { internalError, notFound } from '../../api/status.ts'
import { type Rule, type Webhook, webhookGroup } from './configuration.ts'

/** A resource in one version, as a webhook's rules may name it. */
export interface ServedVersion {
  readonly resource: GroupVersionResource
  readonly kind: GroupVersionKind
}

/** What admission asks of those who know which versions are served. */
export interface Versions {
  /** All versions of the same resource, the asked one among them. */
  of(resource: GroupVersionResource): readonly ServedVersion[]
  /** The object in another version of its resource. */
  convert(object: KubeObject, to: GroupVersionResource): Promise<KubeObject>
  /** The object with what its kind fills in. */
  defaults(object: KubeObject, resource: GroupVersionResource): KubeObject
}

/** A webhook that is to be called, and how it wants to see the object. */
export interface Invocation {
  readonly webhook: Webhook
  readonly version: ServedVersion
}

export interface Matching {
  readonly reader: Reader
  readonly versions: Versions
}

export function matchWebhook(
  { reader, versions }: Matching,
  webhook: Webhook,
  request: AdmissionRequest,
): Invocation | undefined {
  if (!webhook.objectSelector.isEmpty && !matchesObject(webhook, request)) return undefined
  const version = findVersion(versions, webhook, request)
  if (version === undefined || !matchesNamespace(reader, webhook, request)) return undefined
  return { webhook, version }
}

/** A webhook that judged these could lock everybody out of mending it. */
export const isExempt = ({ kind }: AdmissionRequest): boolean =>
  kind.group === webhookGroup &&
  /^(Mutating|Validating)(WebhookConfiguration|AdmissionPolicy|AdmissionPolicyBinding)$/.test(kind.kind)

export const isNamespace = ({ resource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.resource === 'namespaces'

/** A namespace counts as being in itself. */
export const namespaceOf = (request: AdmissionRequest): string =>
  isNamespace(request) ? request.name : request.namespace

function matchesObject({ objectSelector }: Webhook, { object, old }: AdmissionRequest): boolean {
  return [object, old].some((one) => one !== undefined && objectSelector.matches(one.metadata.labels))
}

function matchesNamespace(reader: Reader, webhook: Webhook, request: AdmissionRequest): boolean {
  const { namespaceSelector } = webhook
  if (namespaceSelector.isEmpty) return true
  const name = namespaceOf(request)
  if (name === '') return true
  const { object, operation, subresource } = request
  const isItself = isNamespace(request) && subresource === ''
  if (isItself && object !== undefined && (operation === 'CREATE' || operation === 'UPDATE'))
    return namespaceSelector.matches(object.metadata.labels)
  const stored = reader.get({ group: '', resource: 'namespaces' }, '', name)
  if (stored === undefined) throw notFound({ group: '', resource: 'namespaces' }, name)
  return namespaceSelector.matches(stored.header.labels)
}

function findVersion(
  versions: Versions,
  { rules, isExact }: Webhook,
  request: AdmissionRequest,
): ServedVersion | undefined {
  const { resource, kind } = request
  const asked = { resource, kind }
  if (rules.some((rule) => matchesRule(rule, request, resource))) return asked
  if (isExact) return undefined
  for (const rule of rules) {
    const found = versions
      .of(resource)
      .find(
        (version) =>
          version.resource.version !== resource.version && matchesRule(rule, request, version.resource),
      )
    if (found === undefined) continue
    // A subresource speaks a kind of its own, the same in every version.
    const isOwnKind = request.kind.group === resource.group && request.kind.version === resource.version
    return isOwnKind ? found : { resource: found.resource, kind }
  }
  return undefined
}

function matchesRule(rule: Rule, request: AdmissionRequest, resource: GroupVersionResource): boolean {
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, resource.version) &&
    matchesScope(rule, request) &&
    rule.resources.some((pattern) => matchesResource(pattern, resource.resource, request.subresource))
  )
}

const has = (words: readonly string[], word: string): boolean => words.includes('*') || words.includes(word)

function matchesScope({ scope }: Rule, request: AdmissionRequest): boolean {
  if (scope === '*') return true
  const isInNamespace = !isNamespace(request) && request.namespace !== ''
  return scope === 'Namespaced' ? isInNamespace : !isInNamespace
}

/** A pattern without a slash means the object alone, `*` too. */
function matchesResource(pattern: string, resource: string, subresource: string): boolean {
  const [first = '', second = ''] = pattern.split(/\/(.*)/s)
  return (first === '*' || first === resource) && (second === '*' || second === subresource)
}

/** The object of a request as an invocation shows it. */
export async function shown(
  versions: Versions,
  object: KubeObject | undefined,
  { request, version }: { readonly request: AdmissionRequest; readonly version: ServedVersion },
): Promise<KubeObject | undefined> {
  if (object === undefined) return undefined
  if (version.resource.version !== request.resource.version && version.kind.kind === request.kind.kind) {
    try {
      return await versions.convert(object, version.resource)
    } catch (error) {
      throw internalError(error instanceof Error ? error.message : 'conversion failed', error)
    }
  }
  return object
}
