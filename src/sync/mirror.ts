// The engine for kinds whose copy is simply kept equal: config maps, secrets, services and claims.
// What the copy looks like is the translators'; pods have an engine of their own.

import type { ObjectMeta } from '../api/object.ts'
import { ApiError } from '../api/status.ts'
import type { AnyObject, ResourceRef } from '../client/client.ts'
import type { Informer } from '../client/informer.ts'
import { splitKey } from '../client/objects.ts'
import type { Clock } from '../platform/clock.ts'
import type { ReconcileResult } from '../reconcile/controller.ts'
import { identityFor, type SyncContext } from './context.ts'
import { digestOf, isSameJson } from './equal.ts'
import { hostName } from './names.ts'
import { digestAnnotation, identityOf, isOwned, isOwnKey } from './owner.ts'
import { createScrub, itself } from './scrub.ts'
import type { Translation, TranslationContext } from './translators/translation.ts'

export interface MirrorKind<T extends AnyObject> {
  readonly kind: string
  readonly resource: ResourceRef<T>
  readonly virtual: Informer<T>
  readonly host: Informer<T>
  /** False: it needs no copy, and one that is there goes when `mayRemove` agrees. */
  readonly isWanted: (virtual: T) => boolean
  readonly mayRemove: (host: T) => boolean
  readonly toHost: (virtual: T, context: TranslationContext) => Translation<T>
  /** The version there, with what the translation says; what the host added stays. */
  readonly merge: (current: T, desired: T) => T
  /** Carries the host's answer back. */
  readonly toVirtual?: ((host: T, virtual: T) => Promise<void>) | undefined
}

export interface MirrorResult extends ReconcileResult {
  /** Something that is not this object's copy has its name on the host. */
  readonly isBlocked?: boolean | undefined
}

export interface Mirror {
  reconcile(key: string, options: { readonly signal: AbortSignal }): Promise<MirrorResult | undefined>
}

const blockedRetryMs = 60_000
/** A copy that others change on the host is put right this often at most: its webhooks may never agree. */
const correctionMs = 60_000
const correctionsMax = 4_096

export function createMirror<T extends AnyObject>(kind: MirrorKind<T>, context: SyncContext): Mirror {
  const corrections = new Corrections(context.clock)
  return { reconcile: (key, options) => reconcile({ ...kind, corrections }, context, key, options) }
}

/** Remembers which copies were put right lately. */
class Corrections {
  readonly #clock: Clock
  readonly #atMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How long to wait before a copy may be put right; 0 notes that it is being done now. */
  waitMs({ uid = '' }: ObjectMeta): number {
    const nowMs = this.#clock.monotonic()
    const lastMs = this.#atMs.get(uid)
    if (lastMs !== undefined && nowMs - lastMs < correctionMs) return correctionMs - (nowMs - lastMs)
    this.#atMs.delete(uid)
    this.#atMs.set(uid, nowMs)
    const [oldest] = this.#atMs.keys()
    if (this.#atMs.size > correctionsMax && oldest !== undefined) this.#atMs.delete(oldest)
    return 0
  }
}

type Mirrored<T extends AnyObject> = MirrorKind<T> & { readonly corrections: Corrections }

async function reconcile<T extends AnyObject>(
  kind: Mirrored<T>,
  context: SyncContext,
  key: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<MirrorResult | undefined> {
  const { namespace, name } = splitKey(key)
  const virtual = kind.virtual.get(namespace, name)
  const translation = context.translation()
  const { planeUid, hostNamespace } = translation.owner
  const copyName = hostName({ planeUid, group: '', kind: kind.kind, namespace, name })
  const current = kind.host.get(hostNamespace, copyName)
  // What was removed left a tombstone: tombstones.ts deletes the copy.
  if (virtual === undefined) return isOnItsWayOut(context, current) ? leaving : undefined
  if (!kind.isWanted(virtual)) {
    const isOurs = current !== undefined && isOwned(current, planeUid, identityFor(kind.kind, virtual))
    if (isOurs && kind.mayRemove(current))
      await context.writer.delete(kind.resource, current, { isExact: true, signal })
    return undefined
  }
  const { host, ignored, refusals } = kind.toHost(virtual, translation)
  const desired = withDigest(host)
  // Said once for each version of the copy, not at every look.
  if (!hasDigestOf(desired, current)) tell(kind, context, virtual, { ignored, refusals })
  if (refusals.length > 0) return undefined
  try {
    const there = current ?? (await createOrRead(kind, context, desired, signal))
    if (there === undefined) return { requeueAfterMs: 1_000 }
    if (!isOwned(there, planeUid, identityFor(kind.kind, virtual)))
      return blocked(kind, context, virtual, there)
    const { written, waitMs } = await keepEqual(kind, context, { current: there, desired, signal })
    await kind.toVirtual?.(written, virtual)
    return waitMs === 0 ? undefined : { requeueAfterMs: waitMs }
  } catch (error) {
    tellFailure(kind.kind, context, virtual, error)
    throw error
  }
}

/** The new copy, or what has its name already; undefined when that went away meanwhile. */
async function createOrRead<T extends AnyObject>(
  kind: MirrorKind<T>,
  { writer }: SyncContext,
  desired: T,
  signal: AbortSignal,
): Promise<T | undefined> {
  return (
    (await writer.create(kind.resource, desired, signal)) ??
    (await writer.read(kind.resource, desired.metadata.name ?? '', signal))
  )
}

async function keepEqual<T extends AnyObject>(
  kind: Mirrored<T>,
  { writer }: SyncContext,
  { current, desired, signal }: { readonly current: T; readonly desired: T; readonly signal: AbortSignal },
): Promise<{ readonly written: T; readonly waitMs: number }> {
  if (current.metadata.deletionTimestamp !== undefined) return { written: current, waitMs: 0 }
  const merged = kind.merge(current, desired)
  const next = { ...merged, metadata: mergeMetadata(current.metadata, desired.metadata) }
  if (isSameJson(next, current)) return { written: current, waitMs: 0 }
  // The tenant's changes go out at once; what somebody changed on the host is put right at leisure.
  const waitMs = hasDigestOf(desired, current) ? kind.corrections.waitMs(current.metadata) : 0
  if (waitMs > 0) return { written: current, waitMs }
  return { written: await writer.update(kind.resource, next, signal), waitMs: 0 }
}

function hasDigestOf(desired: AnyObject, current: AnyObject | undefined): boolean {
  const digest = desired.metadata.annotations?.[digestAnnotation]
  return current?.metadata.annotations?.[digestAnnotation] === digest
}

/** Ours replace ours; what others put on the copy stays. */
export function mergeMetadata(current: ObjectMeta, desired: ObjectMeta): ObjectMeta {
  return {
    ...current,
    labels: { ...foreign(current.labels), ...desired.labels },
    annotations: { ...foreign(current.annotations), ...desired.annotations },
  }
}

function foreign(map: Readonly<Record<string, string>> | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !isOwnKey(key)))
}

/** Marks a host object with a digest of itself. */
export function withDigest<T extends AnyObject>(host: T): T {
  const digest = digestOf(host)
  const { metadata } = host
  return {
    ...host,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [digestAnnotation]: digest } },
  }
}

const leaving: MirrorResult = { requeueAfterMs: 5_000, isBlocked: true }

/** The copy of an earlier object of this name, which is being deleted. */
function isOnItsWayOut({ world, translation }: SyncContext, there: AnyObject | undefined): boolean {
  if (there === undefined) return false
  const found = identityOf(there, translation().owner.planeUid)
  return found !== undefined && world.virtual.tombstones.get('', found.uid) !== undefined
}

/** Something that is not this object's copy has its name: it is never touched. */
export function blocked(
  { kind }: { readonly kind: string },
  context: SyncContext,
  virtual: AnyObject,
  there: AnyObject,
): MirrorResult {
  if (isOnItsWayOut(context, there)) return leaving
  context.recorder.record({
    object: { apiVersion: 'v1', kind, metadata: virtual.metadata },
    type: 'Warning',
    reason: 'NameTakenOnHost',
    message:
      'The host has an object of the name that belongs to this one, and it is not its copy; it is left alone.',
  })
  context.log.warn('a foreign object has the name of a copy', { kind, name: there.metadata.name ?? '' })
  return { requeueAfterMs: blockedRetryMs, isBlocked: true }
}

function tell<T extends AnyObject>(
  { kind }: MirrorKind<T>,
  { recorder }: SyncContext,
  virtual: T,
  { ignored, refusals }: Pick<Translation<T>, 'ignored' | 'refusals'>,
): void {
  const object = { apiVersion: 'v1', kind, metadata: virtual.metadata }
  if (ignored.length > 0) recorder.record({ object, ...notEnforced(ignored) })
  if (refusals.length > 0)
    recorder.record({ object, type: 'Warning', reason: 'RefusedOnHost', message: refusals.join('; ') })
}

export const notEnforced = (ignored: readonly string[]) => ({
  type: 'Warning' as const,
  reason: 'NotEnforcedOnHost',
  message: `Without effect on this host: ${ignored.join('; ')}`,
})

/** What the host refused, in the tenant's words. Conflicts and interruptions are daily business. */
export function tellFailure(kind: string, context: SyncContext, virtual: AnyObject, error: unknown): void {
  if (!(error instanceof ApiError) || ![400, 403, 422].includes(error.code)) return
  const scrub = createScrub(
    context.translation().owner,
    virtual.metadata.namespace ?? '',
    itself(kind, virtual),
  )
  context.recorder.record({
    object: { apiVersion: 'v1', kind, metadata: virtual.metadata },
    type: 'Warning',
    reason: 'RefusedByHost',
    message: scrub(error.message),
  })
}
