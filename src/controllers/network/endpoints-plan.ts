// The Endpoints object of a service, for clients that still read it. Pure.
// Upstream: pkg/controller/endpoint and pkg/api/endpoints. Newer clients read the slices.

import type { EndpointAddress, EndpointSubset, Endpoints, Service } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { type Backend, headlessLabel, inheritedLabels, isHeadless, targetOf } from './backends.ts'

const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
export const addressesMax = 1_000
const reserved = new Set([managedByLabel, headlessLabel])

/** The same object when nothing changes. */
export function endpointsOf(
  service: Service,
  backends: readonly Backend[],
  present: Endpoints | undefined,
): Endpoints {
  // A pod that goes away takes no new traffic; only who wants to see all pods sees it.
  const isShown = (backend: Backend) =>
    !backend.isTerminating || service.spec?.publishNotReadyAddresses === true
  const shown = backends.filter(isShown)
  const subsets = subsetsOf(withinCapacity(shown))
  const labels = {
    ...inheritedLabels(service, reserved),
    [managedByLabel]: 'endpoint-controller',
    ...(isHeadless(service) ? { [headlessLabel]: '' } : {}),
  }
  const { [overCapacityAnnotation]: _, ...others } = present?.metadata.annotations ?? {}
  const annotations =
    shown.length > addressesMax ? { ...others, [overCapacityAnnotation]: 'truncated' } : others
  const { name, namespace } = service.metadata
  const metadata = { ...(present?.metadata ?? { name, namespace }), labels, annotations }
  if (present === undefined) return { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets }
  const next = { ...present, metadata, subsets }
  return isSame(comparable(present), comparable(next)) ? present : next
}

/** Those that take traffic first. */
function withinCapacity(backends: readonly Backend[]): readonly Backend[] {
  if (backends.length <= addressesMax) return backends
  const ready = backends.filter((backend) => backend.isReady)
  return [...ready, ...backends.filter((backend) => !backend.isReady)].slice(0, addressesMax)
}

/** Addresses with the same ports share a subset. A service without ports has no subset but for headless ones. */
function subsetsOf(backends: readonly Backend[]): readonly EndpointSubset[] {
  const groups = new Map<string, { ports: Backend['ports']; backends: Backend[] }>()
  for (const backend of backends) {
    const key = JSON.stringify(backend.ports)
    const group = groups.get(key) ?? { ports: backend.ports, backends: [] }
    group.backends.push(backend)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ ports, backends: members }) => {
    const addresses = members
      .filter((backend) => backend.isReady)
      .map(addressOf)
      .sort(byAddress)
    const notReadyAddresses = members
      .filter((backend) => !backend.isReady)
      .map(addressOf)
      .sort(byAddress)
    return {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
      ...(ports.length === 0
        ? {}
        : { ports: ports.map(({ name, ...port }) => (name === '' ? port : { name, ...port })) }),
    }
  })
}

function addressOf({ pod, address, hostname }: Backend): EndpointAddress {
  const { nodeName } = pod.spec ?? {}
  return {
    ip: address,
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: targetOf(pod),
  }
}

function byAddress(left: EndpointAddress, right: EndpointAddress): number {
  return left.ip < right.ip ? -1 : 1
}

function comparable({ metadata, subsets }: Endpoints): unknown {
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {}, subsets: subsets ?? [] }
}
