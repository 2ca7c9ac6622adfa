// The local address range: cluster IPs and node ports for Services of a plane that has no host to ask.
// Upstream: pkg/registry/core/service/storage/alloc.go and ipallocator.

import type { Allocator, Reader, Reservation } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { fieldInvalid, internalError, invalid } from '../api/status.ts'
import type { StoredObject } from '../api/stored.ts'
import type { Random } from '../platform/random.ts'

type Port = { readonly port: number; readonly nodePort?: number; readonly protocol?: string }
type Spec = {
  readonly type?: string
  readonly clusterIP?: string
  readonly clusterIPs?: readonly string[]
  readonly ports?: readonly Port[]
  readonly [field: string]: unknown
}

const services = { group: '', resource: 'services' }
const nodePortMin = 30_000
const nodePortMax = 32_767

export interface AddressRange {
  /** IPv4 network, for example `10.96.0.0`. */
  readonly network: string
  /** Prefix length, 12 to 28. */
  readonly prefix: number
}

/**
 * Gives Services their cluster IPs and node ports. What is in use is read from the Services themselves, plus what is
 * reserved by writes under way; `kubernetesIP` belongs to the `kubernetes` Service alone.
 */
export function createLocalAllocator({
  reader,
  range,
  random,
  kubernetesIP = firstAddress(range),
}: {
  reader: Reader
  range: AddressRange
  random: Random
  kubernetesIP?: string
}): Allocator {
  const pending = new Set<string>()
  const used = usedByServices(reader)
  const take = (
    object: KubeObject,
    old: KubeObject | undefined,
  ): { object: KubeObject; taken: readonly string[] } => {
    const spec = object['spec'] as Spec
    const taken: string[] = []
    const isKubernetes = object.metadata.name === 'kubernetes' && object.metadata.namespace === 'default'
    const isFree = (what: string): boolean =>
      !pending.has(what) &&
      !used().has(what) &&
      !taken.includes(what) &&
      (what !== kubernetesIP || isKubernetes)
    const claim = (what: string): string => {
      taken.push(what)
      return what
    }
    const before = (old?.['spec'] ?? {}) as Spec
    if (spec.type === 'ExternalName') return { object: withSpec(object, withoutAddresses(spec)), taken }
    const addressed = withClusterIP({ object, spec, before, range, random, isFree, claim })
    return {
      object: withSpec(object, withNodePorts({ object, spec: addressed, before, random, isFree, claim })),
      taken,
    }
  }
  return {
    allocate: async ({ object, old, resource }): Promise<Reservation> => {
      if (resource.group !== '' || resource.resource !== 'services')
        return { object, confirm: () => {}, release: () => {} }
      const result = take(object, old)
      for (const what of result.taken) pending.add(what)
      const release = (): void => {
        for (const what of result.taken) pending.delete(what)
      }
      return { object: result.object, confirm: release, release }
    },
  }
}

/** The first usable address of a range: the `kubernetes` Service's. */
export const firstAddress = (range: AddressRange): string => numberToAddress(networkOf(range) + 1)

const withSpec = (object: KubeObject, spec: Spec): KubeObject =>
  spec === object['spec'] ? object : { ...object, spec }

function withoutAddresses(spec: Spec): Spec {
  const { clusterIP: _, clusterIPs: __, ipFamilies: ___, ipFamilyPolicy: ____, ...rest } = spec
  return rest
}

interface Claiming {
  readonly object: KubeObject
  readonly spec: Spec
  readonly before: Spec
  readonly random: Random
  readonly isFree: (what: string) => boolean
  readonly claim: (what: string) => string
}

function withClusterIP({
  object,
  spec,
  before,
  range,
  random,
  isFree,
  claim,
}: Claiming & { range: AddressRange }): Spec {
  const families = { ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' }
  const asked = spec.clusterIP ?? spec.clusterIPs?.[0] ?? ''
  if (asked === 'None') {
    const policy = spec['ipFamilyPolicy'] ?? families.ipFamilyPolicy
    return {
      ...spec,
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: spec['ipFamilies'] ?? families.ipFamilies,
      ipFamilyPolicy: policy,
    }
  }
  if (spec['ipFamilyPolicy'] === 'RequireDualStack') {
    throw invalid({ group: '', kind: 'Service' }, object.metadata.name ?? '', [
      fieldInvalid(
        'spec.ipFamilyPolicy',
        'RequireDualStack',
        'this cluster is not configured for dual-stack services',
      ),
    ])
  }
  const kept = before.clusterIP !== undefined && before.clusterIP !== 'None' ? before.clusterIP : ''
  const address = asked === '' ? kept : asked
  if (address !== '' && address === kept)
    return { ...families, ...spec, clusterIP: address, clusterIPs: [address] }
  if (address !== '') checkAsked(object, address, { range, isFree })
  const chosen = claim(address === '' ? freeAddress({ range, random, isFree }) : address)
  return { ...spec, ...families, clusterIP: chosen, clusterIPs: [chosen] }
}

function checkAsked(
  object: KubeObject,
  address: string,
  { range, isFree }: { range: AddressRange; isFree: (what: string) => boolean },
): void {
  const refuse = (detail: string): never => {
    throw invalid({ group: '', kind: 'Service' }, object.metadata.name ?? '', [
      fieldInvalid('spec.clusterIPs', [address], detail),
    ])
  }
  const offset = addressToNumber(address) - networkOf(range)
  if (!(offset > 0 && offset < sizeOf(range) - 1)) {
    refuse(
      `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${range.network}/${range.prefix}`,
    )
  }
  if (!isFree(address)) refuse(`failed to allocate IP ${address}: provided IP is already allocated`)
}

function freeAddress({
  range,
  random,
  isFree,
}: {
  range: AddressRange
  random: Random
  isFree: (what: string) => boolean
}): string {
  const usable = sizeOf(range) - 2
  const start = random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) % usable
  for (let step = 0; step < usable; step += 1) {
    const address = numberToAddress(networkOf(range) + 1 + ((start + step) % usable))
    if (isFree(address)) return address
  }
  throw internalError('failed to allocate a serviceIP: range is full')
}

function withNodePorts({ object, spec, before, random, isFree, claim }: Claiming): Spec {
  const wants =
    spec.type === 'NodePort' ||
    (spec.type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
  if (!wants) return withoutNodePorts(spec, before)
  // Two protocols of one port share a node port, as DNS wants it: what this Service has already is free for it.
  const own = new Map<number, number>()
  const isOwn = (nodePort: number): boolean =>
    [...own.values()].includes(nodePort) || (before.ports ?? []).some((one) => one.nodePort === nodePort)
  const ports = (spec.ports ?? []).map((port, index): Port => {
    const nodePort = port.nodePort || (keptPort(before, port) ?? own.get(port.port))
    if (nodePort !== undefined && !isOwn(nodePort)) {
      checkPort(object, { nodePort, index, isFree })
      claim(portKey(nodePort))
    }
    const chosen = nodePort ?? freePort({ random, isFree, claim })
    own.set(port.port, chosen)
    return { ...port, nodePort: chosen }
  })
  return { ...spec, ports }
}

const keptPort = (before: Spec, port: Port): number | undefined =>
  (before.ports ?? []).find((one) => one.port === port.port && one.protocol === port.protocol)?.nodePort

function checkPort(
  object: KubeObject,
  { nodePort, index, isFree }: { nodePort: number; index: number; isFree: (what: string) => boolean },
): void {
  const isInRange = nodePort >= nodePortMin && nodePort <= nodePortMax
  if (isInRange && isFree(portKey(nodePort))) return
  const why = isInRange
    ? 'provided port is already allocated'
    : `provided port is not in the valid range. The range of valid ports is ${nodePortMin}-${nodePortMax}`
  throw invalid({ group: '', kind: 'Service' }, object.metadata.name ?? '', [
    fieldInvalid(`spec.ports[${index}].nodePort`, nodePort, why),
  ])
}

/** A Service that stops being a NodePort loses the ports it was given, unless its author names others. */
function withoutNodePorts(spec: Spec, before: Spec): Spec {
  const given = new Set((before.ports ?? []).map((port) => port.nodePort))
  if (!(spec.ports ?? []).some((port) => port.nodePort !== undefined && given.has(port.nodePort))) return spec
  return { ...spec, ports: (spec.ports ?? []).map(({ nodePort: _, ...port }) => port) }
}

const portKey = (port: number): string => `port:${port}`

function freePort({ random, isFree, claim }: Pick<Claiming, 'random' | 'isFree' | 'claim'>): number {
  const count = nodePortMax - nodePortMin + 1
  const start = random.bytes(2).reduce((sum, byte) => sum * 256 + byte, 0) % count
  for (let step = 0; step < count; step += 1) {
    const port = nodePortMin + ((start + step) % count)
    if (!isFree(portKey(port))) continue
    claim(portKey(port))
    return port
  }
  throw internalError('failed to allocate a nodePort: range is full')
}

/** Addresses and node ports of all Services, computed again only when a Service changed. */
function usedByServices(reader: Reader): () => ReadonlySet<string> {
  let seen: readonly StoredObject[] = []
  let used: ReadonlySet<string> = new Set()
  return () => {
    const all = reader.list(services)
    if (all.length === seen.length && all.every((stored, index) => stored === seen[index])) return used
    seen = [...all]
    used = new Set(all.flatMap(({ object }) => claimsOf(object['spec'] as Spec | undefined)))
    return used
  }
}

function claimsOf(spec: Spec | undefined): readonly string[] {
  const ports = (spec?.ports ?? []).flatMap((port) =>
    port.nodePort === undefined ? [] : [portKey(port.nodePort)],
  )
  return [...(spec?.clusterIPs ?? []), ...ports]
}

const sizeOf = ({ prefix }: AddressRange): number => 2 ** (32 - prefix)
const networkOf = ({ network }: AddressRange): number => addressToNumber(network)

/** NaN for what is not an IPv4 address. */
function addressToNumber(address: string): number {
  if (!/^(\d{1,3}\.){3}\d{1,3}$/.test(address)) return Number.NaN
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

const numberToAddress = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')
