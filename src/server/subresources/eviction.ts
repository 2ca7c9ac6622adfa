// pods/eviction: a delete that asks the disruption budgets first, and tells the pod why it goes.
// Upstream: pkg/registry/core/pod/storage/eviction.go. The budgets' answer is disruption-budgets.ts's.

import type { Answer } from '../../api/contracts.ts'
import type { Pod } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { ApiError, badRequest, conflict, notFound, type Status, timeout } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { formatTime } from '../../api/time.ts'
import { requireBody } from '../objects/check.ts'
import { deleteObject } from '../objects/delete.ts'
import { named, type Spine, type Target } from '../spine.ts'
import { budgetsOf, charge, manyBudgets, notCounted, sparesUnready } from './disruption-budgets.ts'

const attemptsMax = 20

type DeleteOptions = {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: string
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
  readonly dryRun?: readonly string[]
}

/** One request: what the caller asked of the delete that follows. */
interface Asked {
  readonly options: DeleteOptions
  readonly isDryRun: boolean
}

export async function evictPod(spine: Spine, target: Target): Promise<Answer> {
  const eviction = requireBody(target)
  const { call, warnings } = target
  if (eviction.metadata?.name !== call.name) {
    throw badRequest('name in URL does not match name in Eviction object')
  }
  const options = (eviction['deleteOptions'] ?? {}) as DeleteOptions
  const isDryRun = call.options.dryRun === true || options.dryRun?.includes('All') === true
  const asked = { options, isDryRun }
  const refused = (await evictUncounted(spine, target, asked)) ? undefined : await evict(spine, target, asked)
  const status = refused ?? success
  return { type: 'status', code: 201, status, warnings }
}

const success: Status = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Success', code: 201 }

/** Pods that no budget counts go at once. False when the pod is one that the budgets are asked about. */
async function evictUncounted(spine: Spine, target: Target, asked: Asked): Promise<boolean> {
  const isPinned = asked.options.preconditions?.resourceVersion !== undefined
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const pod = readPod(spine, target)
    if (!isUncounted(pod.object as Pod)) return false
    try {
      // One that may become ready meanwhile goes only as it was seen.
      const isOver = isEnded(pod.object as Pod)
      await remove(spine, target, isOver || isPinned ? asked : pinned(asked, pod))
      return true
    } catch (error) {
      if (isPinned || !isConflict(error)) throw error
    }
  }
  throw timeout(`pods "${target.call.name}": too many writes at once; try again`, 1)
}

/** A Status that refuses when the pod has too many budgets. */
async function evict(spine: Spine, target: Target, asked: Asked): Promise<Status | undefined> {
  const pod = readPod(spine, target)
  const budgets = budgetsOf(spine, pod.object)
  const [name] = budgets
  if (budgets.length > 1) {
    return {
      apiVersion: 'v1',
      kind: 'Status',
      metadata: {},
      status: 'Failure',
      message: manyBudgets,
      code: 500,
    }
  }
  if (name === undefined) {
    await remove(spine, target, asked)
    return undefined
  }
  const isSpared = !isReady(pod.object as Pod) && sparesUnready(spine, pod.object, name)
  if (!isSpared) {
    await charge(spine, pod.object, { name, isDryRun: asked.isDryRun })
    await remove(spine, target, asked)
    return undefined
  }
  try {
    await remove(spine, target, pinned(asked, pod))
  } catch (error) {
    if (isConflict(error) && asked.options.preconditions?.resourceVersion === undefined)
      throw notCounted(name)
    throw error
  }
  return undefined
}

function readPod(spine: Spine, { call, kind }: Target): StoredObject {
  const pod = spine.catalog.get(kind, call.namespace, call.name)
  if (pod === undefined) throw notFound(named(kind), call.name)
  return pod
}

function isEnded({ metadata, status }: Pod): boolean {
  const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed'
  return isOver || metadata.deletionTimestamp !== undefined
}

const isUncounted = (pod: Pod): boolean => isEnded(pod) || pod.status?.phase === 'Pending'

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: state }) => type === 'Ready' && state === 'True') === true

const isConflict = (error: unknown): boolean => error instanceof ApiError && error.code === 409

function pinned(asked: Asked, pod: StoredObject): Asked {
  const preconditions = { ...asked.options.preconditions, resourceVersion: String(pod.revision) }
  return { ...asked, options: { ...asked.options, preconditions } }
}

async function remove(spine: Spine, target: Target, { options, isDryRun }: Asked): Promise<void> {
  const { call } = target
  const revision = isDryRun ? undefined : await markTarget(spine, target, options.preconditions)
  const preconditions =
    options.preconditions?.resourceVersion === undefined || revision === undefined
      ? options.preconditions
      : { ...options.preconditions, resourceVersion: String(revision) }
  const asked = {
    ...call.options,
    dryRun: isDryRun,
    gracePeriodSeconds: options.gracePeriodSeconds,
    propagationPolicy: options.propagationPolicy as typeof call.options.propagationPolicy,
    preconditions,
  }
  const deletion = { ...call, verb: 'delete' as const, subresource: '', options: asked }
  await deleteObject(spine, { ...target, subresource: undefined, call: deletion })
}

/** Tells in the pod that it is evicted; job policies look for it. Answers the revision that says so. */
async function markTarget(
  spine: Spine,
  target: Target,
  preconditions: DeleteOptions['preconditions'],
): Promise<number> {
  const { call, kind } = target
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const pod = readPod(spine, target)
    checkPreconditions(pod, preconditions)
    const marked = withTargetCondition(pod.object, formatTime(spine.clock.now()))
    const result = await spine.catalog.put(kind, marked, pod.revision)
    if (result.ok) return result.stored.revision
  }
  throw timeout(`pods "${call.name}": too many writes at once; try again`, 1)
}

function checkPreconditions(pod: StoredObject, preconditions: DeleteOptions['preconditions']): void {
  const { uid = '', resourceVersion = '' } = preconditions ?? {}
  const about = { group: '', resource: 'Pod' }
  const { name } = pod.header
  if (uid !== '' && uid !== pod.header.uid) {
    const text = `the UID in the precondition (${uid}) does not match the UID in record (${pod.header.uid}). The object might have been deleted and then recreated`
    throw conflict(about, name, text)
  }
  if (resourceVersion !== '' && resourceVersion !== String(pod.revision)) {
    const text = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${pod.revision}). The object might have been modified`
    throw conflict(about, name, text)
  }
}

function withTargetCondition(pod: KubeObject, now: string): KubeObject {
  const { status } = pod as Pod & KubeObject
  const others = (status?.conditions ?? []).filter(({ type }) => type !== 'DisruptionTarget')
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastProbeTime: null,
    lastTransitionTime: now,
  }
  return { ...pod, status: { ...status, conditions: [...others, condition] } } as unknown as KubeObject
}
