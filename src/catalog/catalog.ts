// What is served now: kinds, their keys, and the only way from a kind's object to the store.
// Whether a caller may is the door's work; what an object must look like is the kind's.

import type { Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { encodeForStore, StoredObject } from '../api/stored.ts'
import { withDefinitions } from '../crds/definition/rules.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Change, Store } from '../store/store.ts'
import type { WatchCache } from '../watch/cache.ts'

export type ResourceName = { readonly group: string; readonly resource: string }

export type PutResult =
  | { readonly ok: true; readonly stored: StoredObject }
  /** The expected revision was not the newest; `current` is absent when the object is gone. */
  | { readonly ok: false; readonly current: StoredObject | undefined }

/** Kept for each removed object of a synced kind until its copy on the host is gone too. */
export const tombstoneGroup = 'k3v.dev'
export const tombstonePlural = 'tombstones'

const segment = (group: string): string => (group === '' ? 'core' : group)

/** `core/pods/`, the start of every key of a resource. */
export function resourcePrefix({ group, resource }: ResourceName): string {
  return `${segment(group)}/${resource}/`
}

/** The storage key of an object; an empty namespace means cluster scope. */
export function objectKey(resource: ResourceName, namespace: string, name: string): string {
  return namespace === ''
    ? `${resourcePrefix(resource)}${name}`
    : `${resourcePrefix(resource)}${namespace}/${name}`
}

export class Catalog {
  readonly cache: WatchCache
  readonly #store: Store
  readonly #builtIn: readonly Kind[]
  readonly #custom = new Map<string, { readonly kinds: readonly Kind[]; readonly ended: AbortController }>()
  readonly #listeners = new Set<() => void>()
  readonly #tombstoned: ReadonlySet<string>
  #index = new Map<string, Kind>()
  #kinds: readonly Kind[] = []
  #revision = 0

  /** `tombstoned` holds the synced resources as `group/resource` keys, `core/pods` among them. */
  constructor({
    store,
    cache,
    kinds,
    tombstoned = [],
  }: { store: Store; cache: WatchCache; kinds: readonly Kind[]; tombstoned?: readonly ResourceName[] }) {
    this.#store = store
    this.cache = cache
    this.#builtIn = withDefinitions(kinds)
    this.#tombstoned = new Set(tombstoned.map(resourcePrefix))
    this.#rebuild()
  }

  /** Grows when what is served changes: discovery and OpenAPI are cached by it. */
  get revision(): number {
    return this.#revision
  }

  /** Every served kind, one entry a version, built-in ones first. */
  kinds(): readonly Kind[] {
    return this.#kinds
  }

  find({ group, version, resource }: { group: string; version: string; resource: string }): Kind | undefined {
    return this.#index.get(`${group}/${version}/${resource}`)
  }

  /**
   * The kinds of one CRD, by its name; an empty list stops serving it. What was served before ends its watches unless
   * `keepsWatches` says that objects look the same as before.
   */
  serveCustom(
    definitionName: string,
    kinds: readonly Kind[],
    { keepsWatches = false }: { readonly keepsWatches?: boolean } = {},
  ): void {
    const before = this.#custom.get(definitionName)
    const isKept = before !== undefined && keepsWatches && kinds.length > 0
    if (kinds.length === 0) this.#custom.delete(definitionName)
    else this.#custom.set(definitionName, { kinds, ended: isKept ? before.ended : new AbortController() })
    this.#rebuild()
    if (!isKept) before?.ended.abort(new Error('the custom resource definition has changed'))
  }

  /** Fires when a custom kind is served no longer, or in another way: its watches end then. Never for built-in kinds. */
  servedSignal(kind: Kind): AbortSignal | undefined {
    if (!kind.isCustom) return undefined
    for (const { kinds, ended } of this.#custom.values()) if (kinds.includes(kind)) return ended.signal
    return AbortSignal.abort()
  }

  /** Calls back after each change of what is served; returns the function that ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  key(kind: Kind, namespace: string, name: string): string {
    return objectKey(storageOf(kind), kind.isNamespaced ? namespace : '', name)
  }

  prefix(kind: Kind, namespace: string): string {
    const prefix = resourcePrefix(storageOf(kind))
    return kind.isNamespaced && namespace !== '' ? `${prefix}${namespace}/` : prefix
  }

  get(kind: Kind, namespace: string, name: string): StoredObject | undefined {
    const stored = this.cache.get(this.key(kind, namespace, name))
    return stored === undefined ? undefined : present(stored, kind)
  }

  /**
   * Creates (`expectedRevision` 0) or replaces an object. The caller has done all that makes it right. `extra` changes
   * are committed with it.
   */
  async put(kind: Kind, object: KubeObject, expectedRevision: number): Promise<PutResult> {
    const { namespace = '', name = '' } = object.metadata
    const key = this.key(kind, namespace, name)
    const value = encodeForStore(toStorage(object, kind))
    const result = await this.#store.commit({
      conditions: [{ key, revision: expectedRevision }],
      changes: [{ key, value }],
    })
    if (!result.ok) return { ok: false, current: this.#currentOf(result.current, kind) }
    const cached = this.cache.get(key)
    const stored =
      cached?.revision === result.revision ? cached : new StoredObject(key, value, result.revision)
    return { ok: true, stored: present(stored, kind) }
  }

  /**
   * Removes an object at its revision, and writes its tombstone in the same transaction when its kind is synced.
   * Answers the revision of the removal.
   */
  async remove(
    kind: Kind,
    stored: StoredObject,
  ): Promise<{ ok: true; revision: number } | { ok: false; current: StoredObject | undefined }> {
    const changes: Change[] = [{ key: stored.key }]
    if (this.#tombstoned.has(resourcePrefix(storageOf(kind)))) {
      changes.push(tombstoneOf(kind, stored))
    }
    const result = await this.#store.commit({
      conditions: [{ key: stored.key, revision: stored.revision }],
      changes,
    })
    if (!result.ok) return { ok: false, current: this.#currentOf(result.current, kind) }
    return { ok: true, revision: result.revision }
  }

  /** The narrow view for rooms that judge requests. */
  get reader(): Reader {
    return {
      get: ({ group, resource }, namespace, name) =>
        this.cache.get(objectKey({ group, resource }, namespace, name)),
      list: ({ group, resource }, namespace) => {
        const prefix = resourcePrefix({ group, resource })
        return this.cache.list(
          namespace === undefined || namespace === '' ? prefix : `${prefix}${namespace}/`,
        )
      },
    }
  }

  #currentOf(
    entry: { key: string; value: Uint8Array; revision: number } | undefined,
    kind: Kind,
  ): StoredObject | undefined {
    return entry === undefined
      ? undefined
      : present(new StoredObject(entry.key, entry.value, entry.revision), kind)
  }

  #rebuild(): void {
    this.#kinds = [...this.#builtIn, ...[...this.#custom.values()].flatMap(({ kinds }) => kinds)]
    this.#index = new Map(this.#kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.plural}`, kind]))
    this.#revision += 1
    for (const listener of this.#listeners) listener()
  }
}

/** Where the objects of a kind are kept. */
const storageOf = ({ group, plural, storedAs }: Kind): ResourceName => ({
  group: storedAs?.group ?? group,
  resource: storedAs?.plural ?? plural,
})

/** Whether readers of this kind may see something else than the stored bytes. */
export const isPresented = (kind: Kind): boolean =>
  kind.storedAs !== undefined || kind.storageVersion !== undefined || kind.refreshBefore !== undefined

interface Presented {
  readonly kind: Kind
  readonly stored: StoredObject
}

const presented = new WeakMap<StoredObject, Map<string, Presented>>()

/**
 * The same stored object as the asked version shows it. Versions without a conversion webhook differ in name, and in
 * what their schemas know; an object that is older than its schema gets the defaults that it was not written with.
 */
export function present(stored: StoredObject, kind: Kind): StoredObject {
  const isOtherVersion = kind.storageVersion !== undefined && kind.storageVersion !== kind.version
  const isOlder = kind.refreshBefore !== undefined && stored.revision < kind.refreshBefore
  if (!isOtherVersion && !isOlder && kind.storedAs === undefined) return stored
  const asked = `${kind.group}/${kind.version}`
  const known = presented.get(stored)?.get(asked)
  if (known?.kind === kind) return known.stored
  const own = kind.storedAs?.fromStored(stored.object) ?? stored.object
  const named = isOtherVersion ? { ...own, apiVersion: asked } : own
  const shown = kind.refresh?.(named) ?? named
  const converted =
    shown === stored.object ? stored : new StoredObject(stored.key, encodeForStore(shown), stored.revision)
  const versions = presented.get(stored) ?? new Map<string, Presented>()
  versions.set(asked, { kind, stored: converted })
  presented.set(stored, versions)
  return converted
}

function toStorage(object: KubeObject, kind: Kind): KubeObject {
  if (kind.storedAs !== undefined) return kind.storedAs.toStored(object)
  if (kind.storageVersion === undefined || kind.storageVersion === kind.version) return object
  return { ...object, apiVersion: `${kind.group}/${kind.storageVersion}` }
}

function tombstoneOf(kind: Kind, stored: StoredObject): Change {
  const { namespace, name, uid } = stored.header
  const tombstone: KubeObject = {
    apiVersion: `${tombstoneGroup}/v1`,
    kind: 'Tombstone',
    metadata: { name: uid, uid, creationTimestamp: stored.object.metadata.creationTimestamp ?? null },
    spec: {
      group: kind.group,
      resource: kind.plural,
      kind: kind.kind,
      namespace,
      name,
      uid,
      revision: stored.revision,
    },
  }
  const key = objectKey({ group: tombstoneGroup, resource: tombstonePlural }, '', uid)
  return { key, value: encodeForStore(tombstone) }
}
