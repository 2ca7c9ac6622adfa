// Removes events an hour after they were last heard of.
// Upstream gives them a lease in the store; ours has none, so a loop does it.

import type { Event } from '../../api/models.ts'
import { isNotFound } from '../../client/failures.ts'
import { splitKey } from '../../client/objects.ts'
import { events } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'

export const lifetimeMs = 3_600_000

export function startEventExpiry({ clientFor, control, informers, clock }: Context): Controller {
  // No controller of upstream's has this job; the garbage collector may delete anything.
  const client = clientFor('generic-garbage-collector')
  const known = informers.of(events)
  return control({
    name: 'event-expiry',
    sources: [fromInformer(known)],
    reconcile: async (key, { signal }) => {
      const event = known.version(key)?.object
      if (event === undefined) return undefined
      const leftMs = heardMs(event) + lifetimeMs - clock.now()
      if (leftMs > 0) return { requeueAfterMs: leftMs }
      const { uid, resourceVersion } = event.metadata
      try {
        await client.delete(events, splitKey(key), { preconditions: { uid, resourceVersion }, signal })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
      return undefined
    },
  })
}

/** The latest time that the event itself tells. */
export function heardMs({ metadata, series, lastTimestamp, firstTimestamp, eventTime }: Event): number {
  const times = [
    series?.lastObservedTime,
    lastTimestamp,
    firstTimestamp,
    eventTime,
    metadata.creationTimestamp,
  ]
  return Math.max(0, ...times.map((time) => Date.parse(time ?? '')).filter((time) => !Number.isNaN(time)))
}
