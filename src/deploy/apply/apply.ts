// Brings a package's objects into a plane: in order, again and again until each is taken, then waits until all are ready,
// then removes what the release no longer has. Level-based: an interrupted run is repeated, never resumed by memory.

import type { KubeObject } from '../../api/object.ts'
import type { Client } from '../../client/client.ts'
import { applyOrder } from '../../packages/order.ts'
import { backoffDelayMs } from '../../platform/backoff.ts'
import { type Clock, systemClock } from '../../platform/clock.ts'
import { type Logger, silentLogger } from '../../platform/log.ts'
import { type Random, systemRandom } from '../../platform/random.ts'
import { type Attempt, applyOne, comingFrom, placed } from './attempt.ts'
import { describeKey, type InventoryStore, keyOf, mergeKeys, type ObjectKey } from './inventory.ts'
import { type Pruned, planPrune, prune } from './prune.ts'
import type { FindResource } from './served.ts'
import { type JudgeHealth, type Pending, waitUntilCurrent } from './wait.ts'

export interface ApplyPackageOptions {
  /** An administrator of the plane. */
  readonly client: Client
  readonly findResource: FindResource
  /** At least one: an empty package is an accident, and would prune everything. */
  readonly objects: readonly KubeObject[]
  readonly release: string
  readonly inventory: InventoryStore
  readonly judgeHealth?: JudgeHealth | undefined
  /** Objects that are only tried, by a dry run: a proof asks for it. */
  readonly isTrial?: ((object: KubeObject) => boolean) | undefined
  readonly fieldManager?: string | undefined
  /** For applying and for waiting, each. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly log?: Logger | undefined
  readonly onProgress?: ((progress: ApplyProgress) => void) | undefined
}

export interface ApplyProgress {
  readonly phase: 'apply' | 'wait' | 'prune'
  readonly done: number
  readonly total: number
  /** What is waited for, a sentence each: `Deployment shop/web: 0 of 1 replicas are ready`. */
  readonly waitingFor: readonly string[]
}

export interface Refusal {
  readonly key: ObjectKey
  readonly message: string
  readonly field?: string | undefined
}

/** Refusals and what is not ready are answers, not errors. Nothing is pruned unless all is ready. */
export interface ApplyReport {
  readonly state: 'ready' | 'refused' | 'not-ready'
  readonly applied: readonly ObjectKey[]
  readonly refused: readonly Refusal[]
  readonly notReady: readonly Pending[]
  readonly pruned: Pruned
}

export const fieldManagerOfReleases = 'k3v'

/** Rejects when the signal is aborted, and when the plane cannot be asked at all. */
export async function applyPackage(options: ApplyPackageOptions): Promise<ApplyReport> {
  const { client, findResource, release, inventory, clock = systemClock, log = silentLogger } = options
  const { signal = new AbortController().signal, timeoutMs = 300_000, onProgress } = options
  if (options.objects.length === 0)
    throw new Error('a package without objects is not applied: nothing would be left of the release')
  const before = (await inventory.load({ signal })) ?? []
  const wanted = options.objects.map(keyOf)
  await inventory.save(mergeKeys(before, wanted), { signal })

  const { applied, refused } = await applyAll({ ...options, clock, log, signal, timeoutMs })
  const nothingPruned: Pruned = { removed: [], kept: [] }
  if (refused.length > 0) return { state: 'refused', applied, refused, notReady: [], pruned: nothingPruned }

  const notReady = await waitUntilCurrent({
    client,
    findResource,
    keys: applied,
    judgeHealth: options.judgeHealth,
    timeoutMs,
    clock,
    signal,
    onProgress: (done, pending) =>
      onProgress?.({ phase: 'wait', done, total: applied.length, waitingFor: pending.map(describePending) }),
  })
  if (notReady.length > 0) return { state: 'not-ready', applied, refused, notReady, pruned: nothingPruned }

  const surplus = planPrune(before, applied)
  onProgress?.({ phase: 'prune', done: 0, total: surplus.length, waitingFor: [] })
  const pruned = await prune(surplus, { client, findResource, release, signal })
  await inventory.save(applied, { signal })
  log.info('a release is ready', { release, applied: applied.length, removed: pruned.removed.length })
  return { state: 'ready', applied, refused, notReady, pruned }
}

export const describePending = ({ key, verdict }: Pending): string =>
  `${describeKey(key)}: ${verdict.message}`

const retryFirstMs = 50
const retryMaxMs = 2_000

type Settled = Omit<ApplyPackageOptions, 'inventory'> & {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export interface Applied {
  /** With the namespaces they really have. */
  readonly applied: readonly ObjectKey[]
  readonly refused: readonly Refusal[]
}

/** Rounds over what is left, in order, until nothing is: an object may need one that stands after it. */
export async function applyAll(options: Settled): Promise<Applied> {
  const { clock, signal, timeoutMs, onProgress, random = systemRandom } = options
  const attempt: Attempt = {
    client: options.client,
    findResource: options.findResource,
    release: options.release,
    fieldManager: options.fieldManager ?? fieldManagerOfReleases,
    isTrial: options.isTrial,
    comes: comingFrom(options.objects),
    signal,
  }
  const startedMs = clock.monotonic()
  const applied: ObjectKey[] = []
  const refused: Refusal[] = []
  let left = applyOrder(options.objects, (object) => object)
  for (let idleRounds = 0; ; ) {
    const later: { readonly object: KubeObject; readonly message: string }[] = []
    for (const object of left) {
      const outcome = await applyOne(object, attempt)
      if (outcome.type === 'applied') applied.push(keyWhereLives(object, attempt))
      if (outcome.type === 'refused') {
        refused.push({ key: keyOf(object), message: outcome.message, field: outcome.field })
      }
      if (outcome.type === 'later') later.push({ object, message: outcome.message })
      const waitingFor = later.map(
        ({ object: waiting, message }) => `${describeKey(keyOf(waiting))}: ${message}`,
      )
      onProgress?.({ phase: 'apply', done: applied.length, total: options.objects.length, waitingFor })
    }
    if (later.length === 0) return { applied, refused }
    // A refusal ends it: what waits may well wait for the refused one.
    if (refused.length > 0) return { applied, refused }
    if (clock.monotonic() - startedMs >= timeoutMs) {
      return { applied, refused: later.map(({ object, message }) => ({ key: keyOf(object), message })) }
    }
    idleRounds = later.length < left.length ? 0 : idleRounds + 1
    left = later.map(({ object }) => object)
    await clock.sleep(
      backoffDelayMs({ attempt: idleRounds, baseMs: retryFirstMs, maxMs: retryMaxMs, random }),
      { signal },
    )
  }
}

function keyWhereLives(object: KubeObject, { findResource }: Attempt): ObjectKey {
  const resource = findResource(object.apiVersion ?? '', object.kind ?? '')
  return keyOf(resource === undefined ? object : placed(object, resource))
}
