// One version of an object as it stands in memory: its canonical JSON bytes and a small header.
// The store holds the bytes without a resourceVersion; it is spliced in here, once per version.

import type { KubeObject, ObjectMeta, OwnerReference } from './object.ts'

const marker = Buffer.from('"metadata":{')

/** What loops and selectors need of most objects, without parsing the rest. */
export interface Header {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  readonly ownerReferences: readonly OwnerReference[]
  readonly finalizers: readonly string[]
  readonly isDeleting: boolean
}

/** One immutable version. `bytes` is whole JSON with `metadata.resourceVersion`; share it, never write into it. */
export class StoredObject {
  readonly key: string
  readonly revision: number
  readonly bytes: Buffer
  #header: Header | undefined
  #object: WeakRef<KubeObject> | undefined

  /** `value` is what `encodeForStore` made; the revision becomes the object's resourceVersion. */
  constructor(key: string, value: Uint8Array, revision: number) {
    this.key = key
    this.revision = revision
    this.bytes = spliceRevision(value, revision)
  }

  get header(): Header {
    this.#header ??= headerOf(this.object)
    return this.#header
  }

  /** Parsed and deeply frozen; the same one for all callers as long as somebody holds it. */
  get object(): KubeObject {
    const known = this.#object?.deref()
    if (known !== undefined) return known
    const parsed = deepFreeze(JSON.parse(this.bytes.toString('utf8'))) as KubeObject
    this.#object = new WeakRef(parsed)
    return parsed
  }
}

/** The same state under another revision, as the event of a removal shows it. */
export function withRevision(stored: StoredObject, revision: number): StoredObject {
  const start = stored.bytes.indexOf(marker) + marker.length
  const stamp = `"resourceVersion":"${stored.revision}"`
  const end = start + stamp.length
  const rest = stored.bytes.subarray(stored.bytes[end] === 0x2c ? end + 1 : end)
  return new StoredObject(stored.key, Buffer.concat([stored.bytes.subarray(0, start), rest]), revision)
}

/** Canonical bytes: apiVersion, kind, metadata first; no resourceVersion (the store's revision is the truth). */
export function encodeForStore(object: KubeObject): Buffer {
  const { apiVersion, kind, metadata, ...rest } = object
  const { resourceVersion: _, selfLink: __, ...meta } = metadata
  return Buffer.from(JSON.stringify({ apiVersion, kind, metadata: meta, ...rest }))
}

function spliceRevision(value: Uint8Array, revision: number): Buffer {
  const source = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const at = source.indexOf(marker) + marker.length
  const isEmpty = source[at] === 0x7d
  const insert = Buffer.from(`"resourceVersion":"${revision}"${isEmpty ? '' : ','}`)
  const bytes = Buffer.allocUnsafeSlow(source.length + insert.length)
  source.copy(bytes, 0, 0, at)
  insert.copy(bytes, at)
  source.copy(bytes, at + insert.length, at)
  return bytes
}

/** For caches of objects that never were stored here, such as those of a far API server. */
export function headerOf(object: { readonly metadata: ObjectMeta }): Header {
  const { metadata } = object
  return Object.freeze({
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    labels: metadata.labels ?? {},
    ownerReferences: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    isDeleting: metadata.deletionTimestamp !== undefined,
  })
}

/** Freezes parsed JSON all the way down and returns it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
