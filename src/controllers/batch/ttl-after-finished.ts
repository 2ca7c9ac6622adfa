// Removes finished jobs when their time to live is over, their pods with them.
// Upstream: pkg/controller/ttlafterfinished.

import type { Job } from '../../api/models.ts'
import { isNotFound } from '../../client/failures.ts'
import { splitKey } from '../../client/objects.ts'
import { jobs as jobResource } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import { finishedCondition } from './job-pods.ts'

const name = 'ttl-after-finished-controller'

export function startTtlAfterFinished({ clientFor, control, informers, clock }: Context): Controller {
  const client = clientFor(name)
  const jobs = informers.of(jobResource)
  return control({
    name,
    sources: [fromInformer(jobs)],
    reconcile: async (key, { signal }) => {
      const job = jobs.version(key)?.object
      const atMs = job === undefined ? undefined : expiresAtMs(job)
      if (atMs === undefined) return undefined
      if (atMs > clock.now()) return { requeueAfterMs: atMs - clock.now() }
      // The time to live may have been raised a moment ago: the job as it is now decides.
      const live = await client.get(jobResource, splitKey(key), { signal })
      const liveMs = live === undefined ? undefined : expiresAtMs(live)
      if (live === undefined || liveMs === undefined) return undefined
      if (liveMs > clock.now()) return { requeueAfterMs: liveMs - clock.now() }
      const { uid, resourceVersion } = live.metadata
      await client
        .delete(jobResource, splitKey(key), {
          propagationPolicy: 'Foreground',
          preconditions: { uid, resourceVersion },
          signal,
        })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
      return undefined
    },
  })
}

/** Undefined for a job that is to stay, still runs, or goes already. */
export function expiresAtMs({ metadata, spec, status }: Job): number | undefined {
  const seconds = spec?.ttlSecondsAfterFinished
  const finished = finishedCondition(status?.conditions)
  if (seconds === undefined || finished === undefined || metadata.deletionTimestamp !== undefined)
    return undefined
  const finishedMs = Date.parse(finished.lastTransitionTime ?? '')
  return Number.isNaN(finishedMs) ? undefined : finishedMs + seconds * 1000
}
