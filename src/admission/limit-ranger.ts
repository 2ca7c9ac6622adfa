// LimitRanger: pods and claims get the defaults of their namespace's limit ranges and are held to their bounds.
// Upstream: plugin/pkg/admission/limitranger.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import {
  compareQuantities,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantityText,
  quantityValue,
} from '../api/quantity.ts'
import { type Amounts, type PodResources, podAmounts, readAmounts } from '../api/usage/pod-resources.ts'
import { withSpec } from './pod.ts'
import { refuse } from './refuse.ts'

const annotation = 'kubernetes.io/limit-ranger'

type Written = Readonly<Record<string, number | string>> | null
interface Limit {
  readonly type?: string
  readonly max?: Written
  readonly min?: Written
  readonly default?: Written
  readonly defaultRequest?: Written
  readonly maxLimitRequestRatio?: Written
}
interface Container {
  readonly name?: string
  readonly resources?: { readonly requests?: Written; readonly limits?: Written } | null
}
type Spec = PodResources & {
  readonly containers?: readonly Container[] | null
  readonly initContainers?: readonly Container[] | null
}

export function limitRanger({ reader }: { readonly reader: Reader }): AdmissionPlugin {
  return {
    name: 'LimitRanger',
    mutate: async (request) => {
      const object = request.object ?? { metadata: {} }
      if (!isPod(request) || request.operation !== 'CREATE') return object
      return rangesOf(reader, request).reduce(fillPod, object)
    },
    validate: async (request) => {
      const { object, operation, subresource } = request
      if (object === undefined || object.metadata.deletionTimestamp !== undefined) return
      const isNew = operation === 'CREATE' && subresource === ''
      const isResized = operation === 'UPDATE' && subresource === 'resize'
      const isClaimChange = operation === 'UPDATE' && subresource === '' && isClaim(request)
      if (!(isNew || isResized || isClaimChange) || !(isPod(request) || isClaim(request))) return
      for (const limits of rangesOf(reader, request)) {
        const errors = limits.flatMap((limit) =>
          isPod(request) ? checkPod(limit, specOf(object)) : checkClaim(limit, object),
        )
        if (errors.length > 0)
          throw refuse(request, errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`)
      }
    },
  }
}

const isPod = ({ resource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.resource === 'pods'
const isClaim = ({ resource }: AdmissionRequest): boolean =>
  resource.group === '' && resource.resource === 'persistentvolumeclaims'

function rangesOf(reader: Reader, { namespace }: AdmissionRequest): readonly (readonly Limit[])[] {
  return reader
    .list({ group: '', resource: 'limitranges' }, namespace)
    .map(({ object }) => (object['spec'] as { readonly limits?: readonly Limit[] })?.limits ?? [])
}

const specOf = (object: KubeObject): Spec => (object['spec'] ?? {}) as Spec

function fillPod(pod: KubeObject, limits: readonly Limit[]): KubeObject {
  const ofContainers = limits.filter(({ type }) => type === 'Container')
  const defaults = {
    limits: Object.assign({}, ...ofContainers.map((limit) => limit.default ?? {})) as NonNullable<Written>,
    requests: Object.assign(
      {},
      ...ofContainers.map((limit) => limit.defaultRequest ?? {}),
    ) as NonNullable<Written>,
  }
  if (Object.keys(defaults.limits).length === 0 && Object.keys(defaults.requests).length === 0) return pod
  const said: string[] = []
  const spec = specOf(pod)
  const fill =
    (what: string) =>
    (container: Container): Container => {
      const filled: Record<string, Written> = {}
      for (const list of ['requests', 'limits'] as const) {
        const given = container.resources?.[list] ?? {}
        const missing = Object.keys(defaults[list])
          .filter((name) => !Object.hasOwn(given, name))
          .sort()
        if (missing.length === 0) continue
        filled[list] = { ...given, ...pick(defaults[list], missing) }
        said.push(`${missing.join(', ')} ${list.slice(0, -1)} for ${what} ${container.name}`)
      }
      return Object.keys(filled).length === 0
        ? container
        : { ...container, resources: { ...container.resources, ...filled } }
    }
  const containers = (spec.containers ?? []).map(fill('container'))
  const initContainers = spec.initContainers?.map(fill('init container'))
  if (said.length === 0) return pod
  const annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${said.join('; ')}`,
  }
  const changed = withSpec(pod, { containers, ...(initContainers === undefined ? {} : { initContainers }) })
  return { ...changed, metadata: { ...pod.metadata, annotations } }
}

const pick = (from: NonNullable<Written>, names: readonly string[]): NonNullable<Written> =>
  Object.fromEntries(names.map((name) => [name, from[name] ?? '0']))

interface Asked {
  readonly type: string
  readonly requests: Amounts
  readonly limits: Amounts
}

function checkPod(limit: Limit, spec: Spec): readonly string[] {
  if (limit.type === 'Container') {
    const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
    return containers.flatMap(({ resources }) =>
      check(limit, {
        type: 'Container',
        requests: readAmounts(resources?.requests),
        limits: readAmounts(resources?.limits),
      }),
    )
  }
  if (limit.type !== 'Pod') return []
  return check(limit, {
    type: 'Pod',
    requests: podAmounts(spec, 'requests'),
    limits: podAmounts(spec, 'limits'),
  })
}

function check(limit: Limit, asked: Asked): readonly string[] {
  return [
    ...each(limit.min, (name, bound) => checkMin(name, bound, asked)),
    ...each(limit.max, (name, bound) => checkMax(name, bound, asked)),
    ...each(limit.maxLimitRequestRatio, (name, bound) => checkRatio(name, bound, asked)),
  ]
}

/** Claims have requests only. */
function checkClaim(limit: Limit, claim: KubeObject): readonly string[] {
  const type = 'PersistentVolumeClaim'
  if (limit.type !== type) return []
  const { resources } = (claim['spec'] ?? {}) as { readonly resources?: { readonly requests?: Written } }
  const requests = readAmounts(resources?.requests)
  return [
    ...each(limit.min, (name, bound) => checkMin(name, bound, { type, requests, limits: {} })),
    ...each(limit.max, (name, bound) => {
      const text = `maximum ${name} usage per ${type} is ${quantityText(bound)}`
      const request = requests[name]
      if (request === undefined) return `${text}.  No request is specified`
      return isAbove(request, bound) ? `${text}, but request is ${quantityText(request)}` : undefined
    }),
  ]
}

function each(
  bounds: Written | undefined,
  checkOne: (name: string, bound: Quantity) => string | undefined,
): readonly string[] {
  return Object.keys(bounds ?? {})
    .sort()
    .flatMap((name) => {
      const bound = parseQuantity(bounds?.[name])
      const problem = bound === undefined ? undefined : checkOne(name, bound)
      return problem === undefined ? [] : [problem]
    })
}

const isAbove = (one: Quantity, other: Quantity): boolean => compareQuantities(one, other) > 0

function checkMin(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const text = `minimum ${name} usage per ${type} is ${quantityText(bound)}`
  const [request, limit] = [requests[name], limits[name]]
  if (request === undefined) return `${text}.  No request is specified`
  if (isAbove(bound, request)) return `${text}, but request is ${quantityText(request)}`
  if (limit !== undefined && isAbove(bound, limit)) return `${text}, but limit is ${quantityText(limit)}`
  return undefined
}

function checkMax(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${quantityText(bound)}`
  const [request, limit] = [requests[name], limits[name]]
  if (limit === undefined) return `${text}.  No limit is specified`
  if (isAbove(limit, bound)) return `${text}, but limit is ${quantityText(limit)}`
  if (request !== undefined && isAbove(request, bound))
    return `${text}, but request is ${quantityText(request)}`
  return undefined
}

function checkRatio(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const text = `${name} max limit to request ratio per ${type} is ${quantityText(bound)}`
  const [request, limit] = [requests[name], limits[name]]
  if (request === undefined || quantityValue(request) === 0)
    return `${text}, but no request is specified or request is 0`
  if (limit === undefined || quantityValue(limit) === 0)
    return `${text}, but no limit is specified or limit is 0`
  const ratio = quantityMilliValue(limit) / quantityMilliValue(request)
  return ratio * 1_000 > quantityMilliValue(bound)
    ? `${text}, but provided ratio is ${ratio.toFixed(6)}`
    : undefined
}
