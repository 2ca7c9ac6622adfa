// Answers one pod's questions about names: its host aliases, the cluster's names, its own nameservers, or "not mine".
// The records are names.ts's; foreign nameservers in the cluster are asked over their mapped UDP port.

import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import type { Pod } from '../../api/models.ts'
import type { Address, Answer } from '../preload/channel.ts'
import type { ClusterView } from './cluster-view.ts'
import { candidates, findRecords, findReverse, isClusterName, type Records, searchesOf } from './names.ts'
import type { Router } from './routes.ts'

const aliasesMax = 5
const queryTimeoutMs = 2_000
const queryTries = 2

export interface ResolverOptions {
  readonly view: ClusterView
  readonly router: Router
}

export class NameResolver {
  readonly #options: ResolverOptions

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  async lookup(
    pod: Pod,
    { name, family }: { readonly name: string; readonly family: 0 | 4 | 6 },
  ): Promise<Answer> {
    const known = knownAddress(pod, name)
    if (known !== undefined) return addressesAnswer([known], family)
    if (isHostsBusiness(pod)) return { pass: true }
    if (pod.spec?.dnsPolicy === 'None') return await this.#lookupAtServers(pod, name, family)
    return await this.#lookupInCluster(pod, { name, family, depth: 0 })
  }

  async resolve(pod: Pod, { name, type }: { readonly name: string; readonly type: string }): Promise<Answer> {
    if (isHostsBusiness(pod)) return { pass: true }
    if (pod.spec?.dnsPolicy === 'None') return await this.#resolveAtServers(pod, name, type)
    if (type === 'PTR') return recordsAnswer(findReverse(this.#options.view, name), type) ?? { pass: true }
    // Unlike lookup, resolve asks for the name as it is.
    const plain = name.endsWith('.') ? name.slice(0, -1) : name
    if (!isClusterName(plain)) return { pass: true }
    return recordsAnswer(findRecords(this.#options.view, plain), type) ?? { error: 'ENOTFOUND' }
  }

  async #lookupInCluster(
    pod: Pod,
    { name, family, depth }: { name: string; family: 0 | 4 | 6; depth: number },
  ): Promise<Answer> {
    for (const candidate of candidates(name, searchesOf(pod))) {
      const found = isClusterName(candidate) ? findRecords(this.#options.view, candidate) : undefined
      if (found?.type === 'addresses') return addressesAnswer(found.addresses, family)
      if (found?.type === 'alias' && depth < aliasesMax)
        return await this.#lookupAlias(pod, { name: found.name, family, depth: depth + 1 })
    }
    return isClusterName(name) ? { error: 'ENOTFOUND' } : { pass: true }
  }

  async #lookupAlias(pod: Pod, alias: { name: string; family: 0 | 4 | 6; depth: number }): Promise<Answer> {
    const answer = await this.#lookupInCluster(pod, { ...alias, name: `${alias.name}.` })
    if (!('pass' in answer)) return answer
    try {
      const found = await dns.lookup(alias.name, { all: true, family: alias.family })
      return { addresses: found as Address[] }
    } catch {
      return { error: 'ENOTFOUND' }
    }
  }

  async #lookupAtServers(pod: Pod, name: string, family: 0 | 4 | 6): Promise<Answer> {
    const resolver = this.#serversOf(pod)
    if (resolver === undefined) return { error: 'EAI_AGAIN' }
    let failure = 'ENOTFOUND'
    for (const candidate of candidates(name, searchesOf(pod))) {
      try {
        const addresses =
          family === 6 ? await resolver.resolve6(candidate) : await resolver.resolve4(candidate)
        if (addresses.length > 0) return addressesAnswer(addresses, family)
      } catch (error) {
        if (!isAbsence(error)) failure = 'EAI_AGAIN'
      }
    }
    return { error: failure }
  }

  async #resolveAtServers(pod: Pod, name: string, type: string): Promise<Answer> {
    const resolver = this.#serversOf(pod)
    if (resolver === undefined) return { error: 'ECONNREFUSED' }
    try {
      const found = await resolver.resolve(name, type)
      return { records: Array.isArray(found) ? found : [found] }
    } catch (error) {
      return { error: (error as { code?: string }).code ?? 'ESERVFAIL' }
    }
  }

  /** The pod's own nameservers, with those of the cluster replaced by where they listen. */
  #serversOf(pod: Pod): dns.Resolver | undefined {
    const servers = (pod.spec?.dnsConfig?.nameservers ?? []).flatMap((address) => {
      const route = this.#options.router.find({ protocol: 'UDP', address, port: 53 })
      return 'socket' in route ? [`${bracketed(route.socket.host)}:${route.socket.port}`] : []
    })
    if (servers.length === 0) return undefined
    const resolver = new dns.Resolver({ timeout: queryTimeoutMs, tries: queryTries })
    resolver.setServers(servers)
    return resolver
  }
}

const bracketed = (host: string): string => (isIP(host) === 6 ? `[${host}]` : host)

const isAbsence = (error: unknown): boolean =>
  ['ENOTFOUND', 'ENODATA'].includes(String((error as { code?: unknown }).code))

const isHostsBusiness = ({ spec }: Pod): boolean =>
  spec?.dnsPolicy === 'Default' ||
  (spec?.hostNetwork === true && spec.dnsPolicy !== 'ClusterFirstWithHostNet' && spec.dnsPolicy !== 'None')

/** What the kubelet writes into /etc/hosts. */
function knownAddress({ metadata, spec, status }: Pod, name: string): string | undefined {
  const alias = spec?.hostAliases?.find(({ hostnames }) => hostnames?.includes(name) === true)
  if (alias !== undefined) return alias.ip
  const hostname = spec?.hostname ?? metadata.name ?? ''
  const full =
    spec?.subdomain === undefined
      ? undefined
      : `${hostname}.${spec.subdomain}.${metadata.namespace}.svc.cluster.local`
  return name === hostname || (full !== undefined && name === full) ? status?.podIP : undefined
}

function addressesAnswer(addresses: readonly string[], family: 0 | 4 | 6): Answer {
  const fitting = addresses
    .map((address): Address => ({ address, family: isIP(address) === 6 ? 6 : 4 }))
    .filter((one) => family === 0 || one.family === family)
  return fitting.length === 0 ? { error: 'ENOTFOUND' } : { addresses: fitting }
}

function recordsAnswer(found: Records | undefined, type: string): Answer | undefined {
  if (found === undefined) return undefined
  if (found.type === 'addresses' && type === 'A') return { records: found.addresses }
  if (found.type === 'services' && type === 'SRV') return { records: found.services }
  if (found.type === 'names' && type === 'PTR') return { records: found.names }
  if (found.type === 'alias' && type === 'CNAME') return { records: [found.name] }
  return { error: 'ENODATA' }
}
