// What is served, told to clients: /api, /apis and below, in the old form and the aggregated one.
// Bytes are made once per revision of what is served; the documents themselves are documents.ts's.

import { createHash } from 'node:crypto'
import { notAcceptable, pathNotFound } from '../../api/status.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { HttpResponse } from '../http/exchange.ts'
import { parseAccept } from '../response/negotiate.ts'
import { aggregated, apiVersions, groupDocument, groupList, resourceList } from './documents.ts'
import { groupsOf, type ServedGroup } from './groups.ts'

/** What is served now. `revision` changes whenever `kinds()` does. */
export interface DiscoverySource {
  kinds(): readonly Kind[]
  readonly revision: number
}

interface Cached {
  readonly bytes: Buffer
  readonly etag: string
}

interface DiscoveryRequest {
  /** Without a trailing slash. */
  readonly path: string
  readonly accept: string | undefined
  readonly ifNoneMatch: string | undefined
}

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

export class Discovery {
  readonly #source: DiscoverySource
  #revision = -1
  #groups: readonly ServedGroup[] = []
  readonly #documents = new Map<string, Cached>()

  constructor(source: DiscoverySource) {
    this.#source = source
  }

  /** Throws 404 for a group or version that is not served, 406 for a form that is not written. */
  answer({ path, accept, ifNoneMatch }: DiscoveryRequest): HttpResponse {
    this.#refresh()
    const isRoot = path === '/api' || path === '/apis'
    const isAggregated = formOf(accept, isRoot)
    const { bytes, etag } = this.#document(path, isAggregated)
    if (!isAggregated) return json(bytes, isRoot ? { vary: 'Accept' } : {})
    const headers = { etag, vary: 'Accept', 'cache-control': 'public' }
    if (ifNoneMatch !== undefined && matches(ifNoneMatch, etag)) return { status: 304, headers }
    return json(bytes, { ...headers, 'content-type': aggregatedType })
  }

  /** Paths of every group version, for the path list at `/`. */
  paths(): readonly string[] {
    this.#refresh()
    return this.#groups.flatMap(({ group, versions }) => {
      const root = group === '' ? '/api' : `/apis/${group}`
      return [root, ...versions.map(({ version }) => `${root}/${version}`)]
    })
  }

  #refresh(): void {
    if (this.#revision === this.#source.revision) return
    this.#revision = this.#source.revision
    this.#groups = groupsOf(this.#source.kinds())
    this.#documents.clear()
  }

  #document(path: string, isAggregated: boolean): Cached {
    const key = `${isAggregated} ${path}`
    const known = this.#documents.get(key)
    if (known !== undefined) return known
    const bytes = Buffer.from(JSON.stringify(isAggregated ? this.#aggregated(path) : this.#plain(path)))
    const made = { bytes, etag: `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"` }
    this.#documents.set(key, made)
    return made
  }

  #aggregated(path: string): object {
    return aggregated(this.#groups.filter(({ group }) => (path === '/api') === (group === '')))
  }

  #plain(path: string): object {
    if (path === '/api') return apiVersions(this.#groups)
    if (path === '/apis') return groupList(this.#groups)
    const [, root, ...names] = path.split('/')
    const group = root === 'api' ? '' : names[0]
    const served = this.#groups.find((one) => one.group === group)
    if (served === undefined || (root === 'apis' && group === '')) throw pathNotFound()
    if (root === 'apis' && names.length === 1) return groupDocument(served)
    const version = served.versions.find((one) => one.version === names.at(-1))
    if (version === undefined || names.length > (root === 'api' ? 1 : 2)) throw pathNotFound()
    return resourceList(served.group, version)
  }
}

/** Whether the aggregated form is wanted; only the roots have it. */
function formOf(accept: string | undefined, isRoot: boolean): boolean {
  if (accept === undefined || accept.trim() === '') return false
  for (const { type, subtype, parameters } of parseAccept(accept)) {
    const isJson = type === '*' || (type === 'application' && (subtype === '*' || subtype === 'json'))
    if (!isJson) continue
    const kind = parameters.get('as')
    if (kind === undefined) return false
    const isKnown = parameters.get('g') === 'apidiscovery.k8s.io' && parameters.get('v') === 'v2'
    if (isRoot && kind === 'APIGroupDiscoveryList' && isKnown) return true
  }
  throw notAcceptable(['application/json'])
}

const matches = (ifNoneMatch: string, etag: string): boolean =>
  ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag || one.trim() === '*')

const json = (bytes: Buffer, headers: Record<string, string>): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json', ...headers },
  body: bytes,
})
