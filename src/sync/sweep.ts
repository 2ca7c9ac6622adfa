// Looks for copies on the host whose object is in the plane neither alive nor as a tombstone: leftovers of a crash.
// Absence is a weak proof: it has to last, to be trusted at all, and to be small.

import type { AnyObject, ResourceRef } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { brake } from './brake.ts'
import type { SyncContext } from './context.ts'
import { type Identity, identityOf } from './owner.ts'

/** Copies must be without an object for so long. */
const graceMs = 60_000

export interface SweepState {
  /** Host UIDs, and since when (monotonic) their object is missing. */
  readonly missingSince: Map<string, number>
  /** Names that are about to get their object. */
  readonly isReserved?: ((hostName: string) => boolean) | undefined
}

export type SweepResult =
  | { readonly ok: true; readonly deleted: number }
  /** Nothing was deleted. */
  | { readonly ok: false; readonly alarm: string }

interface Orphan {
  readonly resource: ResourceRef
  readonly object: AnyObject
}

export async function sweep(
  context: SyncContext,
  swept: readonly SweptKind[],
  state: SweepState,
  signal: AbortSignal,
): Promise<SweepResult> {
  const { planeUid } = context.translation().owner
  const found: (Orphan & { readonly identity: Identity; readonly owner: SweptKind })[] = []
  let all = 0
  for (const owner of swept) {
    for (const object of owner.host.list()) {
      const identity = identityOf(object, planeUid)
      if (identity === undefined || identity.kind !== owner.kind || identity.group !== owner.group) continue
      all += 1
      if (state.isReserved?.(object.metadata.name ?? '') === true) continue
      if (isMissing(context, owner, identity))
        found.push({ resource: owner.resource, object, identity, owner })
    }
  }
  const due = lasting(context, state, found)
  if (due.length === 0) return { ok: true, deleted: 0 }
  if (!context.trustsAbsence())
    return {
      ok: false,
      alarm: `${due.length} copies have no object, but this store is not the one they came from`,
    }
  const { isAllowed, limit } = brake({ absent: due.length, all })
  if (!isAllowed)
    return {
      ok: false,
      alarm: `${due.length} of ${all} copies have no object; more than ${limit} are not deleted at once`,
    }
  let deleted = 0
  for (const { resource, object, identity, owner } of due) {
    // Past all caches: the object may have been made a moment ago.
    const { namespace, name } = identity
    if ((await context.virtual.get(owner.virtual.resource, { namespace, name }, { signal })) !== undefined)
      continue
    await context.writer.delete(resource, object, { isExact: identity.kind !== 'Pod', signal })
    state.missingSince.delete(object.metadata.uid ?? '')
    deleted += 1
    context.log.info('deleted a copy without an object', { kind: identity.kind, namespace, name })
  }
  return { ok: true, deleted }
}

export interface SweptKind {
  readonly group: string
  readonly kind: string
  readonly resource: ResourceRef
  readonly host: Informer<AnyObject>
  /** Where the objects are that these are copies of. */
  readonly virtual: Informer<AnyObject>
}

/** No object of this name, whatever its UID: one that is there keeps even a stranger's copy. */
function isMissing(
  { world }: SyncContext,
  { virtual }: SweptKind,
  { namespace, name, uid }: Identity,
): boolean {
  if (virtual.get(namespace, name) !== undefined) return false
  return world.virtual.tombstones.get('', uid) === undefined
}

function lasting<T extends Orphan>(
  { clock }: SyncContext,
  { missingSince }: SweepState,
  found: readonly T[],
): readonly T[] {
  const nowMs = clock.monotonic()
  const uids = new Set(found.map(({ object }) => object.metadata.uid ?? ''))
  for (const uid of missingSince.keys()) if (!uids.has(uid)) missingSince.delete(uid)
  for (const uid of uids) if (!missingSince.has(uid)) missingSince.set(uid, nowMs)
  return found.filter(
    ({ object }) => nowMs - (missingSince.get(object.metadata.uid ?? '') ?? nowMs) >= graceMs,
  )
}
