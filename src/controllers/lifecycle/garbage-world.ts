// Keeps the garbage graph from shared copies of everything that can be listed, watched and deleted, CRDs included.
// What follows from the graph is garbage.ts's.

import type { AnyObject } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import type { Source } from '../../reconcile/source.ts'
import type { Context, ServedResource } from '../context.ts'
import { Graph, isDeletingAsOrphaner, isDeletingInForeground, type Node } from './garbage-graph.ts'

interface Watched {
  readonly served: ServedResource
  readonly informer: Informer<AnyObject>
  readonly unsubscribe: () => void
}

/** Events never own and are never owned: upstream ignores them too. */
const ignored = new Set(['/events', 'events.k8s.io/events'])

export class GarbageWorld implements AsyncDisposable {
  readonly graph = new Graph()
  readonly source: Source
  readonly #context: Context
  readonly #watched = new Map<string, Watched>()
  readonly #endChanges: () => void
  #enqueue: (uid: string) => void = () => undefined
  #dropping: Promise<void> = Promise.resolve()

  constructor(context: Context) {
    this.#context = context
    this.source = {
      synced: Promise.resolve(),
      on: (enqueue) => {
        this.#enqueue = enqueue
        this.#watchServed()
        return () => {
          this.#enqueue = () => undefined
        }
      },
      keys: () => [],
    }
    this.#endChanges = context.resources.onChange(() => this.#watchServed())
  }

  /** Whether every resource was listed: without that nobody can say that an object has no dependents. */
  get unsynced(): readonly string[] {
    return [...this.#watched].filter(([, { informer }]) => !informer.isSynced).map(([key]) => key)
  }

  /** The resource that an owner reference means; undefined when nothing of that kind is served. */
  resourceOf({
    apiVersion,
    kind,
  }: {
    readonly apiVersion: string
    readonly kind: string
  }): ServedResource | undefined {
    const served = this.#context.resources.list()
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
    const version = apiVersion.includes('/') ? apiVersion.split('/')[1] : apiVersion
    const sameKind = served.filter((one) => one.kind === kind && one.group === group)
    return sameKind.find((one) => one.version === version) ?? sameKind[0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#endChanges()
    for (const { unsubscribe } of this.#watched.values()) unsubscribe()
    this.#watched.clear()
    await this.#dropping
  }

  #watchServed(): void {
    const wanted = collectable(this.#context.resources.list())
    for (const [key, watched] of this.#watched) {
      if (wanted.get(key)?.version !== watched.served.version) this.#forget(key, watched)
    }
    for (const [key, served] of wanted) {
      if (!this.#watched.has(key)) this.#watch(key, served)
    }
  }

  #watch(key: string, served: ServedResource): void {
    const informer = this.#context.informers.of<AnyObject>(served)
    const unsubscribe = informer.on(({ current, previous }) => {
      if (previous !== undefined && previous.header.uid !== current?.header.uid)
        this.#removed(previous.header.uid)
      if (current !== undefined) this.#changed({ header: current.header, resource: served })
    })
    this.#watched.set(key, { served, informer, unsubscribe })
  }

  /** Its objects went with the definition, or are watched in another version from now on. */
  #forget(key: string, { served, informer, unsubscribe }: Watched): void {
    unsubscribe()
    this.#watched.delete(key)
    for (const { header } of informer.versions()) this.#removed(header.uid)
    const drop = () => this.#context.informers.drop(served)
    this.#dropping = this.#dropping.then(drop, drop)
  }

  #changed(node: Node): void {
    const { uid, ownerReferences } = node.header
    this.graph.put(node)
    const isOwnerAtWork = isDeletingInForeground(node) || isDeletingAsOrphaner(node)
    if (ownerReferences.length > 0 || isOwnerAtWork) this.#enqueue(uid)
    if (isOwnerAtWork)
      for (const dependent of this.graph.dependentsOf(uid)) this.#enqueue(dependent.header.uid)
    this.#wakeWaitingOwners(node)
  }

  #removed(uid: string): void {
    const node = this.graph.get(uid)
    this.graph.remove(uid)
    for (const dependent of this.graph.dependentsOf(uid)) this.#enqueue(dependent.header.uid)
    if (node !== undefined) this.#wakeWaitingOwners(node)
  }

  #wakeWaitingOwners({ header }: Node): void {
    for (const { uid } of header.ownerReferences) {
      const owner = this.graph.get(uid)
      if (owner !== undefined && isDeletingInForeground(owner)) this.#enqueue(uid)
    }
  }
}

/** One version of each resource whose objects can be garbage or own some. */
export function collectable(served: readonly ServedResource[]): ReadonlyMap<string, ServedResource> {
  const found = new Map<string, ServedResource>()
  for (const one of served) {
    const key = `${one.group}/${one.resource}`
    const hasVerbs = ['list', 'watch', 'delete'].every((verb) => one.verbs.includes(verb))
    if (hasVerbs && !ignored.has(key) && !found.has(key)) found.set(key, one)
  }
  return found
}
