// A name and a type to records: pure. Upstream: the Kubernetes DNS specification 1.1 and CoreDNS' kubernetes plugin.
// Aliases are followed by respond.ts; what is not a name of the cluster is upstream.ts's.

import { isIP, isIPv4 } from 'node:net'
import type { Answer } from 'dns-packet'
import type { EndpointSlice, Service } from '../api/models.ts'
import { clusterIPsOf, type DnsView, serviceNameLabel } from './view.ts'

export const ttlSeconds = 5

export type Found =
  /** The name exists; no answers: not with this type. */
  | {
      readonly type: 'records'
      readonly answers: readonly Answer[]
      readonly additionals?: readonly Answer[]
    }
  | { readonly type: 'absent' }
  | { readonly type: 'foreign' }

export interface Asked {
  /** Without the last dot, in the case of whoever asked. */
  readonly name: string
  readonly type: string
}

interface Zone {
  readonly view: DnsView
  readonly domain: string
}

const empty: Found = { type: 'records', answers: [] }
const absent: Found = { type: 'absent' }
const foreign: Found = { type: 'foreign' }
const specificationVersion = '1.1.0'

export function findRecords(zone: Zone, asked: Asked): Found {
  const name = asked.name.toLowerCase()
  if (name.endsWith('.in-addr.arpa')) return findReverse(zone, name, asked)
  if (name === zone.domain) return apex(zone, asked)
  if (!name.endsWith(`.${zone.domain}`)) return foreign
  const labels = name.slice(0, -(zone.domain.length + 1)).split('.')
  const part = labels.pop()
  if (part === 'dns-version' && labels.length === 0)
    return asked.type === 'TXT' ? records([{ ...at(asked), type: 'TXT', data: specificationVersion }]) : empty
  if (part !== 'svc' && part !== 'pod') return absent
  const namespace = labels.pop()
  if (namespace === undefined) return empty
  if (part === 'pod') return findPod(labels, asked)
  const serviceName = labels.pop()
  if (serviceName === undefined) return zone.view.hasServices(namespace) ? empty : absent
  const service = zone.view.service(namespace, serviceName)
  return service === undefined ? absent : findInService(zone, service, { labels, asked })
}

/** What an answer without records carries, so that it is kept no longer than the others. */
export const startOfAuthority = (domain: string): Answer => ({
  type: 'SOA',
  name: domain,
  ttl: ttlSeconds,
  data: {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  },
})

const at = ({ name }: Asked) => ({ name, ttl: ttlSeconds })

const records = (answers: readonly Answer[], additionals: readonly Answer[] = []): Found => ({
  type: 'records',
  answers,
  additionals,
})

function apex({ domain }: Zone, asked: Asked): Found {
  if (asked.type === 'SOA') return records([startOfAuthority(domain)])
  return asked.type === 'NS' ? records([{ ...at(asked), type: 'NS', data: `ns.dns.${domain}` }]) : empty
}

/** `4-3-2-1.default.pod.cluster.local` says its address itself. */
function findPod(labels: readonly string[], asked: Asked): Found {
  if (labels.length === 0) return empty
  const [label = ''] = labels
  const dotted = label.replaceAll('-', '.')
  const address = isIPv4(dotted) ? dotted : label.replaceAll('-', ':')
  return labels.length > 1 || isIP(address) === 0 ? absent : addressRecords([address], asked)
}

/** Reverse names that are not the cluster's may be somebody else's. */
function findReverse({ view, domain }: Zone, name: string, asked: Asked): Found {
  const address = name
    .replace(/\.in-addr\.arpa$/, '')
    .split('.')
    .reverse()
    .join('.')
  const names = isIPv4(address) ? reverseNames({ view, domain }, address) : []
  if (names.length === 0) return foreign
  if (asked.type !== 'PTR') return empty
  return records(names.map((data): Answer => ({ ...at(asked), type: 'PTR', data })))
}

function reverseNames({ view, domain }: Zone, address: string): readonly string[] {
  const service = view.serviceAt(address)
  if (service !== undefined) return [nameOf(service, domain)]
  const names = view.slicesAt(address).flatMap((slice) => {
    const { namespace, labels } = slice.metadata
    const owner = labels?.[serviceNameLabel]
    if (owner === undefined) return []
    return (slice.endpoints ?? [])
      .filter(({ addresses }) => addresses.includes(address))
      .map(({ hostname }) => `${hostname ?? dashed(address)}.${owner}.${namespace}.svc.${domain}`)
  })
  return [...new Set(names)]
}

const dashed = (address: string): string => address.replaceAll(/[.:]/g, '-')
const nameOf = ({ metadata }: Service, domain: string): string =>
  `${metadata.name}.${metadata.namespace}.svc.${domain}`

interface InService {
  /** What stands before the service's name. */
  readonly labels: readonly string[]
  readonly asked: Asked
}

interface Port {
  readonly name: string
  readonly protocol: string
  readonly port: number
}

interface Host {
  readonly name: string
  readonly addresses: readonly string[]
  readonly ports: readonly Port[]
}

function findInService({ view, domain }: Zone, service: Service, { labels, asked }: InService): Found {
  const { spec } = service
  if (spec?.type === 'ExternalName')
    return labels.length > 0 ? absent : externalName(spec.externalName ?? '', asked)
  if (labels.length > 2) return absent
  const [first, second] = labels
  const isPort = labels.length === 2
  if (isPort && !(first?.startsWith('_') && second?.startsWith('_'))) return absent
  const isEndpoint = labels.length === 1
  const hosts = (
    isEndpoint || spec?.clusterIP === 'None'
      ? endpointHosts(view, service, domain)
      : [serviceHost(service, domain)]
  ).filter(({ name }) => !isEndpoint || name.startsWith(`${first}.`))
  const matching = isPort ? hosts.map((host) => withPort(host, first ?? '', second ?? '')) : hosts
  const there = isPort ? matching.filter(({ ports }) => ports.length > 0) : matching
  if (there.length === 0) return absent
  if (asked.type === 'SRV') return serviceRecords(there, asked)
  return addressRecords(
    there.flatMap(({ addresses }) => addresses),
    asked,
  )
}

function externalName(target: string, asked: Asked): Found {
  if (isIP(target) !== 0) return addressRecords([target], asked)
  return records([{ ...at(asked), type: 'CNAME', data: target.replace(/\.$/, '') }])
}

const withPort = (host: Host, port: string, protocol: string): Host => ({
  ...host,
  ports: host.ports.filter((one) => `_${one.name}` === port && `_${one.protocol.toLowerCase()}` === protocol),
})

function serviceHost(service: Service, domain: string): Host {
  const ports = (service.spec?.ports ?? []).map(({ name = '', protocol = 'TCP', port }) => ({
    name,
    protocol,
    port,
  }))
  return { name: nameOf(service, domain), addresses: clusterIPsOf(service), ports }
}

/** Ready ones, or all when the service says so. An endpoint without a hostname has its address as its name. */
function endpointHosts(view: DnsView, service: Service, domain: string): readonly Host[] {
  const publishesAll = service.spec?.publishNotReadyAddresses === true
  return view.slicesOf(service).flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter(({ conditions }) => publishesAll || conditions?.ready !== false)
      .flatMap(({ addresses, hostname }) =>
        addresses.map((address) => ({
          name: `${hostname ?? dashed(address)}.${nameOf(service, domain)}`,
          addresses: [address],
          ports: slicePorts(slice),
        })),
      ),
  )
}

const slicePorts = ({ ports }: EndpointSlice): readonly Port[] =>
  (ports ?? []).flatMap(({ name, protocol, port }) =>
    port === undefined || port === null ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
  )

function addressRecords(addresses: readonly string[], asked: Asked): Found {
  const type = asked.type === 'AAAA' ? 'AAAA' : 'A'
  if (asked.type !== type) return empty
  const fitting = [...new Set(addresses)].filter((address) => isIPv4(address) === (type === 'A'))
  return records(fitting.map((data): Answer => ({ ...at(asked), type, data })))
}

function serviceRecords(hosts: readonly Host[], asked: Asked): Found {
  const targets = hosts.flatMap(({ name, ports }) => ports.map(({ port }) => ({ name, port })))
  const weight = Math.max(1, Math.floor(100 / Math.max(1, targets.length)))
  const answers = targets.map(
    ({ name, port }): Answer => ({
      ...at(asked),
      type: 'SRV',
      data: { target: name, port, priority: 0, weight },
    }),
  )
  const additionals = hosts.flatMap(({ name, addresses }) =>
    addresses.map((data): Answer => ({ name, ttl: ttlSeconds, type: isIPv4(data) ? 'A' : 'AAAA', data })),
  )
  return records(answers, additionals)
}
