// Which EndpointSlices a service should have, given those it has: moves as few endpoints as it can. Pure.
// Upstream: k8s.io/endpointslice. Reading and writing is endpoint-slices.ts's.

import type { Endpoint, EndpointSlice, Service } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import {
  type AddressType,
  type Backend,
  type BackendPort,
  headlessLabel,
  inheritedLabels,
  isHeadless,
  targetOf,
} from './backends.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const manager = 'endpointslice-controller.k8s.io'
export const endpointsMax = 100

const reserved = new Set([serviceNameLabel, managedByLabel, headlessLabel])

export interface SlicePlan {
  readonly create: readonly EndpointSlice[]
  readonly update: readonly EndpointSlice[]
  readonly remove: readonly EndpointSlice[]
}

export interface SliceWorld {
  readonly service: Service
  readonly addressType: AddressType
  readonly backends: readonly Backend[]
  /** The zone of a node, when it is known. */
  readonly zoneOf: (nodeName: string) => string | undefined
  /** Slices of this service and address type that this controller manages. */
  readonly present: readonly EndpointSlice[]
}

export function planSlices(world: SliceWorld): SlicePlan {
  const { service, present, addressType } = world
  const groups = groupByPorts(world)
  const free = new Set(present.filter(({ metadata }) => metadata.deletionTimestamp === undefined))
  const create: EndpointSlice[] = []
  const update: EndpointSlice[] = []
  for (const { ports, endpoints } of groups) {
    const own = [...free].filter((slice) => isSame(slice.ports ?? [], ports))
    for (const slice of own) free.delete(slice)
    const { kept, left } = keep(own, endpoints)
    for (const { slice, endpoints: staying } of fill(kept, left)) {
      // A service always has a slice: the first one stays even when it is empty, if nothing else would.
      if (staying.length === 0 && (endpoints.length > 0 || slice !== own[0])) {
        free.add(slice)
        continue
      }
      const next = {
        ...slice,
        metadata: { ...slice.metadata, labels: labelsOf(service) },
        endpoints: staying,
        ports,
      }
      if (!isSame(comparable(slice), comparable(next))) update.push(next)
    }
    for (let rest = left; rest.length > 0; rest = rest.slice(endpointsMax)) {
      create.push(newSlice({ service, addressType, ports, endpoints: rest.slice(0, endpointsMax) }))
    }
    if (own.length === 0 && endpoints.length === 0)
      create.push(newSlice({ service, addressType, ports, endpoints }))
  }
  return { create, update, remove: [...free] }
}

interface Group {
  readonly ports: readonly BackendPort[]
  readonly endpoints: readonly Endpoint[]
}

/** Pods with the same ports share slices. Without any pod there is one empty group: the placeholder. */
function groupByPorts({ backends, zoneOf }: SliceWorld): readonly Group[] {
  const groups = new Map<string, { ports: readonly BackendPort[]; endpoints: Endpoint[] }>()
  for (const backend of backends) {
    const key = JSON.stringify(backend.ports)
    const group = groups.get(key) ?? { ports: backend.ports, endpoints: [] }
    group.endpoints.push(endpointOf(backend, zoneOf))
    groups.set(key, group)
  }
  return groups.size === 0 ? [{ ports: [], endpoints: [] }] : [...groups.values()]
}

function endpointOf({ pod, address, hostname, ...state }: Backend, zoneOf: SliceWorld['zoneOf']): Endpoint {
  const { nodeName } = pod.spec ?? {}
  const zone = nodeName === undefined ? undefined : zoneOf(nodeName)
  return {
    addresses: [address],
    conditions: { ready: state.isReady, serving: state.isServing, terminating: state.isTerminating },
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: targetOf(pod),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  }
}

interface Kept {
  readonly slice: EndpointSlice
  readonly endpoints: Endpoint[]
}

/** Endpoints stay where they are; what is not wanted any more drops out, what is new is left. */
function keep(
  slices: readonly EndpointSlice[],
  wanted: readonly Endpoint[],
): { kept: Kept[]; left: Endpoint[] } {
  const missing = new Map(wanted.map((endpoint) => [identityOf(endpoint), endpoint]))
  const kept = slices.map((slice) => {
    const endpoints = (slice.endpoints ?? []).flatMap((endpoint) => {
      const next = missing.get(identityOf(endpoint))
      missing.delete(identityOf(endpoint))
      return next ?? []
    })
    return { slice, endpoints }
  })
  return { kept, left: [...missing.values()] }
}

/** Room in slices that are there is used before new ones are made; takes from `left`. */
function fill(kept: readonly Kept[], left: Endpoint[]): readonly Kept[] {
  for (const { endpoints } of kept) {
    endpoints.push(...left.splice(0, Math.max(0, endpointsMax - endpoints.length)))
  }
  return kept
}

function identityOf({ addresses, targetRef }: Endpoint): string {
  return `${targetRef?.uid ?? ''}/${addresses[0] ?? ''}`
}

function newSlice(wanted: {
  readonly service: Service
  readonly addressType: AddressType
  readonly ports: readonly BackendPort[]
  readonly endpoints: readonly Endpoint[]
}): EndpointSlice {
  const { service, addressType, ports, endpoints } = wanted
  const { name = '', namespace, uid = '' } = service.metadata
  const owner = { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true }
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName: `${name}-`, namespace, labels: labelsOf(service), ownerReferences: [owner] },
    addressType,
    endpoints,
    ports,
  }
}

function labelsOf(service: Service): Readonly<Record<string, string>> {
  return {
    ...inheritedLabels(service, reserved),
    [serviceNameLabel]: service.metadata.name ?? '',
    [managedByLabel]: manager,
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
  }
}

function comparable({ metadata, endpoints, ports }: EndpointSlice): unknown {
  return { labels: metadata.labels, endpoints: endpoints ?? [], ports: ports ?? [] }
}
