// Who owns whom: a graph of all objects by UID, kept from their headers, and what follows for one of them. Pure.
// Upstream: pkg/controller/garbagecollector. Reading and deleting is garbage.ts's.

import type { OwnerReference } from '../../api/object.ts'
import type { Header } from '../../api/stored.ts'

export const orphanFinalizer = 'orphan'
export const foregroundFinalizer = 'foregroundDeletion'

/** A resource, as a node needs to know it to delete its object. */
export interface NodeResource {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
  readonly isNamespaced: boolean
}

export interface Node {
  readonly header: Header
  readonly resource: NodeResource
}

export class Graph {
  readonly #nodes = new Map<string, Node>()
  /** uid of an owner to the uids of what names it as owner. */
  readonly #dependents = new Map<string, Set<string>>()

  get size(): number {
    return this.#nodes.size
  }

  get(uid: string): Node | undefined {
    return this.#nodes.get(uid)
  }

  /** Objects that name this one as an owner, whether they may or not. */
  dependentsOf(uid: string): readonly Node[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? [])
  }

  put(node: Node): void {
    const { uid } = node.header
    this.remove(uid)
    this.#nodes.set(uid, node)
    for (const owner of node.header.ownerReferences) {
      const known = this.#dependents.get(owner.uid)
      if (known === undefined) this.#dependents.set(owner.uid, new Set([uid]))
      else known.add(uid)
    }
  }

  remove(uid: string): void {
    const node = this.#nodes.get(uid)
    if (node === undefined) return
    this.#nodes.delete(uid)
    for (const owner of node.header.ownerReferences) {
      const known = this.#dependents.get(owner.uid)
      known?.delete(uid)
      if (known?.size === 0) this.#dependents.delete(owner.uid)
    }
  }
}

export function isDeletingInForeground({ header }: Node): boolean {
  return header.isDeleting && header.finalizers.includes(foregroundFinalizer)
}

export function isDeletingAsOrphaner({ header }: Node): boolean {
  return header.isDeleting && header.finalizers.includes(orphanFinalizer)
}

/** What an object asks of its owner: to be waited for. */
export function blocks(dependent: Node, ownerUid: string): boolean {
  return dependent.header.ownerReferences.some(
    (owner) => owner.uid === ownerUid && owner.blockOwnerDeletion === true,
  )
}

/** What is known of one owner reference. */
export type OwnerState = 'absent' | 'solid' | 'waiting'

export interface JudgedOwner {
  readonly reference: OwnerReference
  readonly state: OwnerState
}

export type Verdict =
  | { readonly action: 'keep' }
  /** Some owners are there, others are gone or wait for this one: their references are dropped. */
  | { readonly action: 'dropOwners'; readonly uids: readonly string[] }
  | { readonly action: 'delete'; readonly propagationPolicy: 'Background' | 'Foreground' | 'Orphan' }

/** What becomes of an object, given its owners. `hasDependents` says whether anything names it as owner. */
export function judge(
  { header }: { readonly header: Pick<Header, 'finalizers'> },
  owners: readonly JudgedOwner[],
  hasDependents: boolean,
): Verdict {
  const lost = owners.filter(({ state }) => state !== 'solid').map(({ reference }) => reference.uid)
  if (lost.length === 0) return { action: 'keep' }
  if (lost.length < owners.length) return { action: 'dropOwners', uids: lost }
  // An owner that waits for its dependents waits for theirs too.
  const isAwaited = owners.some(({ state }) => state === 'waiting')
  if (isAwaited && hasDependents) return { action: 'delete', propagationPolicy: 'Foreground' }
  if (header.finalizers.includes(orphanFinalizer)) return { action: 'delete', propagationPolicy: 'Orphan' }
  if (header.finalizers.includes(foregroundFinalizer))
    return { action: 'delete', propagationPolicy: 'Foreground' }
  return { action: 'delete', propagationPolicy: 'Background' }
}
