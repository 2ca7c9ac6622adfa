// The cluster's DNS as a pod of the embedded host sees it: services, headless services, pods, SRV and PTR records.
// Upstream: the Kubernetes DNS specification 1.1 and resolv.conf(5). Foreign names are the machine's.

import type { EndpointSlice, Pod, Service } from '../../api/models.ts'
import type { ClusterView } from './cluster-view.ts'
import { isHeadless } from './cluster-view.ts'

export const clusterDomain = 'cluster.local'

export interface SrvRecord {
  readonly name: string
  readonly port: number
  readonly priority: number
  readonly weight: number
}

export type Records =
  | { readonly type: 'addresses'; readonly addresses: readonly string[] }
  | { readonly type: 'services'; readonly services: readonly SrvRecord[] }
  | { readonly type: 'names'; readonly names: readonly string[] }
  /** An ExternalName service: ask for this name instead. */
  | { readonly type: 'alias'; readonly name: string }

/** The names to try for one that a program asked for, in order. */
export function candidates(
  name: string,
  { searches, ndots }: { readonly searches: readonly string[]; readonly ndots: number },
): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const searched = searches.map((domain) => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...searched] : [...searched, name]
}

/** What a pod's resolv.conf would hold under the policy ClusterFirst. */
export function searchesOf({ metadata, spec }: Pod): {
  readonly searches: readonly string[]
  readonly ndots: number
} {
  const own = [`${metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  const isClusterFirst = (spec?.dnsPolicy ?? 'ClusterFirst').startsWith('ClusterFirst')
  const searches = [...(isClusterFirst ? own : []), ...(spec?.dnsConfig?.searches ?? [])]
  const ndots = spec?.dnsConfig?.options?.find((option) => option.name === 'ndots')?.value
  return { searches: [...new Set(searches)], ndots: Number(ndots ?? (isClusterFirst ? 5 : 1)) }
}

export const isClusterName = (name: string): boolean =>
  name === clusterDomain || name.toLowerCase().endsWith(`.${clusterDomain}`)

/** `undefined`: there is no such name. */
export function findRecords(view: ClusterView, name: string): Records | undefined {
  const labels = name
    .toLowerCase()
    .slice(0, -(clusterDomain.length + 1))
    .split('.')
  const zone = labels.pop()
  const namespace = labels.pop()
  if (namespace === undefined || labels.length === 0) return undefined
  if (zone === 'pod') return findPodAddress(labels)
  if (zone !== 'svc') return undefined
  const service = view.service(namespace, labels.pop() ?? '')
  return service === undefined ? undefined : findInService(view, { service, labels, name })
}

/** `4-3-2-1.default.pod.cluster.local` says its address itself. */
function findPodAddress(labels: readonly string[]): Records | undefined {
  const address = labels.join('.').replaceAll('-', '.')
  return /^\d+(\.\d+){3}$/.test(address) ? { type: 'addresses', addresses: [address] } : undefined
}

interface Asked {
  readonly service: Service
  /** What stands before the service's name. */
  readonly labels: readonly string[]
  readonly name: string
}

function findInService(view: ClusterView, { service, labels, name }: Asked): Records | undefined {
  const { spec } = service
  if (spec?.type === 'ExternalName') {
    return labels.length === 0 && spec.externalName !== undefined
      ? { type: 'alias', name: spec.externalName }
      : undefined
  }
  const [first, second] = labels
  if (labels.length === 2 && first?.startsWith('_') === true && second?.startsWith('_') === true) {
    return findPorts(view, { service, port: first.slice(1), protocol: second.slice(1).toUpperCase(), name })
  }
  if (labels.length > 1) return undefined
  if (!isHeadless(service)) {
    return labels.length === 0 ? { type: 'addresses', addresses: [spec?.clusterIP ?? ''] } : undefined
  }
  const addresses = endpointsOf(view, service).filter(
    (endpoint) => first === undefined || endpoint.hostname === first,
  )
  return addresses.length === 0
    ? undefined
    : { type: 'addresses', addresses: addresses.map(({ address }) => address) }
}

interface NamedEndpoint {
  readonly address: string
  readonly hostname: string
  readonly slice: EndpointSlice
}

/** Ready ones, or all when the service says so. An endpoint without a hostname has its address as its name. */
function endpointsOf(view: ClusterView, service: Service): readonly NamedEndpoint[] {
  const publishesAll = service.spec?.publishNotReadyAddresses === true
  return view.slicesOf(service).flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter(({ conditions }) => publishesAll || conditions?.ready !== false)
      .flatMap(({ addresses, hostname }) => {
        const [address] = addresses
        if (address === undefined) return []
        return [{ address, hostname: hostname ?? address.replaceAll('.', '-'), slice }]
      }),
  )
}

interface PortAsked {
  readonly service: Service
  readonly port: string
  readonly protocol: string
  readonly name: string
}

function findPorts(view: ClusterView, { service, port, protocol, name }: PortAsked): Records | undefined {
  const target = name.split('.').slice(2).join('.')
  const isWanted = (one: {
    readonly name?: string | undefined
    readonly protocol?: string | undefined
  }): boolean => one.name === port && (one.protocol ?? 'TCP') === protocol
  const record = (host: string, number: number): SrvRecord => ({
    name: host,
    port: number,
    priority: 0,
    weight: 100,
  })
  if (!isHeadless(service)) {
    const found = service.spec?.ports?.find(isWanted)
    return found === undefined ? undefined : { type: 'services', services: [record(target, found.port)] }
  }
  const services = endpointsOf(view, service).flatMap(({ hostname, slice }) => {
    const number = slice.ports?.find(isWanted)?.port
    return number === undefined ? [] : [record(`${hostname}.${target}`, number)]
  })
  return services.length === 0 ? undefined : { type: 'services', services }
}

/** For `10.0.96.10.in-addr.arpa`: the service that has the address. */
export function findReverse(view: ClusterView, name: string): Records | undefined {
  const address = name
    .replace(/\.in-addr\.arpa\.?$/, '')
    .split('.')
    .reverse()
    .join('.')
  const service = view.serviceAt(address)
  if (service === undefined) return undefined
  const { namespace, name: serviceName } = service.metadata
  return { type: 'names', names: [`${serviceName}.${namespace}.svc.${clusterDomain}`] }
}
