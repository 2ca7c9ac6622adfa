// Reads and changes metadata and conditions, copying the path and nothing else.
// Every change returns the same object when there is nothing to change.

import type { KubeObject, ObjectMeta, OwnerReference } from './object.ts'
import { formatTime } from './time.ts'
import { isSame, withField } from './value.ts'

/** Sets the given fields of metadata; a field given as undefined is dropped. */
export function withMeta<T extends KubeObject>(object: T, changes: Partial<ObjectMeta>): T {
  let metadata: ObjectMeta = object.metadata
  for (const [field, value] of Object.entries(changes)) {
    if (!isSame(metadata[field as keyof ObjectMeta], value)) metadata = withField(metadata, field, value)
  }
  return metadata === object.metadata ? object : { ...object, metadata }
}

export const withLabels = <T extends KubeObject>(object: T, labels: Readonly<Record<string, string>>): T =>
  withMeta(object, { labels: merged(object.metadata.labels, labels) })

export const withAnnotations = <T extends KubeObject>(
  object: T,
  annotations: Readonly<Record<string, string>>,
): T => withMeta(object, { annotations: merged(object.metadata.annotations, annotations) })

function merged(
  before: Readonly<Record<string, string>> | undefined,
  changes: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const missing = Object.entries(changes).filter(([key, value]) => before?.[key] !== value)
  return missing.length === 0 && before !== undefined ? before : { ...before, ...Object.fromEntries(missing) }
}

export const hasFinalizer = ({ metadata }: KubeObject, finalizer: string): boolean =>
  metadata.finalizers?.includes(finalizer) === true

export function addFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (hasFinalizer(object, finalizer)) return object
  return withMeta(object, { finalizers: [...(object.metadata.finalizers ?? []), finalizer] })
}

export function removeFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (!hasFinalizer(object, finalizer)) return object
  const left = (object.metadata.finalizers ?? []).filter((one) => one !== finalizer)
  return withMeta(object, { finalizers: left.length === 0 ? undefined : left })
}

export const isDeleting = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined

/** The reference that makes an owner the controller of an object. */
export function controllerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion ?? '',
    kind: owner.kind ?? '',
    name: owner.metadata.name ?? '',
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  }
}

/** Adds an owner, or replaces the reference with the same uid. */
export function setOwner<T extends KubeObject>(object: T, owner: OwnerReference): T {
  const others = (object.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.uid)
  return withMeta(object, { ownerReferences: [...others, owner] })
}

export const controllerOf = ({ metadata }: KubeObject): OwnerReference | undefined =>
  metadata.ownerReferences?.find(({ controller }) => controller === true)

export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid

/** Drops owner references that say the same again; answers the UIDs that came more than once. */
export function dedupeOwnerReferences<T extends KubeObject>(
  object: T,
): { readonly object: T; readonly warnings: readonly string[] } {
  const references = object.metadata.ownerReferences ?? []
  const kept: OwnerReference[] = []
  const repeated = new Set<string>()
  for (const reference of references) {
    if (kept.some((one) => isSame(one, reference))) repeated.add(reference.uid)
    else kept.push(reference)
  }
  if (repeated.size === 0) return { object, warnings: [] }
  return {
    object: withMeta(object, { ownerReferences: kept }),
    warnings: [
      `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].sort().join(', ')}`,
    ],
  }
}

export interface Condition {
  readonly type: string
  readonly status: 'False' | 'True' | 'Unknown'
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly observedGeneration?: number | undefined
  readonly lastTransitionTime?: string | undefined
}

export const conditionOf = <T extends Condition>(
  conditions: readonly T[] | undefined,
  type: string,
): T | undefined => conditions?.find((condition) => condition.type === type)

export const isTrue = (conditions: readonly Condition[] | undefined, type: string): boolean =>
  conditionOf(conditions, type)?.status === 'True'

/** Sets a condition of a type; its transition time moves only when its status does. */
export function setCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  next: T,
  now: number,
): readonly T[] {
  const list = conditions ?? []
  const before = conditionOf(list, next.type)
  const isMoved = before === undefined || before.status !== next.status
  const lastTransitionTime = isMoved
    ? (next.lastTransitionTime ?? formatTime(now))
    : before.lastTransitionTime
  const changed = { ...before, ...next, lastTransitionTime }
  if (before === undefined) return [...list, changed]
  return isSame(before, changed)
    ? list
    : list.map((condition) => (condition === before ? changed : condition))
}

export function removeCondition<T extends Condition>(
  conditions: readonly T[] | undefined,
  type: string,
): readonly T[] {
  const list = conditions ?? []
  return list.some((condition) => condition.type === type)
    ? list.filter((condition) => condition.type !== type)
    : list
}
