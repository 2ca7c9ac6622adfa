// A door with a map behind it, for tests of clients and loops: objects, revisions, watches; no rules of any kind.
// What a plane really does is tested with a plane.

import type { Answer, Call, Door, WatchEvent, WatchItem } from '../../src/api/contracts.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { everything, parseLabelSelector } from '../../src/api/select.ts'
import { alreadyExists, conflict, deleted, expired, notFound } from '../../src/api/status.ts'
import { encodeForStore, StoredObject } from '../../src/api/stored.ts'

type Logged = { readonly prefix: string; readonly event: WatchEvent }

export class FakeDoor implements Door {
  readonly calls: Call[] = []
  /** Called before each call; throw to refuse it. */
  refuse: (call: Call) => void = () => undefined
  compactedRevision = 0
  #revision = 0
  #uid = 0
  readonly #objects = new Map<string, StoredObject>()
  readonly #log: Logged[] = []
  readonly #wakers = new Set<() => void>()

  /** Ends every watch, as a server that restarts does. */
  endWatches: () => void = () => undefined

  async handle(call: Call): Promise<Answer> {
    this.calls.push(call)
    this.refuse(call)
    const key = `${prefixOf(call)}${call.namespace}/${call.name}`
    const target = { group: call.group, resource: call.resource }
    if (call.verb === 'list') return this.#list(call)
    if (call.verb === 'watch') return { type: 'watch', served: servedOf(call), items: this.#watch(call) }
    const old = this.#objects.get(key)
    if (call.verb === 'create' && call.subresource === '') {
      const name = call.object?.metadata.name ?? `${call.object?.metadata.generateName}${this.#revision}`
      if (this.#objects.has(`${prefixOf(call)}${call.namespace}/${name}`)) throw alreadyExists(target, name)
      this.#uid += 1
      const made = { ...call.object?.metadata, name, namespace: call.namespace, uid: `uid-${this.#uid}` }
      const metadata = call.namespace === '' ? { ...made, namespace: undefined } : made
      const object = { ...call.object, metadata } as KubeObject
      return answer(201, call, this.#put(`${prefixOf(call)}${call.namespace}/${name}`, call, object, 'ADDED'))
    }
    if (old === undefined) throw notFound(target, call.name)
    if (call.verb === 'get') return answer(200, call, old)
    if (call.verb === 'delete') return this.#delete(key, call, old)
    const { resourceVersion } = call.object?.metadata ?? {}
    if (resourceVersion !== undefined && resourceVersion !== String(old.revision)) {
      throw conflict(target, call.name, 'the object has been modified')
    }
    const next = call.object ?? (merge(old.object, call.patch?.body) as KubeObject)
    return answer(200, call, this.#put(key, call, next, 'MODIFIED'))
  }

  #delete(key: string, call: Call, old: StoredObject): Answer {
    this.#objects.delete(key)
    const last = new StoredObject(key, encodeForStore(old.object), ++this.#revision)
    this.#tell({ prefix: prefixOf(call), event: { type: 'DELETED', object: last } })
    return { type: 'status', code: 200, status: deleted(call, call.name, old.header.uid) }
  }

  #put(key: string, call: Call, object: KubeObject, type: WatchEvent['type']): StoredObject {
    const stored = new StoredObject(key, encodeForStore(object), ++this.#revision)
    this.#objects.set(key, stored)
    this.#tell({ prefix: prefixOf(call), event: { type, object: stored } })
    return stored
  }

  #tell(logged: Logged): void {
    this.#log.push(logged)
    for (const wake of this.#wakers) wake()
  }

  #list(call: Call): Answer {
    const selector =
      call.options.labelSelector === undefined ? everything : parseLabelSelector(call.options.labelSelector)
    const items = [...this.#objects]
      .filter(([key]) => key.startsWith(prefixOf(call)))
      .map(([, object]) => object)
      .filter(({ header }) => call.namespace === '' || header.namespace === call.namespace)
      .filter(({ header }) => selector.matches(header.labels))
    return { type: 'list', served: servedOf(call), revision: this.#revision, items }
  }

  async *#watch(call: Call): AsyncGenerator<WatchItem> {
    const from = Number(call.options.resourceVersion)
    if (from < this.compactedRevision) throw expired('too old resource version')
    let next = this.#log.findIndex(({ event }) => event.object.revision > from)
    if (next === -1) next = this.#log.length
    let isEnded = false
    for (;;) {
      const events = this.#log
        .slice(next)
        .filter(({ prefix }) => prefix === prefixOf(call))
        .map(({ event }) => event)
        .filter(({ object }) => call.namespace === '' || object.header.namespace === call.namespace)
      next = this.#log.length
      if (events.length > 0) yield { type: 'events', events }
      if (isEnded || call.signal.aborted) return
      if (next < this.#log.length) continue
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#wakers.delete(wake)
          resolve()
        }
        this.#wakers.add(wake)
        const { endWatches } = this
        this.endWatches = () => {
          isEnded = true
          endWatches()
          wake()
        }
        call.signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}

function answer(code: 200 | 201, call: Call, object: StoredObject): Answer {
  return { type: 'object', code, served: servedOf(call), object }
}

const prefixOf = ({ group, resource }: Call): string => `${group}/${resource}/`

function servedOf({ group, version, resource }: Call) {
  return { group, version, kind: resource, listKind: `${resource}List`, plural: resource }
}

// RFC 7386.
function merge(old: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof old === 'object' && old !== null && !Array.isArray(old) ? { ...old } : {}
  const next: Record<string, unknown> = { ...base }
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete next[field]
    else next[field] = merge(next[field], value)
  }
  return next
}
