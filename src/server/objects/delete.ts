// DELETE and DELETECOLLECTION: grace, finalizers, propagation, and the moment when an object is really gone.
// Upstream: apiserver/pkg/registry/generic/registry/store.go and rest/delete.go.

import type { Answer } from '../../api/contracts.ts'
import type { KubeObject, ObjectMeta } from '../../api/object.ts'
import { conflict, deleted, notFound, objectModified } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { formatTime } from '../../api/time.ts'
import { isWrittenSame } from '../../api/value.ts'
import { present } from '../../catalog/catalog.ts'
import type { Kind } from '../../kinds/kind.ts'
import { admissionRequest, named, type Spine, type Target } from '../spine.ts'
import { makeMatcher } from './match.ts'

/** How often a delete is tried again when another write came first; upstream knows no end. */
const attemptsMax = 100
/** How many objects of a collection are deleted side by side; they share the store's group commit. */
const collectionWidth = 16

const orphanFinalizer = 'orphan'
const foregroundFinalizer = 'foregroundDeletion'

export async function deleteObject(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const first = await attempt(spine, target)
  if (first !== undefined) return first
  return spine.turns.take(spine.catalog.key(kind, call.namespace, call.name), async () => {
    for (let tried = 1; tried < attemptsMax && !call.signal.aborted; tried += 1) {
      const outcome = await attempt(spine, target)
      if (outcome !== undefined) return outcome
    }
    throw conflict(named(kind), call.name, objectModified)
  })
}

/** Undefined when another write came first. */
async function attempt(spine: Spine, target: Target): Promise<Answer | undefined> {
  const { call, kind } = target
  const old = spine.catalog.get(kind, call.namespace, call.name)
  if (old === undefined) throw notFound(named(kind), call.name)
  checkDeletePreconditions(target, old)
  await spine.admission.validate(admissionRequest(target, 'DELETE', { object: undefined, old: old.object }))
  return deleteOnce(spine, target, old)
}

/** Undefined when another write came first. */
async function deleteOnce(spine: Spine, target: Target, old: StoredObject): Promise<Answer | undefined> {
  const { call, kind, warnings } = target
  const isDryRun = call.options.dryRun === true
  const next = planDelete(spine, target, old.object)
  if (next === 'gone') {
    if (!isDryRun && !(await removeNow(spine, target, old))) return undefined
    // Upstream answers a pod that is gone at once with the pod, everything else with a Status.
    if (kind.gracePeriod !== undefined)
      return { type: 'object', code: 200, served: kind, object: old, warnings }
    return { type: 'status', code: 200, status: deleted(named(kind), call.name, old.header.uid), warnings }
  }
  if (isDryRun || isWrittenSame(next, old.object))
    return { type: 'object', code: 200, served: kind, object: next, warnings }
  const result = await spine.catalog.put(kind, next, old.revision)
  return result.ok ? { type: 'object', code: 200, served: kind, object: result.stored, warnings } : undefined
}

/** What the object becomes: marked as deleting, or gone. */
function planDelete(spine: Spine, { call, kind }: Target, old: KubeObject): KubeObject | 'gone' {
  const finalizers = finalizersAfter(kind, call.options.propagationPolicy, old)
  const grace = kind.gracePeriod?.(old, call.options.gracePeriodSeconds) ?? 0
  const isHeld = finalizers.length > 0 || kind.isHeld?.(old) === true
  const remaining = old.metadata.deletionGracePeriodSeconds
  const isDeleting = old.metadata.deletionTimestamp !== undefined
  if (grace === 0 && !isHeld) return 'gone'
  const { finalizers: _, ...rest } = old.metadata
  const metadata: ObjectMeta = { ...rest, ...(finalizers.length > 0 ? { finalizers } : {}) }
  // A second DELETE can shorten the grace period, never lengthen it.
  if (isDeleting && remaining !== undefined && grace >= remaining) return { ...old, metadata }
  // A held object that is asked again keeps its first deletion time.
  if (isDeleting && remaining === undefined) return { ...old, metadata }
  const marked: KubeObject = {
    ...old,
    metadata: {
      ...metadata,
      deletionTimestamp: formatTime(spine.clock.now() + grace * 1_000),
      deletionGracePeriodSeconds: grace,
      ...(old.metadata.generation !== undefined && !isDeleting
        ? { generation: old.metadata.generation + 1 }
        : {}),
    },
  }
  return kind.prepareDelete?.(marked) ?? marked
}

function finalizersAfter(kind: Kind, asked: string | undefined, old: KubeObject): readonly string[] {
  const present = old.metadata.finalizers ?? []
  const policy =
    asked ??
    (present.includes(orphanFinalizer) || present.includes(foregroundFinalizer)
      ? undefined
      : kind.defaultPropagation)
  if (policy === undefined) return present
  const others = present.filter((one) => one !== orphanFinalizer && one !== foregroundFinalizer)
  if (policy === 'Orphan') return [...others, orphanFinalizer]
  return policy === 'Foreground' ? [...others, foregroundFinalizer] : others
}

function checkDeletePreconditions({ call, kind }: Target, old: StoredObject): void {
  const { preconditions } = call.options
  if (preconditions?.uid !== undefined && preconditions.uid !== old.header.uid) {
    const detail = `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${old.header.uid}`
    throw conflict(named(kind), call.name, detail)
  }
  if (
    preconditions?.resourceVersion !== undefined &&
    preconditions.resourceVersion !== String(old.revision)
  ) {
    const detail = `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${old.revision}`
    throw conflict(named(kind), call.name, preconditions.resourceVersion === '' ? objectModified : detail)
  }
}

/** An update that takes the last finalizer of a deleting object lets it go. */
export function shouldRemove(kind: Kind, next: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = next.metadata
  if (deletionTimestamp === undefined || finalizers.length > 0 || kind.isHeld?.(next) === true) return false
  return (deletionGracePeriodSeconds ?? 0) === 0
}

/** False when another write came first. */
export async function removeNow(spine: Spine, { kind }: Target, stored: StoredObject): Promise<boolean> {
  const result = await spine.catalog.remove(kind, stored)
  return result.ok
}

export async function deleteCollection(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const matcher = makeMatcher(kind, call.options)
  const all = spine.catalog.cache.list(spine.catalog.prefix(kind, call.namespace))
  const chosen = all.map((stored) => present(stored, kind)).filter((stored) => matcher.matches(stored))
  const limited =
    call.options.limit === undefined || call.options.limit === 0
      ? chosen
      : chosen.slice(0, call.options.limit)
  const queue = limited.values()
  const worker = async (): Promise<void> => {
    for (const stored of queue) await deleteOne(spine, target, stored)
  }
  await Promise.all(Array.from({ length: collectionWidth }, worker))
  return {
    type: 'list',
    served: kind,
    revision: spine.catalog.cache.revision,
    items: limited,
    warnings: target.warnings,
  }
}

/** One that somebody else deleted meanwhile counts as deleted. */
async function deleteOne(spine: Spine, target: Target, stored: StoredObject): Promise<void> {
  const { namespace, name } = stored.header
  const call = { ...target.call, verb: 'delete' as const, namespace, name }
  if (spine.catalog.get(target.kind, namespace, name) === undefined) return
  await deleteObject(spine, { ...target, call })
}
