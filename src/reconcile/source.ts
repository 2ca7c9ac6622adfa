// Where keys come from: an informer's changes, turned into the keys that they concern.
// Folding duplicates is queue.ts's.

import type { AnyObject, Version } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { keyOf } from '../client/objects.ts'

/** Something that tells keys to look at. */
export interface Source {
  readonly synced: Promise<void>
  /** Tells what is there already, then each change; returns the function that ends it. */
  on(enqueue: (key: string) => void): () => void
  /** All keys, for a second look at everything. */
  keys(): Iterable<string>
}

/** The keys that a version of an object concerns; its own unless said otherwise. */
export type ToKeys<T> = (version: Version<T>) => Iterable<string>

/** Both the version before a change and the one after it are asked, so that what it no longer concerns is told too. */
export function fromInformer<T extends AnyObject>(informer: Informer<T>, toKeys: ToKeys<T> = ownKey): Source {
  return {
    synced: informer.synced,
    on: (enqueue) =>
      informer.on(({ current, previous }) => {
        if (previous !== undefined) for (const key of toKeys(previous)) enqueue(key)
        if (current !== undefined) for (const key of toKeys(current)) enqueue(key)
      }),
    keys: function* () {
      for (const version of informer.versions()) yield* toKeys(version)
    },
  }
}

/** The keys of the owners of one kind: `toOwner('ReplicaSet')`. */
export function toController(apiVersion: string, kind: string): ToKeys<AnyObject> {
  const { group } = groupOf(apiVersion)
  return ({ header }) =>
    header.ownerReferences
      .filter(
        (owner) =>
          owner.controller === true && owner.kind === kind && groupOf(owner.apiVersion).group === group,
      )
      .map((owner) => keyOf({ namespace: header.namespace, name: owner.name }))
}

function groupOf(apiVersion: string): { readonly group: string } {
  const at = apiVersion.indexOf('/')
  return { group: at === -1 ? '' : apiVersion.slice(0, at) }
}

function ownKey({ header }: Version<unknown>): readonly string[] {
  return [keyOf(header)]
}
