// What every API server looks like to code of ours: one interface for a plane in this process and for one far away.
// Which transport carries it is in-process.ts's and http.ts's; copies of the world are informer.ts's.

import type { PatchType } from '../api/contracts.ts'
import type { Json, ObjectMeta } from '../api/object.ts'
import type { Header } from '../api/stored.ts'

/** The least that an object has; models and KubeObject both fit. */
export interface AnyObject {
  readonly metadata: ObjectMeta
}

/**
 * Names what is asked for. `T` is the object's type and lives in the type only. A subresource is a reference of its
 * own, made with `subresourceOf`.
 */
export interface ResourceRef<T extends AnyObject = AnyObject> {
  readonly group: string
  readonly version: string
  /** `pods` */
  readonly resource: string
  readonly isNamespaced: boolean
  readonly subresource?: string | undefined
  /** Never set: carries the type. */
  readonly of?: T | undefined
}

/** `pods/eviction`, `deployments/scale`: what it speaks is given as the type. */
export function subresourceOf<T extends AnyObject>(
  resource: ResourceRef,
  subresource: string,
): ResourceRef<T> {
  const { group, version, resource: name, isNamespaced } = resource
  return { group, version, resource: name, isNamespaced, subresource }
}

export interface Target {
  /** Absent or empty for cluster scope. */
  readonly namespace?: string | undefined
  readonly name: string
}

export interface SignalOption {
  /** Ends the wait: the call rejects with the signal's reason. Whether a write happened is then unknown. */
  readonly signal?: AbortSignal | undefined
}

export interface GetOptions extends SignalOption {
  /** Absent: the newest. `0`: whatever a cache holds. */
  readonly resourceVersion?: string | undefined
}

export interface SelectOptions extends SignalOption {
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export interface ListOptions extends SelectOptions {
  readonly limit?: number | undefined
  readonly continue?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined
  /** Over HTTP only metadata travels; in the process it changes nothing. */
  readonly isMetadataOnly?: boolean | undefined
}

export interface WatchOptions extends SelectOptions {
  /** Events after this revision. Absent: what is there first, then what happens. */
  readonly resourceVersion?: string | undefined
  readonly allowWatchBookmarks?: boolean | undefined
  readonly timeoutSeconds?: number | undefined
  readonly isMetadataOnly?: boolean | undefined
}

export interface WriteOptions extends SignalOption {
  readonly isDryRun?: boolean | undefined
  readonly fieldManager?: string | undefined
  readonly fieldValidation?: 'Ignore' | 'Strict' | 'Warn' | undefined
}

export interface CreateOptions extends WriteOptions {
  /** The name in the path, for subresources that are created on an object (`pods/binding`). */
  readonly name?: string | undefined
  /** The namespace in the path, when the object does not say. */
  readonly namespace?: string | undefined
}

export interface PatchOptions extends WriteOptions {
  readonly type: Exclude<PatchType, 'apply'>
  readonly body: unknown
}

export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  readonly force?: boolean | undefined
}

export interface DeleteOptions extends SignalOption {
  readonly isDryRun?: boolean | undefined
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined
}

/** One version as a cache may hold it. In the process the object is parsed when asked for, the header is at hand. */
export interface Version<T> {
  readonly header: Header
  readonly object: T
}

interface Page {
  readonly resourceVersion: string
  readonly continue?: string | undefined
  readonly remainingItemCount?: number | undefined
}

export interface List<T> extends Page {
  readonly items: readonly T[]
}

export interface VersionList<T> extends Page {
  readonly versions: readonly Version<T>[]
}

export type WatchItem<T> =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
      readonly version: Version<T>
      readonly resourceVersion: string
    }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly isInitialEventsEnd: boolean }

export interface RawRequest extends SignalOption {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With its leading slash, without a query. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** A string goes out as it is, anything else as JSON. */
  readonly body?: string | Json | undefined
}

export interface RawAnswer {
  readonly code: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

/**
 * Every refusal and every failure is an ApiError with the server's Status; one that never reached the server has a
 * Status made here (503, 504). Answers are frozen or to be taken so: changes copy the path. Disposing ends what is
 * under way.
 */
export interface Client extends AsyncDisposable {
  /** `undefined` when the object does not exist; a resource that is not served is an ApiError, not absence. */
  get<T extends AnyObject>(
    resource: ResourceRef<T>,
    target: Target,
    options?: GetOptions,
  ): Promise<T | undefined>
  list<T extends AnyObject>(resource: ResourceRef<T>, options?: ListOptions): Promise<List<T>>
  /** As `list`, for caches that hold many. */
  listVersions<T extends AnyObject>(resource: ResourceRef<T>, options?: ListOptions): Promise<VersionList<T>>
  /** Ends when the server ends it. An ERROR event is thrown as ApiError (410 when the revision is too old). */
  watch<T extends AnyObject>(resource: ResourceRef<T>, options?: WatchOptions): AsyncIterable<WatchItem<T>>
  create<T extends AnyObject>(resource: ResourceRef<T>, object: T, options?: CreateOptions): Promise<T>
  update<T extends AnyObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  updateStatus<T extends AnyObject>(resource: ResourceRef<T>, object: T, options?: WriteOptions): Promise<T>
  patch<T extends AnyObject>(resource: ResourceRef<T>, target: Target, options: PatchOptions): Promise<T>
  patchStatus<T extends AnyObject>(
    resource: ResourceRef<T>,
    target: Target,
    options: PatchOptions,
  ): Promise<T>
  /** Server-side apply of the fields in `object`, which names itself. */
  apply<T extends AnyObject>(resource: ResourceRef<T>, object: AnyObject, options: ApplyOptions): Promise<T>
  /** The object when it lives on (grace, finalizers), `undefined` when it is gone. Absent is an ApiError 404. */
  delete<T extends AnyObject>(
    resource: ResourceRef<T>,
    target: Target,
    options?: DeleteOptions,
  ): Promise<T | undefined>
  deleteCollection(resource: ResourceRef, options?: SelectOptions & DeleteOptions): Promise<void>
  /** Anything that is not an object: discovery, OpenAPI, logs. Answers outside 2xx are ApiErrors. */
  raw(request: RawRequest): Promise<RawAnswer>
}
