// Waits until objects are as their specs want them, and says all the while which are not and why.
// The judgement is status/'s; this file asks again until the answer is good, the time is up, or nobody waits any more.

import type { KubeObject } from '../../api/object.ts'
import { ApiError } from '../../api/status.ts'
import type { Client } from '../../client/client.ts'
import type { Clock } from '../../platform/clock.ts'
import { judge } from '../status/additions.ts'
import { notFound, unknown, type Verdict } from '../status/verdict.ts'
import type { ObjectKey } from './inventory.ts'
import type { FindResource } from './served.ts'

/** A package's own health rule for one object; undefined when it has none. */
export type JudgeHealth = (object: KubeObject) => Verdict | undefined

export interface Pending {
  readonly key: ObjectKey
  readonly verdict: Verdict
}

export interface WaitOptions {
  readonly client: Client
  readonly findResource: FindResource
  readonly keys: readonly ObjectKey[]
  readonly judgeHealth?: JudgeHealth | undefined
  readonly timeoutMs: number
  /** Ends the wait when nothing at all has changed for so long; never unless said. */
  readonly stalledAfterMs?: number | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress?: ((ready: number, pending: readonly Pending[]) => void) | undefined
}

const pollFirstMs = 50
const pollMaxMs = 1_000
/** When nothing is left but what failed, it gets this long to recover. */
const failedGraceMs = 10_000

/** What is not current in the end; empty is success. A fast answer is no proof of failure: the grace is kept. */
export async function waitUntilCurrent(options: WaitOptions): Promise<readonly Pending[]> {
  const { keys, timeoutMs, clock, signal, onProgress } = options
  const startedMs = clock.monotonic()
  let pending: readonly ObjectKey[] = keys
  const { stalledAfterMs = Number.POSITIVE_INFINITY } = options
  let allFailedSinceMs: number | undefined
  let seen = { text: '', sinceMs: startedMs }
  for (let pollMs = pollFirstMs; ; pollMs = Math.min(pollMs * 2, pollMaxMs)) {
    const judged = await Promise.all(pending.map(async (key) => ({ key, verdict: await look(key, options) })))
    let open = judged.filter(({ verdict }) => verdict.status !== 'Current')
    // What was ready once may have stopped being so while others were waited for.
    if (open.length === 0 && pending.length < keys.length) {
      const again = await Promise.all(keys.map(async (key) => ({ key, verdict: await look(key, options) })))
      open = again.filter(({ verdict }) => verdict.status !== 'Current')
    }
    onProgress?.(keys.length - open.length, open)
    if (open.length === 0) return []
    const nowMs = clock.monotonic()
    allFailedSinceMs = open.every(({ verdict }) => verdict.status === 'Failed')
      ? (allFailedSinceMs ?? nowMs)
      : undefined
    if (allFailedSinceMs !== undefined && nowMs - allFailedSinceMs >= failedGraceMs) return open
    if (nowMs - startedMs >= timeoutMs) return open
    const text = JSON.stringify(open)
    if (text !== seen.text) seen = { text, sinceMs: nowMs }
    if (nowMs - seen.sinceMs >= stalledAfterMs) return open
    pending = open.map(({ key }) => key)
    await clock.sleep(Math.min(pollMs, Math.max(1, timeoutMs - (nowMs - startedMs))), { signal })
  }
}

async function look(key: ObjectKey, options: WaitOptions): Promise<Verdict> {
  const { client, findResource, judgeHealth, clock, signal } = options
  const resource = findResource(key.apiVersion, key.kind)
  if (resource === undefined) return unknown(`${key.kind} is not served`)
  try {
    const { namespace, name } = key
    const object = (await client.get(resource, { namespace, name }, { signal })) as KubeObject | undefined
    if (object === undefined) return notFound
    const typed = { apiVersion: key.apiVersion, kind: key.kind, ...object }
    const verdict = judge(typed, { nowMs: clock.now() })
    return verdict.status === 'Current' || verdict.status === 'InProgress'
      ? (judgeHealth?.(typed) ?? verdict)
      : verdict
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof ApiError) return unknown(error.message)
    throw error
  }
}
