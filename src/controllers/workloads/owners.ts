// Who controls what: references to a controller, and the claim of a controller on what its selector matches.
// Upstream: pkg/controller/controller_ref_manager.go. Removing what has no owner is lifecycle/garbage.ts's.

import type { ObjectMeta, OwnerReference } from '../../api/models.ts'
import type { LabelSelector } from '../../api/select.ts'
import type { AnyObject, Client, ResourceRef, Version } from '../../client/client.ts'
import { isInvalid, isNotFound } from '../../client/failures.ts'
import type { Informer } from '../../client/informer.ts'

export interface OwnerKind {
  readonly apiVersion: string
  readonly kind: string
}

interface Owned {
  readonly metadata: ObjectMeta
}

export function controllerReference({ apiVersion, kind }: OwnerKind, { metadata }: Owned): OwnerReference {
  const { name = '', uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

export function controllerOf({ metadata }: Owned): OwnerReference | undefined {
  return metadata.ownerReferences?.find((owner) => owner.controller === true)
}

export function isControlledBy(object: Owned, owner: Owned): boolean {
  return owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid
}

/** The informer index under which `candidatesOf` finds objects: by their controller, or as orphans of a namespace. */
export const controllerIndex = 'controller'

export function indexByController({ header }: Version<unknown>): readonly string[] {
  const controller = controllerOf({ metadata: header })
  return [controller === undefined ? orphansOf(header.namespace) : controller.uid]
}

/** What is owned already, and what has no controller yet. */
export function candidatesOf<T extends AnyObject>(informer: Informer<T>, owner: Owned): readonly T[] {
  const { namespace = '', uid = '' } = owner.metadata
  const owned = informer.byIndex(controllerIndex, uid)
  return [...owned, ...informer.byIndex(controllerIndex, orphansOf(namespace))]
}

const orphansOf = (namespace: string): string => `orphans/${namespace}`

export interface Claims<T> {
  /** Owned and matching: stay. */
  readonly kept: readonly T[]
  /** Matching without a controller: become owned. */
  readonly orphans: readonly T[]
  /** Owned but not matching any more: are let go. */
  readonly strangers: readonly T[]
}

/** What of `candidates` belongs to `owner`. One that is being deleted takes in and lets go nothing. */
export function sortClaims<T extends Owned>(
  owner: Owned,
  selector: LabelSelector,
  candidates: readonly T[],
): Claims<T> {
  const isOwnerDeleting = owner.metadata.deletionTimestamp !== undefined
  const isMatch = ({ metadata }: T) => !selector.matchesNothing && selector.matches(metadata.labels)
  const owned = candidates.filter((object) => isControlledBy(object, owner))
  const free = candidates.filter(
    (object) => controllerOf(object) === undefined && object.metadata.deletionTimestamp === undefined,
  )
  return {
    kept: owned.filter(isMatch),
    orphans: isOwnerDeleting ? [] : free.filter(isMatch),
    strangers: isOwnerDeleting ? [] : owned.filter((object) => !isMatch(object)),
  }
}

export interface Claiming<T extends AnyObject, O extends AnyObject> {
  readonly client: Client
  readonly resource: ResourceRef<T>
  readonly owner: O
  readonly ownerKind: OwnerKind
  /** Reads the owner anew: only one that still exists and stays may take something in. */
  readonly readOwner: () => Promise<O | undefined>
  readonly selector: LabelSelector
  readonly candidates: readonly T[]
  /** What is taken in gets this finalizer, and loses it when it is let go. */
  readonly finalizer?: string | undefined
  readonly signal: AbortSignal
}

/** Takes in orphans and lets strangers go; answers what is owned afterwards. */
export async function claim<T extends AnyObject, O extends AnyObject>(
  claiming: Claiming<T, O>,
): Promise<readonly T[]> {
  const { owner, selector, candidates, readOwner } = claiming
  const { kept, orphans, strangers } = sortClaims(owner, selector, candidates)
  for (const stranger of strangers) await release(claiming, stranger)
  if (orphans.length === 0) return kept
  const live = await readOwner()
  if (live?.metadata.uid !== owner.metadata.uid || live?.metadata.deletionTimestamp !== undefined) return kept
  const adopted: T[] = []
  for (const orphan of orphans) {
    const taken = await adopt(claiming, orphan)
    if (taken !== undefined) adopted.push(taken)
  }
  return [...kept, ...adopted]
}

async function adopt<T extends AnyObject, O extends AnyObject>(
  claiming: Claiming<T, O>,
  orphan: T,
): Promise<T | undefined> {
  const { client, resource, owner, ownerKind, finalizer, signal } = claiming
  const { uid, ownerReferences = [], finalizers = [] } = orphan.metadata
  const owners = [...ownerReferences, controllerReference(ownerKind, owner)]
  const held =
    finalizer === undefined || finalizers.includes(finalizer) ? undefined : [...finalizers, finalizer]
  return await patchOwners({ client, resource, object: orphan, owners, finalizers: held, uid, signal })
}

async function release<T extends AnyObject, O extends AnyObject>(
  claiming: Claiming<T, O>,
  stranger: T,
): Promise<void> {
  const { client, resource, owner, finalizer, signal } = claiming
  const { uid, ownerReferences = [], finalizers = [] } = stranger.metadata
  const owners = ownerReferences.filter((reference) => reference.uid !== owner.metadata.uid)
  const isHeld = finalizer !== undefined && finalizers.includes(finalizer)
  const rest = isHeld ? finalizers.filter((one) => one !== finalizer) : undefined
  await patchOwners({ client, resource, object: stranger, owners, finalizers: rest, uid, signal })
}

// The uid and the resourceVersion in the patch are preconditions: nobody else's claim is overwritten.
async function patchOwners<T extends AnyObject>(patching: {
  readonly client: Client
  readonly resource: ResourceRef<T>
  readonly object: T
  readonly owners: readonly OwnerReference[]
  /** Absent: they stay. */
  readonly finalizers?: readonly string[] | undefined
  readonly uid: string | undefined
  readonly signal: AbortSignal
}): Promise<T | undefined> {
  const { client, resource, object, owners, finalizers, uid, signal } = patching
  const { namespace, name = '', resourceVersion } = object.metadata
  const ownerReferences = owners.length === 0 ? null : owners
  const held = finalizers === undefined ? {} : { finalizers }
  const body = { metadata: { uid, resourceVersion, ownerReferences, ...held } }
  try {
    return await client.patch(resource, { namespace, name }, { type: 'merge', body, signal })
  } catch (error) {
    // It is gone, or another object of that name stands there now.
    if (isNotFound(error) || isInvalid(error)) return undefined
    throw error
  }
}
