// What the job controller does to pods: makes them, deletes them, lets them go; each told as an event.
// Which pods is decided in job-plan.ts and job-tracking.ts.

import type { Job, Pod } from '../../api/models.ts'
import type { Client } from '../../client/client.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/failures.ts'
import { keyOf } from '../../client/objects.ts'
import type { Occurrence, Recorder } from '../../client/recorder.ts'
import { pods as podResource } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Expectations } from '../workloads/expectations.ts'
import { slowStart } from '../workloads/slow-start.ts'
import { jobKind, jobPod, trackingFinalizer } from './job-pods.ts'

export interface JobActionsOptions {
  readonly client: Client
  readonly recorder: Recorder
  readonly madePods: Expectations<Pod>
  readonly clock: Clock
  readonly job: Job
  readonly key: string
  /** Gets the uids of pods whose finalizer is taken off. */
  readonly released: Set<string>
  readonly signal: AbortSignal
}

export class JobActions {
  readonly #options: JobActionsOptions

  constructor(options: JobActionsOptions) {
    this.#options = options
  }

  nowMs(): number {
    return this.#options.clock.now()
  }

  tell(type: Occurrence['type'], reason: string, message: string): void {
    const { recorder, job } = this.#options
    recorder.record({ object: { ...jobKind, metadata: job.metadata }, type, reason, message })
  }

  async make(
    indexes: readonly (number | undefined)[],
    replaced: ReadonlyMap<number, Pod>,
  ): Promise<{ readonly made: number; readonly error?: unknown }> {
    const { client, job, key, madePods, signal } = this.#options
    const left = indexes.values()
    let made = 0
    try {
      await slowStart(indexes.length, async () => {
        const index = left.next().value
        const wanted = jobPod(job, index, index === undefined ? undefined : replaced.get(index))
        try {
          const pod = await client.create(podResource, wanted, { signal })
          made += 1
          madePods.expectMade(key, pod)
          this.tell('Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
        } catch (error) {
          if (isNamespaceTerminating(error)) return
          this.tell('Warning', 'FailedCreate', `Error creating: ${textOf(error)}`)
          throw error
        }
      })
      return { made }
    } catch (error) {
      return { made, error }
    }
  }

  /** Deletes pods. Those that do not count as ended lose their finalizer before. Answers the uids that go. */
  async remove(
    pods: readonly Pod[],
    { isCounted }: { readonly isCounted: boolean },
  ): Promise<{ readonly gone: ReadonlySet<string>; readonly error?: unknown }> {
    const gone = new Set<string>()
    const results = await Promise.allSettled(
      pods.map(async (pod) => {
        if (!isCounted) await this.#takeFinalizer(pod)
        await this.#delete(pod)
        gone.add(pod.metadata.uid ?? '')
      }),
    )
    const failed = results.find((result) => result.status === 'rejected')
    return failed === undefined ? { gone } : { gone, error: failed.reason }
  }

  /** Takes the finalizer off pods that are counted; answers the first failure. */
  async release(pods: readonly Pod[]): Promise<unknown> {
    const results = await Promise.allSettled(pods.map((pod) => this.#takeFinalizer(pod)))
    return results.find((result) => result.status === 'rejected')?.reason
  }

  async #takeFinalizer(pod: Pod): Promise<void> {
    await takeTrackingFinalizer(this.#options.client, pod, this.#options.signal)
    this.#options.released.add(pod.metadata.uid ?? '')
  }

  async #delete(pod: Pod): Promise<void> {
    const { client, key, madePods, signal } = this.#options
    const { namespace, name = '', uid = '' } = pod.metadata
    try {
      await client.delete(podResource, { namespace, name }, { preconditions: { uid }, signal })
      madePods.expectRemoved(key, keyOf(pod.metadata), uid)
      this.tell('Normal', 'SuccessfulDelete', `Deleted pod: ${name}`)
    } catch (error) {
      if (isNotFound(error)) return
      this.tell('Warning', 'FailedDelete', `Error deleting: ${textOf(error)}`)
      throw error
    }
  }
}

/** Nothing else of the pod is written, whatever has changed meanwhile. */
export async function takeTrackingFinalizer(client: Client, pod: Pod, signal: AbortSignal): Promise<void> {
  const { namespace, name = '', uid } = pod.metadata
  const body = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } }
  try {
    await client.patch(podResource, { namespace, name }, { type: 'strategic', body, signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
