// /openapi/v3 and /openapi/v2: made when first asked for, kept until what is served changes.
// Only JSON is written: the gnostic protobuf form gets 406, and kubectl falls back to version 3.

import { createHash } from 'node:crypto'
import { apiVersionOf } from '../../api/object.ts'
import { notAcceptable, pathNotFound } from '../../api/status.ts'
import type { Kind } from '../../kinds/kind.ts'
import type { DiscoverySource } from '../discovery/discovery.ts'
import { groupsOf } from '../discovery/groups.ts'
import type { HttpResponse } from '../http/exchange.ts'
import { parseAccept } from '../response/negotiate.ts'
import { kubernetesVersion } from '../version.ts'
import { documentV2, documentV3 } from './document.ts'

interface OpenApiRequest {
  /** Without a trailing slash. */
  readonly path: string
  readonly query: URLSearchParams
  readonly accept: string | undefined
  readonly ifNoneMatch: string | undefined
}

interface GroupVersion {
  /** `/apis/apps/v1`. */
  readonly root: string
  readonly kinds: readonly Kind[]
  readonly hash: string
}

/** Documents whose bytes are kept; a client reads a few of them, once. */
const keptMax = 8
/** Grows when documents of the same kinds come out differently. */
const formVersion = 1

export class OpenApi {
  readonly #source: DiscoverySource
  #revision = -1
  #groupVersions: ReadonlyMap<string, GroupVersion> = new Map()
  readonly #kept = new Map<string, Buffer>()

  constructor(source: DiscoverySource) {
    this.#source = source
  }

  /** Undefined for paths that are not OpenAPI's. Throws 404 and 406. */
  answer(request: OpenApiRequest): HttpResponse | undefined {
    const { path, accept } = request
    const isV3 = path === '/openapi/v3' || path.startsWith('/openapi/v3/')
    if (!isV3 && path !== '/openapi/v2') return undefined
    if (!acceptsJson(accept)) throw notAcceptable(['application/json'])
    this.#refresh()
    if (path === '/openapi/v2')
      return withEtag(
        this.#bytes('/openapi/v2', () => this.#v2()),
        request,
      )
    if (path === '/openapi/v3') return withEtag(Buffer.from(JSON.stringify(this.#index())), request)
    return this.#groupVersion(path.slice('/openapi/v3'.length), request)
  }

  #groupVersion(root: string, { query, ...request }: OpenApiRequest): HttpResponse {
    const found = this.#groupVersions.get(root)
    if (found === undefined) throw pathNotFound()
    const asked = query.get('hash')
    if (asked !== null && asked !== found.hash) {
      return { status: 301, headers: { location: urlOf(found), vary: 'Accept' } }
    }
    const bytes = this.#bytes(`${root} ${found.hash}`, () => documentV3(root, found.kinds))
    const response = withEtag(bytes, { query, ...request })
    if (asked === null) return response
    return {
      ...response,
      headers: {
        ...response.headers,
        'cache-control': 'public, immutable',
        expires: 'Sun, 01 Jan 2090 00:00:00 GMT',
      },
    }
  }

  #index(): object {
    const entries = [...this.#groupVersions.values()].map((one) => [
      one.root.slice(1),
      { serverRelativeURL: urlOf(one) },
    ])
    return { paths: Object.fromEntries(entries) }
  }

  #v2(): object {
    return documentV2([...this.#groupVersions.values()])
  }

  #bytes(key: string, make: () => object): Buffer {
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const bytes = Buffer.from(JSON.stringify(make()))
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, bytes)
    return bytes
  }

  /** Group versions whose kinds are the same objects as before keep their hash, and with it their document. */
  #refresh(): void {
    if (this.#revision === this.#source.revision) return
    this.#revision = this.#source.revision
    this.#kept.delete('/openapi/v2')
    const next = new Map<string, GroupVersion>()
    for (const { group, versions } of groupsOf(this.#source.kinds())) {
      for (const { version, kinds } of versions) {
        const root = group === '' ? `/api/${version}` : `/apis/${apiVersionOf({ group, version })}`
        const known = this.#groupVersions.get(root)
        const isSame =
          known !== undefined &&
          known.kinds.length === kinds.length &&
          known.kinds.every((kind, at) => kind === kinds[at])
        next.set(root, isSame ? known : { root, kinds, hash: hashOf(root, kinds) })
      }
    }
    this.#groupVersions = next
  }
}

const urlOf = ({ root, hash }: GroupVersion): string => `/openapi/v3${root}?hash=${hash}`

// Built-in kinds differ with the program only; those of CRDs with what they say.
function hashOf(root: string, kinds: readonly Kind[]): string {
  const hash = createHash('sha256').update(`${formVersion} ${kubernetesVersion} ${root}`)
  for (const kind of kinds) {
    hash.update(
      `${kind.kind} ${kind.plural} ${kind.verbs} ${kind.subresources.map(({ name, verbs }) => `${name}:${verbs}`)}`,
    )
  }
  if (kinds.some((kind) => kind.isCustom)) hash.update(JSON.stringify(documentV3(root, kinds)))
  return hash.digest('hex').toUpperCase()
}

function acceptsJson(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  return parseAccept(accept).some(
    ({ type, subtype }) =>
      type === '*' || (type === 'application' && (subtype === '*' || subtype === 'json')),
  )
}

function withEtag(bytes: Buffer, { ifNoneMatch }: OpenApiRequest): HttpResponse {
  const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`
  const headers = { etag, vary: 'Accept' }
  if (ifNoneMatch?.includes(etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'content-type': 'application/json' }, body: bytes }
}
