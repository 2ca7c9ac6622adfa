// Where a service reference of a webhook leads: a Service of the plane, and never another host's name of the same form.
// Upstream: apiserver/pkg/util/proxy (ResolveCluster, ResolveEndpoint).

import type { Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import type { Address } from './deny.ts'
import { EgressError } from './failures.ts'

export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** Throws EgressError when the service leads nowhere. */
export type FindService = (reference: ServiceReference) => readonly Address[]

export interface ServiceOptions {
  readonly reader: Reader
  /** The cluster IPs are real: those of the host's own Services. Otherwise an endpoint is dialled. */
  readonly usesClusterIPs: boolean
}

const endpointsTriedMax = 3
const servicesResource = { group: '', resource: 'services' }
const slicesResource = { group: 'discovery.k8s.io', resource: 'endpointslices' }

type Port = { readonly name?: string; readonly port?: number }
type Spec = { readonly type?: string; readonly clusterIP?: string; readonly ports?: readonly Port[] | null }
type Slice = KubeObject & {
  readonly addressType?: string
  readonly endpoints?: readonly Endpoint[] | null
  readonly ports?: readonly Port[] | null
}
type Endpoint = {
  readonly addresses?: readonly string[]
  readonly conditions?: { readonly ready?: boolean | null } | null
}

export function findServices({ reader, usesClusterIPs }: ServiceOptions): FindService {
  return (reference) => {
    const { namespace, name, port } = reference
    const stored = reader.get(servicesResource, namespace, name)
    if (stored === undefined) throw new EgressError(`service ${JSON.stringify(name)} not found`)
    const spec = (stored.object['spec'] ?? {}) as Spec
    if (spec.type === 'ExternalName')
      throw new EgressError(`service ${JSON.stringify(name)} is of type ExternalName, which is not followed`)
    const servicePort = (spec.ports ?? []).find((one) => one.port === port)
    if (servicePort === undefined)
      throw new EgressError(`no service port ${port} found for service ${JSON.stringify(name)}`)
    if (!usesClusterIPs) return endpointsOf(reader, reference, servicePort)
    const { clusterIP = '' } = spec
    if (clusterIP === '' || clusterIP === 'None')
      throw new EgressError(`cannot route to service with ClusterIP ${JSON.stringify(clusterIP)}`)
    return [{ host: clusterIP, port }]
  }
}

function endpointsOf(reader: Reader, { namespace, name }: ServiceReference, port: Port): readonly Address[] {
  const addresses = reader
    .list(slicesResource, namespace)
    .filter(({ header }) => header.labels['kubernetes.io/service-name'] === name)
    .flatMap(({ object }) => {
      const slice = object as Slice
      const target = (slice.ports ?? []).find((one) => (one.name ?? '') === (port.name ?? ''))?.port
      if (target === undefined) return []
      return (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap((endpoint) => (endpoint.addresses ?? []).map((host) => ({ host, port: target })))
    })
  if (addresses.length === 0)
    throw new EgressError(`no endpoints available for service ${JSON.stringify(name)}`)
  return addresses.slice(0, endpointsTriedMax)
}
