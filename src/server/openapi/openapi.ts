// /openapi/v3 and /openapi/v2: made when first asked for, kept until what is served changes.
// Version 2 is written as JSON and as protobuf, version 3 as JSON only.

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
import { gnosticDocument } from './gnostic.ts'

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
    const media = mediaOf(accept, isV3 ? [json] : [json, gnostic])
    if (media === undefined) throw notAcceptable(isV3 ? [json.name] : [json.name, gnostic.name])
    this.#refresh()
    if (!isV3) return this.#v2(media, request)
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

  #v2(media: Media, request: OpenApiRequest): HttpResponse {
    const encode = media === gnostic ? gnosticDocument : encodeJson
    const make = () => documentV2([...this.#groupVersions.values()])
    return withEtag(this.#bytes(`/openapi/v2 ${media.name}`, make, encode), request, media.contentType)
  }

  #bytes(key: string, make: () => object, encode: (document: object) => Buffer = encodeJson): Buffer {
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const bytes = encode(make())
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(key, bytes)
    return bytes
  }

  /** Group versions whose kinds are the same objects as before keep their hash, and with it their document. */
  #refresh(): void {
    if (this.#revision === this.#source.revision) return
    this.#revision = this.#source.revision
    for (const { name } of [json, gnostic]) this.#kept.delete(`/openapi/v2 ${name}`)
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

interface Media {
  /** The subtype that is asked for. */
  readonly subtype: string
  readonly name: string
  /** What the answer says it is: the `@` of the name is no character of a media type. */
  readonly contentType: string
}

const json: Media = { subtype: 'json', name: 'application/json', contentType: 'application/json' }
const gnostic: Media = {
  subtype: 'com.github.proto-openapi.spec.v2@v1.0+protobuf',
  name: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
}

/** The first form that is accepted; JSON when everything is. */
function mediaOf(accept: string | undefined, served: readonly Media[]): Media | undefined {
  if (accept === undefined || accept.trim() === '') return json
  for (const { type, subtype } of parseAccept(accept)) {
    if (type === '*' || (type === 'application' && subtype === '*')) return json
    const found = type === 'application' ? served.find((one) => one.subtype === subtype) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const encodeJson = (document: object): Buffer => Buffer.from(JSON.stringify(document))

function withEtag(
  bytes: Buffer,
  { ifNoneMatch }: OpenApiRequest,
  contentType: string = json.contentType,
): HttpResponse {
  const etag = `"${createHash('sha256').update(bytes).digest('hex').toUpperCase()}"`
  const headers = { etag, vary: 'Accept' }
  if (ifNoneMatch?.includes(etag)) return { status: 304, headers }
  return { status: 200, headers: { ...headers, 'content-type': contentType }, body: bytes }
}
