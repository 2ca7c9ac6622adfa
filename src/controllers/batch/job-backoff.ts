// How long a job waits before it makes pods again after failures: ten seconds, doubling, ten minutes at most. Pure.
// Upstream: pkg/controller/job/backoff_utils.go.

import type { Pod } from '../../api/models.ts'
import { finishedAtMs } from './job-pods.ts'

const baseMs = 10_000
const maxMs = 600_000

export interface Backoff {
  readonly failuresSinceSuccess: number
  readonly lastFailureMs: number
}

export const noBackoff: Backoff = { failuresSinceSuccess: 0, lastFailureMs: 0 }

/** What the pods that ended since the last look make of it. */
export function nextBackoff(before: Backoff, succeeded: readonly Pod[], failed: readonly Pod[]): Backoff {
  const failures = failed.map(finishedAtMs)
  if (succeeded.length === 0) {
    if (failures.length === 0) return before
    return {
      failuresSinceSuccess: before.failuresSinceSuccess + failures.length,
      lastFailureMs: Math.max(...failures),
    }
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedAtMs))
  const later = failures.filter((failureMs) => failureMs > lastSuccessMs)
  if (later.length === 0) return noBackoff
  return { failuresSinceSuccess: later.length, lastFailureMs: Math.max(...later) }
}

export function backoffLeftMs({ failuresSinceSuccess, lastFailureMs }: Backoff, nowMs: number): number {
  if (failuresSinceSuccess === 0) return 0
  const waitMs = Math.min(maxMs, baseMs * 2 ** Math.min(failuresSinceSuccess - 1, 10))
  return Math.max(0, lastFailureMs + waitMs - nowMs)
}
