// The EndpointSlices that stand for Endpoints which somebody else wrote: one for each list of ports and family. Pure.
// Upstream: pkg/controller/endpointslicemirroring. Reading and writing is endpoint-mirroring.ts's.

import { isIP } from 'node:net'
import type { EndpointAddress, EndpointSlice, EndpointSubset, Endpoints, Service } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { controllerReference } from '../workloads/owners.ts'
import { hasSelector } from './backends.ts'
import { managedByLabel, type SlicePlan, serviceNameLabel } from './slice-plan.ts'

export const mirrorManager = 'endpointslicemirroring-controller.k8s.io'
const addressesMax = 1_000
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const unkept = [
  'endpoints.kubernetes.io/last-change-trigger-time',
  'kubectl.kubernetes.io/last-applied-configuration',
]

/** A service with a selector has slices of its own; Endpoints that hold a lock are no endpoints. */
export function isMirrored(endpoints: Endpoints, service: Service): boolean {
  const { labels = {}, annotations = {} } = endpoints.metadata
  const isLock = annotations['control-plane.alpha.kubernetes.io/leader'] !== undefined
  return labels[skipLabel] !== 'true' && !isLock && !hasSelector(service)
}

/** `present` are the slices that stand for these Endpoints already. */
export function planMirror(endpoints: Endpoints, present: readonly EndpointSlice[]): SlicePlan {
  const free = new Set(present)
  const create: EndpointSlice[] = []
  const update: EndpointSlice[] = []
  for (const wanted of slicesOf(endpoints)) {
    const known = [...free].find(
      (slice) => slice.addressType === wanted.addressType && isSame(slice.ports ?? [], wanted.ports ?? []),
    )
    if (known === undefined) {
      create.push(wanted)
      continue
    }
    free.delete(known)
    const { labels, annotations } = wanted.metadata
    const next = {
      ...known,
      metadata: { ...known.metadata, labels, annotations },
      endpoints: wanted.endpoints,
    }
    if (!isSame(comparable(known), comparable(next))) update.push(next)
  }
  return { create, update, remove: [...free] }
}

function slicesOf(endpoints: Endpoints): readonly EndpointSlice[] {
  const byPorts = Map.groupBy(endpoints.subsets ?? [], ({ ports }) => JSON.stringify(ports ?? []))
  return [...byPorts.values()].flatMap((subsets) =>
    ([4, 6] as const).flatMap((family) => {
      const listed = subsets.flatMap((subset) => endpointsOf(subset, family)).slice(0, addressesMax)
      return listed.length === 0 ? [] : [sliceOf(endpoints, subsets[0] ?? {}, { family, listed })]
    }),
  )
}

function endpointsOf({ addresses = [], notReadyAddresses = [] }: EndpointSubset, family: 4 | 6) {
  const listed = (all: readonly EndpointAddress[], ready: boolean) =>
    all
      .filter(({ ip }) => isIP(ip) === family)
      .map(({ ip, hostname, nodeName, targetRef }) => ({
        addresses: [ip],
        conditions: { ready },
        ...(hostname === undefined || hostname === '' ? {} : { hostname }),
        ...(nodeName === undefined ? {} : { nodeName }),
        ...(targetRef === undefined ? {} : { targetRef }),
      }))
  return [...listed(addresses, true), ...listed(notReadyAddresses, false)]
}

function sliceOf(
  endpoints: Endpoints,
  { ports = [] }: EndpointSubset,
  { family, listed }: { readonly family: 4 | 6; readonly listed: ReturnType<typeof endpointsOf> },
): EndpointSlice {
  const { name = '', namespace, labels, annotations = {} } = endpoints.metadata
  const kept = Object.entries(annotations).filter(([key]) => !unkept.includes(key))
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirrorManager },
      annotations: Object.fromEntries(kept),
      ownerReferences: [controllerReference({ apiVersion: 'v1', kind: 'Endpoints' }, endpoints)],
    },
    addressType: `IPv${family}`,
    endpoints: listed,
    ports: ports.map(({ name: portName = '', port, protocol = 'TCP', appProtocol }) => ({
      name: portName,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
  }
}

function comparable({ metadata, endpoints }: EndpointSlice): unknown {
  return { labels: metadata.labels, annotations: metadata.annotations ?? {}, endpoints: endpoints ?? [] }
}
