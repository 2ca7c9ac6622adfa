// Resource quotas as rules: what an object uses of a namespace, which quotas count it, and what would be too much.
// Upstream: pkg/quota/v1/evaluator/core and apiserver/pkg/admission/plugin/resourcequota.

import type { KubeObject } from '../object.ts'
import {
  compareQuantities,
  type Quantity,
  quantityFromInteger,
  quantityText,
  subtractQuantities,
} from '../quantity.ts'
import { type Amounts, addAmounts, type PodResources, podAmounts, readAmounts } from './pod-resources.ts'

export interface CountedResource {
  readonly group: string
  readonly resource: string
}

export interface Quota {
  readonly name: string
  readonly hard: Amounts
  readonly scopes: readonly Scope[]
}

interface Scope {
  readonly scopeName?: string
  readonly operator?: string
  readonly values?: readonly string[] | null
}

const one = quantityFromInteger(1)

export function readQuota(object: KubeObject): Quota {
  const spec = (object['spec'] ?? {}) as {
    readonly hard?: Readonly<Record<string, string>> | null
    readonly scopes?: readonly string[] | null
    readonly scopeSelector?: { readonly matchExpressions?: readonly Scope[] | null } | null
  }
  const plain = (spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }))
  return {
    name: object.metadata.name ?? '',
    hard: readAmounts(spec.hard),
    scopes: [...plain, ...(spec.scopeSelector?.matchExpressions ?? [])],
  }
}

/** Resources that a quota's names speak of: `pods`, `count/deployments.apps`. */
export function countedResources({ hard }: Quota): readonly CountedResource[] {
  const found = new Map<string, CountedResource>()
  for (const name of Object.keys(hard)) {
    const counted = resourceOf(name)
    found.set(`${counted.group}/${counted.resource}`, counted)
  }
  return [...found.values()]
}

const plainCounts = [
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]

function resourceOf(name: string): CountedResource {
  if (name.startsWith('count/')) {
    const [resource = '', ...group] = name.slice('count/'.length).split('.')
    return { group: group.join('.'), resource }
  }
  if (plainCounts.includes(name)) return { group: '', resource: name }
  if (name.startsWith('services.')) return { group: '', resource: 'services' }
  if (name === 'requests.storage' || name.includes('.storageclass.storage.k8s.io/'))
    return { group: '', resource: 'persistentvolumeclaims' }
  return { group: '', resource: 'pods' }
}

/** What the object counts for, by the names that quotas use. */
export function usageOf({ group, resource }: CountedResource, object: KubeObject): Amounts {
  const counted: Record<string, Quantity> = {
    [`count/${group === '' ? resource : `${resource}.${group}`}`]: one,
  }
  if (group !== '') return counted
  if (resource === 'pods') return isFinished(object) ? counted : { ...counted, ...podUsage(object) }
  if (plainCounts.includes(resource)) counted[resource] = one
  if (resource === 'services') return { ...counted, ...serviceUsage(object) }
  return resource === 'persistentvolumeclaims' ? { ...counted, ...claimUsage(object) } : counted
}

function isFinished(pod: KubeObject): boolean {
  const { phase } = (pod['status'] ?? {}) as { readonly phase?: string }
  return phase === 'Succeeded' || phase === 'Failed'
}

const specOf = <T>(object: KubeObject): T => (object['spec'] ?? {}) as T

function podUsage(pod: KubeObject): Amounts {
  const spec = specOf<PodResources>(pod)
  const used: Record<string, Quantity> = { pods: one }
  for (const [name, quantity] of Object.entries(podAmounts(spec, 'requests'))) {
    used[`requests.${name}`] = quantity
    // The plain names mean requests.
    if (!name.includes('/')) used[name] = quantity
  }
  for (const [name, quantity] of Object.entries(podAmounts(spec, 'limits'))) used[`limits.${name}`] = quantity
  return used
}

function serviceUsage(service: KubeObject): Amounts {
  const { type, ports, allocateLoadBalancerNodePorts } = specOf<{
    readonly type?: string
    readonly ports?: readonly { readonly nodePort?: number }[] | null
    readonly allocateLoadBalancerNodePorts?: boolean
  }>(service)
  const all = ports ?? []
  if (type === 'NodePort') return { 'services.nodeports': quantityFromInteger(all.length) }
  if (type !== 'LoadBalancer') return {}
  const counted =
    allocateLoadBalancerNodePorts === false ? all.filter(({ nodePort }) => (nodePort ?? 0) > 0) : all
  return { 'services.loadbalancers': one, 'services.nodeports': quantityFromInteger(counted.length) }
}

function claimUsage(claim: KubeObject): Amounts {
  const { storageClassName, resources } = specOf<{
    readonly storageClassName?: string
    readonly resources?: { readonly requests?: Readonly<Record<string, string>> }
  }>(claim)
  const { storage } = readAmounts(resources?.requests)
  const named = storageClassName === undefined ? '' : `${storageClassName}.storageclass.storage.k8s.io/`
  return {
    ...(storage === undefined ? {} : { 'requests.storage': storage }),
    ...(named === '' ? {} : { [`${named}persistentvolumeclaims`]: one }),
    ...(named === '' || storage === undefined ? {} : { [`${named}requests.storage`]: storage }),
  }
}

/** Whether a quota counts this object; scopes speak of pods. */
export function covers({ scopes }: Quota, { group, resource }: CountedResource, object: KubeObject): boolean {
  if (scopes.length === 0) return true
  return group === '' && resource === 'pods' && scopes.every((scope) => isInScope(scope, object))
}

function isInScope({ scopeName, operator, values }: Scope, pod: KubeObject): boolean {
  const spec = specOf<{ readonly activeDeadlineSeconds?: number; readonly priorityClassName?: string }>(pod)
  const { qosClass } = (pod['status'] ?? {}) as { readonly qosClass?: string }
  const isBounded = (spec.activeDeadlineSeconds ?? -1) >= 0
  const asks = Object.keys({
    ...podAmounts(spec as PodResources, 'requests'),
    ...podAmounts(spec as PodResources, 'limits'),
  })
  const isBestEffort =
    qosClass === undefined
      ? !asks.some((name) => name === 'cpu' || name === 'memory')
      : qosClass === 'BestEffort'
  if (scopeName === 'Terminating') return isBounded
  if (scopeName === 'NotTerminating') return !isBounded
  if (scopeName === 'BestEffort') return isBestEffort
  if (scopeName === 'NotBestEffort') return !isBestEffort
  if (scopeName !== 'PriorityClass') return false
  const { priorityClassName = '' } = spec
  if (operator === 'In') return (values ?? []).includes(priorityClassName)
  if (operator === 'NotIn') return !(values ?? []).includes(priorityClassName)
  return (operator === 'Exists') === (priorityClassName !== '')
}

/** Only the names that a quota limits. */
export function masked(amounts: Amounts, names: Amounts): Amounts {
  return Object.fromEntries(Object.entries(amounts).filter(([name]) => Object.hasOwn(names, name)))
}

/** What an update adds; what it gives back is not asked for. */
export function growth(next: Amounts, before: Amounts): Amounts {
  const grown = Object.entries(next).flatMap(([name, quantity]) => {
    const old = before[name]
    const more = old === undefined ? quantity : subtractQuantities(quantity, old)
    return more.unscaled > 0n ? [[name, more] as const] : []
  })
  return Object.fromEntries(grown)
}

/** `exceeded quota: …`, or undefined when there is room. */
export function excess(quota: Quota, asked: Amounts, used: Amounts): string | undefined {
  const requested = masked(asked, quota.hard)
  const after = addAmounts(masked(used, requested), requested)
  const over = Object.entries(after).filter(([name, quantity]) => {
    const limit = quota.hard[name]
    return limit !== undefined && compareQuantities(quantity, limit) > 0
  })
  if (over.length === 0) return undefined
  const names = Object.fromEntries(over)
  const nothing = Object.fromEntries(over.map(([name]) => [name, quantityFromInteger(0)]))
  const shown = [
    masked(requested, names),
    { ...nothing, ...masked(used, names) },
    masked(quota.hard, names),
  ].map(text)
  return `exceeded quota: ${quota.name}, requested: ${shown[0]}, used: ${shown[1]}, limited: ${shown[2]}`
}

function text(amounts: Amounts): string {
  return Object.keys(amounts)
    .sort()
    .map((name) => `${name}=${quantityText(amounts[name] ?? one)}`)
    .join(',')
}

const compulsory = ['cpu', 'limits.cpu', 'limits.memory', 'memory', 'requests.cpu', 'requests.memory']

type Container = {
  readonly name?: string
  readonly resources?: { readonly requests?: object; readonly limits?: object }
}

/** Who limits processor or memory wants each container to say what it needs. */
export function missing(quota: Quota, pod: KubeObject): string | undefined {
  const spec = specOf<{
    readonly containers?: readonly Container[]
    readonly initContainers?: readonly Container[]
  }>(pod)
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const said = compulsory
    .filter((name) => Object.hasOwn(quota.hard, name))
    .flatMap((name) => {
      const list = name.startsWith('limits.') ? 'limits' : 'requests'
      const key = name.slice(name.indexOf('.') + 1)
      const silent = containers.filter(({ resources }) => !Object.hasOwn(resources?.[list] ?? {}, key))
      return silent.length === 0
        ? []
        : [
            `${name} for: ${silent
              .map((one) => one.name)
              .sort()
              .join(',')}`,
          ]
    })
  return said.length === 0 ? undefined : `failed quota: ${quota.name}: must specify ${said.join('; ')}`
}
