// THE SPINE: create, update and patch of an object, each step one line.
// What a step knows stands elsewhere: kinds, admission, api/patch, api/apply; subresources come in with a `change`.

import type { Answer } from '../../api/contracts.ts'
import type { KubeObject } from '../../api/object.ts'
import { alreadyExists, conflict, notFound, objectModified } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { isWrittenSame } from '../../api/value.ts'
import { admissionRequest, named, type Spine, type Target } from '../spine.ts'
import { applySubmitted, patchSubmitted } from './change.ts'
import { checkCreate, checkUpdate, normalise, requireBody, warn } from './check.ts'
import { removeNow, shouldRemove } from './delete.ts'
import { recordManager } from './managed.ts'
import {
  checkPreconditions,
  keepSystemFields,
  nextGeneration,
  placedInUrl,
  readyForCreate,
  withName,
} from './metadata.ts'

/** How often a name is made up before one must be free. Upstream: names.maxNameAttempts. */
const namesMax = 8
/** How often a write that names no revision is tried again when another came first; upstream knows no end. */
const attemptsMax = 100

/** From the newest object to what the caller wants it to be. `old` is undefined when there is none yet. */
export type Change = (old: StoredObject | undefined) => KubeObject

export async function createObject(spine: Spine, target: Target): Promise<Answer> {
  const submitted = normalise(target, requireBody(target))
  for (let attempt = 1; ; attempt += 1) {
    const created = await create(spine, target, submitted)
    if (created.stored !== undefined) return answer(target, 201, created.stored)
    // A generated name that was taken is no fault of the caller's. Upstream: generateName retries.
    const isGenerated = submitted.metadata.name === undefined || submitted.metadata.name === ''
    if (!isGenerated || attempt >= namesMax) throw alreadyExists(named(target.kind), created.name)
  }
}

export async function updateObject(spine: Spine, target: Target): Promise<Answer> {
  const submitted = normalise(target, requireBody(target))
  return writeChange(spine, target, {
    change: () => submitted,
    mayCreate: target.kind.allowsCreateOnUpdate,
    isUpdate: true,
  })
}

export async function patchObject(spine: Spine, target: Target): Promise<Answer> {
  const isApply = target.call.patch?.type === 'apply'
  const change: Change = isApply
    ? (old) => normalise(target, applySubmitted(spine, target, old))
    : (old) => normalise(target, patchSubmitted(target, old))
  return writeChange(spine, target, {
    change,
    mayCreate: isApply && target.subresource === undefined,
    isApply,
  })
}

export interface WriteOptions {
  readonly change: Change
  readonly mayCreate?: boolean
  /** The caller replaces the whole object, so its resourceVersion must be there for kinds that ask it. */
  readonly isUpdate?: boolean
  /** The change has recorded its manager already. */
  readonly isApply?: boolean
}

/** Applies a change to the newest object until nobody was quicker. */
export async function writeChange(spine: Spine, target: Target, options: WriteOptions): Promise<Answer> {
  const { call, kind } = target
  const first = await attempt(spine, target, options)
  if (first !== undefined) return first
  return spine.turns.take(spine.catalog.key(kind, call.namespace, call.name), async () => {
    for (let tried = 1; tried < attemptsMax && !call.signal.aborted; tried += 1) {
      const written = await attempt(spine, target, options)
      if (written !== undefined) return written
    }
    throw conflict(named(kind), call.name, objectModified)
  })
}

/** Undefined when another write came first and the caller named no revision. */
async function attempt(spine: Spine, target: Target, options: WriteOptions): Promise<Answer | undefined> {
  const { call, kind } = target
  const old = spine.catalog.get(kind, call.namespace, call.name)
  if (old === undefined) {
    if (options.mayCreate !== true) throw notFound(named(kind), call.name)
    const { stored } = await create(spine, target, options.change(undefined), options)
    return stored === undefined ? undefined : answer(target, 201, stored)
  }
  const submitted = options.change(old)
  checkPreconditions(target, submitted, old, options)
  const written = await replace(spine, target, { submitted, old, options })
  if (written !== undefined) return answer(target, 200, written)
  if (hasRevision(submitted)) throw conflict(named(kind), call.name, objectModified)
  return undefined
}

const hasRevision = ({ metadata }: KubeObject): boolean => !['', '0'].includes(metadata.resourceVersion ?? '')

const answer = (target: Target, code: 200 | 201, object: KubeObject | StoredObject): Answer => ({
  type: 'object',
  code,
  served: target.kind,
  object,
  warnings: target.warnings,
})

interface Created {
  readonly name: string
  /** Undefined when the name is taken. */
  readonly stored: KubeObject | StoredObject | undefined
}

async function create(
  spine: Spine,
  target: Target,
  submitted: KubeObject,
  options: { readonly isApply?: boolean } = {},
): Promise<Created> {
  const { kind, call } = target
  const isDryRun = call.options.dryRun === true
  const placed = placedInUrl(target, submitted)
  const admitted = await spine.admission.mutate(
    admissionRequest(target, 'CREATE', { object: kind.defaults(kind.prepareCreate(placed)), old: undefined }),
  )
  // Name and identity come after mutating admission, as upstream: a refusal names the prefix, not a name never used.
  const ready = readyForCreate(spine, target, withName(spine, admitted))
  const defaulted = kind.prepareCreate(kind.defaults(ready))
  checkCreate(target, defaulted)
  warn(target, defaulted, undefined)
  await spine.admission.validate(admissionRequest(target, 'CREATE', { object: defaulted, old: undefined }))
  const name = defaulted.metadata.name ?? ''
  if (spine.catalog.get(kind, call.namespace, name) !== undefined) return { name, stored: undefined }
  const reservation = await spine.allocator.allocate({
    object: defaulted,
    old: undefined,
    resource: named(kind),
    isDryRun,
  })
  try {
    const whole =
      options.isApply === true
        ? reservation.object
        : recordManager(spine, target, { live: undefined, next: reservation.object })
    if (isDryRun) return releasing(reservation, { name, stored: whole })
    const result = await spine.catalog.put(kind, whole, 0)
    if (!result.ok) return releasing(reservation, { name, stored: undefined })
    reservation.confirm()
    return { name, stored: result.stored }
  } catch (error) {
    reservation.release()
    throw error
  }
}

function releasing<T>(reservation: { release: () => void }, value: T): T {
  reservation.release()
  return value
}

interface Replacement {
  readonly submitted: KubeObject
  readonly old: StoredObject
  readonly options: WriteOptions
}

/** Undefined when another write came first. */
async function replace(
  spine: Spine,
  target: Target,
  { submitted, old, options }: Replacement,
): Promise<KubeObject | StoredObject | undefined> {
  const { kind, call, subresource } = target
  const isDryRun = call.options.dryRun === true
  const before = old.object
  const kept = keepSystemFields(submitted, before)
  const prepared =
    subresource?.merge === undefined ? kind.prepareUpdate(kept, before) : subresource.merge(kept, before)
  const defaulted = kind.defaults(prepared)
  const admitted = await spine.admission.mutate(
    admissionRequest(target, 'UPDATE', { object: defaulted, old: before }),
  )
  const generation = nextGeneration(kind, kind.defaults(admitted), before)
  checkUpdate(target, generation, before)
  warn(target, generation, before)
  await spine.admission.validate(admissionRequest(target, 'UPDATE', { object: generation, old: before }))
  const managed =
    options.isApply === true ? generation : recordManager(spine, target, { live: before, next: generation })
  // A write that changes nothing makes no revision and no event.
  if (isWrittenSame(managed, before)) return old
  if (shouldRemove(kind, managed)) {
    if (isDryRun) return managed
    return (await removeNow(spine, target, old)) ? managed : undefined
  }
  const reservation = await spine.allocator.allocate({
    object: managed,
    old: before,
    resource: named(kind),
    isDryRun,
  })
  try {
    if (isDryRun) return releasing(reservation, reservation.object)
    const result = await spine.catalog.put(kind, reservation.object, old.revision)
    if (!result.ok) return releasing(reservation, undefined)
    reservation.confirm()
    return result.stored
  } catch (error) {
    reservation.release()
    throw error
  }
}
