// A client of an API server over HTTP and TLS: objects in and out of JSON, watches as streams of lines.
// Sockets and time limits are connection.ts's; where credentials come from is kubeconfig.ts's.

import type { IncomingMessage } from 'node:http'
import type { PatchType } from '../api/contracts.ts'
import { ApiError, type Status } from '../api/status.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import {
  type AnyObject,
  type ApplyOptions,
  type Client,
  type CreateOptions,
  type DeleteOptions,
  type GetOptions,
  type List,
  type ListOptions,
  type PatchOptions,
  type RawAnswer,
  type RawRequest,
  type ResourceRef,
  type SelectOptions,
  subresourceOf,
  type Target,
  type VersionList,
  type WatchItem,
  type WatchOptions,
  type WriteOptions,
} from './client.ts'
import {
  Connection,
  type Credentials,
  headersOf,
  type TlsOptions,
  textOf,
  type UpgradeAnswer,
  type WireAnswer,
  type WireRequest,
} from './connection.ts'
import { failureOf, isObjectMissing } from './failures.ts'
import { deleteBody, listQuery, pathOf, watchQuery, writeQuery } from './paths.ts'
import { versionOf } from './version.ts'
import { linesOf } from './watch-lines.ts'

export interface HttpClientOptions {
  readonly server: string
  readonly tls?: TlsOptions | undefined
  /** A function is asked before each request: a token file is renewed under us. */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Instead of `tls` and `token`: a kubeconfig's way to prove who asks. */
  readonly credentials?: (() => Promise<Credentials>) | undefined
  readonly userAgent?: string | undefined
  readonly requestTimeoutMs?: number | undefined
  readonly clock?: Clock | undefined
  readonly onWarning?: ((text: string) => void) | undefined
}

/** What only a far server offers: bodies as they flow, and upgraded connections. */
export interface HttpClient extends Client {
  readonly server: string
  /** The body as it comes (followed logs); the caller destroys the response. Answers outside 2xx are ApiErrors. */
  stream(request: RawRequest): Promise<IncomingMessage>
  /** exec, attach, port-forward: no time limit once answered, no judgement of the answer. */
  upgrade(request: RawRequest): Promise<UpgradeAnswer>
}

const patchMediaTypes: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

const metadataList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'
const metadataOne = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'

export function createHttpClient(options: HttpClientOptions): HttpClient {
  return new WireClient(options)
}

class WireClient implements HttpClient {
  readonly server: string
  readonly #connection: Connection
  readonly #onWarning: ((text: string) => void) | undefined

  constructor(options: HttpClientOptions) {
    this.server = options.server
    this.#onWarning = options.onWarning
    this.#connection = new Connection({
      server: options.server,
      credentials: options.credentials ?? (() => plainCredentials(options)),
      userAgent: options.userAgent ?? 'k3v',
      requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
      clock: options.clock ?? systemClock,
    })
  }

  async get<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: GetOptions = {}) {
    const { signal, resourceVersion } = options
    const query = resourceVersion === undefined ? {} : { resourceVersion }
    try {
      return parse<T>(
        (await this.#ask({ method: 'GET', path: pathOf(resource, target), query, signal })).text,
      )
    } catch (error) {
      if (isObjectMissing(error)) return undefined
      throw error
    }
  }

  async list<T extends AnyObject>(resource: ResourceRef<T>, options?: ListOptions): Promise<List<T>> {
    const { versions, ...page } = await this.listVersions(resource, options)
    return { ...page, items: versions.map((version) => version.object) }
  }

  async listVersions<T extends AnyObject>(resource: ResourceRef<T>, options: ListOptions = {}) {
    const { namespace, signal, isMetadataOnly } = options
    const headers = isMetadataOnly === true ? { accept: metadataList } : undefined
    const path = pathOf(resource, { namespace })
    return versionsOf<T>(
      (await this.#ask({ method: 'GET', path, query: listQuery(options), headers, signal })).text,
    )
  }

  watch<T extends AnyObject>(resource: ResourceRef<T>, options: WatchOptions = {}) {
    return watchItems(this.#connection, resource, options)
  }

  create<T extends AnyObject>(resource: ResourceRef<T>, object: T, options: CreateOptions = {}) {
    const { name, namespace = object.metadata.namespace, signal } = options
    const request = { query: writeQuery(options), body: JSON.stringify(object), signal }
    return this.#write<T>('POST', pathOf(resource, { namespace, name }), request)
  }

  update<T extends AnyObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}) {
    const request = { query: writeQuery(options), body: JSON.stringify(object), signal: options.signal }
    return this.#write<T>('PUT', pathOf(resource, targetOf(object)), request)
  }

  updateStatus<T extends AnyObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions) {
    return this.update(subresourceOf<T>(resource, 'status'), object, options)
  }

  patch<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: PatchOptions) {
    const { type, body, signal } = options
    const headers = { 'content-type': patchMediaTypes[type] }
    const request = { query: writeQuery(options), headers, body: JSON.stringify(body), signal }
    return this.#write<T>('PATCH', pathOf(resource, target), request)
  }

  patchStatus<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: PatchOptions) {
    return this.patch(subresourceOf<T>(resource, 'status'), target, options)
  }

  apply<T extends AnyObject>(resource: ResourceRef<T>, object: AnyObject, options: ApplyOptions) {
    const headers = { 'content-type': patchMediaTypes.apply }
    const request = {
      query: writeQuery(options),
      headers,
      body: JSON.stringify(object),
      signal: options.signal,
    }
    return this.#write<T>('PATCH', pathOf(resource, targetOf(object)), request)
  }

  async delete<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: DeleteOptions = {}) {
    const request = { body: JSON.stringify(deleteBody(options)), signal: options.signal }
    const answer = await this.#write<T & { kind?: string }>('DELETE', pathOf(resource, target), request)
    return answer.kind === 'Status' ? undefined : answer
  }

  async deleteCollection(resource: ResourceRef, options: SelectOptions & DeleteOptions = {}): Promise<void> {
    const { namespace, labelSelector, fieldSelector, signal } = options
    const query = listQuery({ labelSelector, fieldSelector })
    const request = { query, body: JSON.stringify(deleteBody(options)), signal }
    await this.#write('DELETE', pathOf(resource, { namespace }), request)
  }

  raw(request: RawRequest): Promise<RawAnswer> {
    return this.#ask(wireOf(request))
  }

  async stream(request: RawRequest): Promise<IncomingMessage> {
    const response = await this.#connection.stream(wireOf(request))
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode <= 299) return response
    throw refusalOf(await answerOf(response))
  }

  upgrade(request: RawRequest): Promise<UpgradeAnswer> {
    return this.#connection.upgrade(wireOf(request))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]()
  }

  async #ask(request: WireRequest): Promise<WireAnswer> {
    const answer = await this.#connection.request(request)
    const warning = answer.headers['warning']
    if (warning !== undefined && this.#onWarning !== undefined) warningsOf(warning).forEach(this.#onWarning)
    if (answer.code < 200 || answer.code > 299) throw refusalOf(answer)
    return answer
  }

  async #write<T>(method: string, path: string, rest: Omit<WireRequest, 'method' | 'path'>): Promise<T> {
    const headers = { 'content-type': 'application/json', ...rest.headers }
    return parse<T>((await this.#ask({ ...rest, method, path, headers })).text)
  }
}

async function plainCredentials({ tls, token }: HttpClientOptions): Promise<Credentials> {
  const text = typeof token === 'function' ? await token() : token
  return { tls, headers: text === undefined ? {} : { authorization: `Bearer ${text}` } }
}

function wireOf({ method, path, query, headers, body, signal }: RawRequest): WireRequest {
  if (body === undefined) return { method, path, query, headers, signal }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return {
    method,
    path,
    query,
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
    signal,
  }
}

async function* watchItems<T extends AnyObject>(
  connection: Connection,
  resource: ResourceRef<T>,
  options: WatchOptions,
): AsyncGenerator<WatchItem<T>> {
  const { namespace, signal, isMetadataOnly } = options
  const headers = isMetadataOnly === true ? { accept: metadataOne } : undefined
  const path = pathOf(resource, { namespace })
  const response = await connection.stream({
    method: 'GET',
    path,
    query: watchQuery(options),
    headers,
    signal,
  })
  try {
    if (response.statusCode !== 200) throw refusalOf(await answerOf(response))
    for await (const line of linesOf(response)) yield itemOf<T>(line)
  } catch (error) {
    throw connection.failureOf(error, signal)
  } finally {
    response.destroy()
  }
}

function itemOf<T extends AnyObject>(line: string): WatchItem<T> {
  const { type, object } = parse<{ type: string; object: T & Partial<Status> }>(line)
  if (type === 'ERROR') throw new ApiError({ ...object, code: object.code ?? 500 } as Status)
  const resourceVersion = object.metadata.resourceVersion ?? ''
  if (type === 'BOOKMARK') {
    const isInitialEventsEnd = object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'
    return { type, resourceVersion, isInitialEventsEnd }
  }
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
    throw new ApiError({
      code: 500,
      reason: 'InternalError',
      message: `unknown watch event ${JSON.stringify(type)}`,
    })
  }
  return { type, version: versionOf(object), resourceVersion }
}

interface WireList<T> {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata?: { resourceVersion?: string; continue?: string; remainingItemCount?: number }
  readonly items?: readonly T[] | null
}

// Upstream leaves apiVersion and kind out of the items of a typed list; the list's own tell them.
function versionsOf<T extends AnyObject>(text: string): VersionList<T> {
  const { apiVersion, kind = '', metadata = {}, items } = parse<WireList<T>>(text)
  if (!kind.endsWith('List')) {
    throw new ApiError({
      code: 500,
      reason: 'InternalError',
      message: `the answer is a ${kind || 'nothing'}, not a list`,
    })
  }
  const itemKind = kind.slice(0, -'List'.length)
  return {
    versions: (items ?? []).map((item) => versionOf({ apiVersion, kind: itemKind, ...item })),
    resourceVersion: metadata.resourceVersion ?? '',
    ...(metadata.continue ? { continue: metadata.continue } : {}),
    ...(metadata.remainingItemCount === undefined ? {} : { remainingItemCount: metadata.remainingItemCount }),
  }
}

function targetOf(object: AnyObject): Target {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' }
}

function refusalOf({ code, headers, text }: WireAnswer): ApiError {
  const seconds = Number(headers['retry-after'])
  return failureOf({
    code,
    text,
    retryAfterSeconds: Number.isInteger(seconds) && seconds > 0 ? seconds : undefined,
  })
}

async function answerOf(response: IncomingMessage): Promise<WireAnswer> {
  return { code: response.statusCode ?? 0, headers: headersOf(response), text: await textOf(response) }
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text) as T
  } catch (cause) {
    throw new ApiError({ code: 500, reason: 'InternalError', message: 'the answer is not JSON' }, { cause })
  }
}

// `299 - "text"`, several joined by commas: RFC 9110 section 5.6.1; upstream writes nothing else.
function warningsOf(header: string): string[] {
  const texts = header.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)
  return [...texts].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'))
}
