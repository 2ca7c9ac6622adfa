// The copy of one resource that an informer keeps: objects by key, by namespace, and by whatever index was asked for.
// Where changes come from is informer.ts's.

import type { AnyObject, Version } from './client.ts'

/** `namespace/name`, or `name` for cluster scope. */
export function keyOf({
  namespace,
  name,
}: {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}): string {
  return namespace === undefined || namespace === '' ? (name ?? '') : `${namespace}/${name ?? ''}`
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const at = key.indexOf('/')
  return at === -1 ? { namespace: '', name: key } : { namespace: key.slice(0, at), name: key.slice(at + 1) }
}

/** The values under which a version is found; pure, so that the old values can be asked again. */
export type IndexFunction<T> = (version: Version<T>) => readonly string[]

const byNamespace = ' namespace'

export class ObjectCopy<T extends AnyObject> {
  readonly #versions = new Map<string, Version<T>>()
  readonly #indexes = new Map<
    string,
    { readonly valuesOf: IndexFunction<T>; readonly keys: Map<string, Set<string>> }
  >()

  constructor(indexes: Readonly<Record<string, IndexFunction<T>>>) {
    this.#addIndex(byNamespace, (version) => [version.header.namespace])
    for (const [name, valuesOf] of Object.entries(indexes)) this.#addIndex(name, valuesOf)
  }

  get size(): number {
    return this.#versions.size
  }

  get(key: string): Version<T> | undefined {
    return this.#versions.get(key)
  }

  keys(): string[] {
    return [...this.#versions.keys()]
  }

  versions(namespace?: string): Version<T>[] {
    return namespace === undefined ? [...this.#versions.values()] : this.find(byNamespace, namespace)
  }

  find(index: string, value: string): Version<T>[] {
    const found = this.#indexes.get(index)
    if (found === undefined) throw new Error(`there is no index ${index}`)
    const keys = found.keys.get(value) ?? []
    return [...keys].flatMap((key) => this.#versions.get(key) ?? [])
  }

  /** An index may be added at any time; what is there is indexed at once. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    if (!this.#indexes.has(name)) this.#addIndex(name, valuesOf)
  }

  /** Returns what stood there before. */
  set(key: string, version: Version<T>): Version<T> | undefined {
    const previous = this.delete(key)
    this.#versions.set(key, version)
    for (const index of this.#indexes.values()) {
      for (const value of index.valuesOf(version)) addTo(index.keys, value, key)
    }
    return previous
  }

  delete(key: string): Version<T> | undefined {
    const previous = this.#versions.get(key)
    if (previous === undefined) return undefined
    this.#versions.delete(key)
    for (const index of this.#indexes.values()) {
      for (const value of index.valuesOf(previous)) removeFrom(index.keys, value, key)
    }
    return previous
  }

  #addIndex(name: string, valuesOf: IndexFunction<T>): void {
    const keys = new Map<string, Set<string>>()
    for (const [key, version] of this.#versions) {
      for (const value of valuesOf(version)) addTo(keys, value, key)
    }
    this.#indexes.set(name, { valuesOf, keys })
  }
}

function addTo(keys: Map<string, Set<string>>, value: string, key: string): void {
  const known = keys.get(value)
  if (known === undefined) keys.set(value, new Set([key]))
  else known.add(key)
}

function removeFrom(keys: Map<string, Set<string>>, value: string, key: string): void {
  const known = keys.get(value)
  known?.delete(key)
  if (known?.size === 0) keys.delete(value)
}
