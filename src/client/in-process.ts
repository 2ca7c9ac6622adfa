// A client of a plane in this process: no TLS, no JSON, no authentication; all the rest like anyone.
// Authorisation, admission and audit happen behind the door.

import type { Answer, Call, CallOptions, Door, UserInfo, Verb } from '../api/contracts.ts'
import type { Json, KubeObject } from '../api/object.ts'
import { ApiError, pathNotFound } from '../api/status.ts'
import { StoredObject } from '../api/stored.ts'
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
import { isObjectMissing } from './failures.ts'

export interface InProcessClientOptions {
  readonly door: Door
  readonly user: UserInfo
  /** The part before the first `/` becomes the field manager. */
  readonly userAgent: string
  /** Answers what is not an object; without it `raw` is refused with 404. */
  readonly raw?: ((request: RawRequest, user: UserInfo) => Promise<RawAnswer>) | undefined
  readonly onWarning?: ((text: string) => void) | undefined
}

export function createInProcessClient(options: InProcessClientOptions): Client {
  return new InProcessClient(options)
}

class InProcessClient implements Client {
  readonly #options: InProcessClientOptions
  readonly #userAgent: string
  readonly #stopping = new AbortController()

  constructor(options: InProcessClientOptions) {
    this.#options = options
    this.#userAgent = options.userAgent.split('/')[0] ?? ''
  }

  async get<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: GetOptions = {}) {
    const { signal, resourceVersion } = options
    try {
      return objectOf<T>(await this.#ask('get', resource, { target, signal, options: { resourceVersion } }))
    } catch (error) {
      if (isObjectMissing(error)) return undefined
      throw error
    }
  }

  async list<T extends AnyObject>(resource: ResourceRef<T>, options: ListOptions = {}): Promise<List<T>> {
    const { versions, ...page } = await this.listVersions(resource, options)
    return { ...page, items: versions.map((version) => version.object) }
  }

  async listVersions<T extends AnyObject>(resource: ResourceRef<T>, options: ListOptions = {}) {
    const { namespace, signal, isMetadataOnly: _, ...select } = options
    return versionsOf<T>(
      await this.#ask('list', resource, { target: { namespace }, signal, options: select }),
    )
  }

  watch<T extends AnyObject>(resource: ResourceRef<T>, options: WatchOptions = {}) {
    const { namespace, signal, isMetadataOnly: _, ...select } = options
    return watchItems<T>(() =>
      this.#ask('watch', resource, { target: { namespace }, signal, options: select }),
    )
  }

  async create<T extends AnyObject>(resource: ResourceRef<T>, object: T, options: CreateOptions = {}) {
    const { name, namespace = object.metadata.namespace, ...write } = options
    const ask = { target: { namespace, name }, object, ...writeOptions(write) }
    return needObject<T>(await this.#ask('create', resource, ask))
  }

  async update<T extends AnyObject>(resource: ResourceRef<T>, object: T, options: WriteOptions = {}) {
    const ask = { target: targetOf(object), object, ...writeOptions(options) }
    return needObject<T>(await this.#ask('update', resource, ask))
  }

  updateStatus<T extends AnyObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions) {
    return this.update(subresourceOf<T>(resource, 'status'), object, options)
  }

  async patch<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: PatchOptions) {
    const { type, body, ...write } = options
    const ask = { target, patch: { type, body: body as Json }, ...writeOptions(write) }
    return needObject<T>(await this.#ask('patch', resource, ask))
  }

  patchStatus<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: PatchOptions) {
    return this.patch(subresourceOf<T>(resource, 'status'), target, options)
  }

  async apply<T extends AnyObject>(resource: ResourceRef<T>, object: AnyObject, options: ApplyOptions) {
    const { force, ...write } = options
    const { signal, options: callOptions } = writeOptions(write)
    const patch = { type: 'apply', body: object as unknown as Json } as const
    const ask = { target: targetOf(object), patch, signal, options: { ...callOptions, force } }
    return needObject<T>(await this.#ask('patch', resource, ask))
  }

  async delete<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: DeleteOptions = {}) {
    const { signal, isDryRun, ...rest } = options
    const ask = { target, signal, options: { ...rest, dryRun: isDryRun } }
    return objectOf<T>(await this.#ask('delete', resource, ask))
  }

  async deleteCollection(resource: ResourceRef, options: SelectOptions & DeleteOptions = {}): Promise<void> {
    const { namespace, signal, isDryRun, ...rest } = options
    const ask = { target: { namespace }, signal, options: { ...rest, dryRun: isDryRun } }
    await this.#ask('deletecollection', resource, ask)
  }

  async raw(request: RawRequest): Promise<RawAnswer> {
    if (this.#options.raw === undefined) throw pathNotFound()
    return await this.#options.raw(request, this.#options.user)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the client is closed'))
  }

  async #ask(verb: Verb, resource: ResourceRef, ask: Ask): Promise<Answer> {
    const { target, signal, options = {}, object, patch } = ask
    const stopping = this.#stopping.signal
    const call: Call = {
      user: this.#options.user,
      verb,
      group: resource.group,
      version: resource.version,
      resource: resource.resource,
      subresource: resource.subresource ?? '',
      namespace: resource.isNamespaced ? (target.namespace ?? '') : '',
      name: target.name ?? '',
      options,
      ...(object === undefined ? {} : { object: sealed(object) as KubeObject }),
      ...(patch === undefined ? {} : { patch: sealed(patch) as NonNullable<Call['patch']> }),
      userAgent: this.#userAgent,
      // Only a watch lasts long enough to be ended from both sides.
      signal:
        signal === undefined ? stopping : verb === 'watch' ? AbortSignal.any([signal, stopping]) : signal,
    }
    call.signal.throwIfAborted()
    stopping.throwIfAborted()
    const answer = await this.#options.door.handle(call)
    if (this.#options.onWarning !== undefined) answer.warnings?.forEach(this.#options.onWarning)
    return answer
  }
}

interface Ask {
  readonly target: { readonly namespace?: string | undefined; readonly name?: string | undefined }
  readonly signal?: AbortSignal | undefined
  readonly options?: CallOptions | undefined
  readonly object?: AnyObject | undefined
  readonly patch?:
    | { readonly type: 'json' | 'merge' | 'strategic' | 'apply'; readonly body: Json }
    | undefined
}

function writeOptions({ signal, isDryRun, fieldManager, fieldValidation }: WriteOptions): {
  signal: AbortSignal | undefined
  options: CallOptions
} {
  return { signal, options: { dryRun: isDryRun, fieldManager, fieldValidation } }
}

function targetOf(object: AnyObject): Target {
  return { namespace: object.metadata.namespace, name: object.metadata.name ?? '' }
}

/** Undefined when the answer is a Status: the object is gone. */
function objectOf<T>(answer: Answer): T | undefined {
  if (answer.type !== 'object') return undefined
  const { object } = answer
  return (object instanceof StoredObject ? object.object : object) as unknown as T
}

function needObject<T>(answer: Answer): T {
  const object = objectOf<T>(answer)
  if (object !== undefined) return object
  // pods/binding and the like answer with a Status, as they do over HTTP.
  if (answer.type === 'status' && answer.code < 300) return answer.status as unknown as T
  const message = answer.type === 'status' ? answer.status.message : undefined
  throw new ApiError({ code: 500, reason: 'InternalError', message: message ?? 'the answer holds no object' })
}

function versionsOf<T>(answer: Answer): VersionList<T> {
  if (answer.type !== 'list') {
    throw new ApiError({ code: 500, reason: 'InternalError', message: 'the answer is not a list' })
  }
  return {
    versions: answer.items as unknown as VersionList<T>['versions'],
    resourceVersion: String(answer.revision),
    ...(answer.continue === undefined ? {} : { continue: answer.continue }),
    ...(answer.remaining === undefined ? {} : { remainingItemCount: answer.remaining }),
  }
}

async function* watchItems<T>(ask: () => Promise<Answer>): AsyncGenerator<WatchItem<T>> {
  const answer = await ask()
  if (answer.type !== 'watch') {
    throw new ApiError({ code: 500, reason: 'InternalError', message: 'the answer is not a watch' })
  }
  for await (const item of answer.items) {
    if (item.type === 'error') throw new ApiError(item.status)
    if (item.type === 'bookmark') {
      const { revision, isInitialEventsEnd } = item
      yield { type: 'BOOKMARK', resourceVersion: String(revision), isInitialEventsEnd }
      continue
    }
    for (const { type, object } of item.events) {
      const version = object as unknown as { header: StoredObject['header']; object: T }
      yield { type, version, resourceVersion: String(object.revision) }
    }
  }
}

/**
 * What JSON would have made of it: no undefined fields, and nobody changes it afterwards. What is frozen already came
 * from a plane and is passed as it is.
 */
function sealed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (Array.isArray(value)) return Object.freeze(value.map(sealed))
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  return Object.freeze(Object.fromEntries(entries.map(([field, inner]) => [field, sealed(inner)])))
}
