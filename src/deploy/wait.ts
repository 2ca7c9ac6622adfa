// Waits until a release is what was asked for, and tells what keeps it: from the root ConfigMap and the plane's pod.
// Polls, because what is waited for spans objects whose watches would each have to be kept alive.

import type { Pod } from '../api/models.ts'
import type { Client, SignalOption } from '../client/client.ts'
import { configMaps, pods } from '../client/resources.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { type ReleaseStatus, readStatus } from './pointer.ts'
import { namesOf } from './release-names.ts'

export interface WaitOptions extends SignalOption {
  readonly host: Client
  readonly namespace: string
  readonly release: string
  readonly generation: number
  readonly timeoutMs: number
  readonly clock?: Clock | undefined
  /** Told whenever it changes. */
  readonly onProgress?: ((message: string) => void) | undefined
}

export interface WaitResult {
  readonly isReady: boolean
  /** It will not become ready as it is. */
  readonly isFailed: boolean
  /** Why it is not, or what it is. */
  readonly message: string
  readonly status: ReleaseStatus | undefined
}

const pollMs = 250

/** Resolves when it is ready, when it failed for good, or when the time is over. */
export async function waitForRelease(options: WaitOptions): Promise<WaitResult> {
  const { host, namespace, release, generation, timeoutMs, clock = systemClock, onProgress, signal } = options
  const names = namesOf(release)
  const endMs = clock.monotonic() + timeoutMs
  let said = ''
  for (;;) {
    const root = await host.get(configMaps, { namespace, name: names.root }, { signal })
    const status = readStatus(root?.data)
    const isCurrent = status !== undefined && status.generation >= generation
    const pod = await host.get(pods, { namespace, name: names.pod }, { signal })
    // The Service leads to the plane only once the host has seen its pod ready, a probe later than the release says so.
    if (isCurrent && status.phase === 'Ready' && isServing(pod))
      return { isReady: true, isFailed: false, message: status.message, status }
    // Other failures are tried again by the plane.
    if (isCurrent && status.phase === 'Failed' && status.reason === 'Refused')
      return { isReady: false, isFailed: true, message: describeStatus(status), status }
    const isWaitingForPod = !isCurrent || status.phase === 'Ready'
    const message = isWaitingForPod ? describePod(names.pod, pod) : describeStatus(status)
    if (message !== said) onProgress?.(message)
    said = message
    if (clock.monotonic() >= endMs) return { isReady: false, isFailed: false, message, status }
    await clock.sleep(pollMs, { signal })
  }
}

const isServing = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

export function describeStatus({ message, notReady, objects }: ReleaseStatus): string {
  const counted = objects.total === 0 ? '' : ` (${objects.ready} of ${objects.total} objects ready)`
  const why = notReady.length === 0 ? '' : `: ${notReady.slice(0, 3).join('; ')}`
  return `${message}${counted}${why}`
}

/** What a person wants to know of a pod that should serve and does not. */
export function describePod(name: string, pod: Pod | undefined): string {
  if (pod === undefined) return `pod ${name} is not there yet`
  for (const { state, lastState } of pod.status?.containerStatuses ?? []) {
    if (state?.waiting !== undefined) {
      const { reason = 'waiting', message } = state.waiting
      const last = lastState?.terminated
      const ended = last === undefined ? '' : `, last exit code ${last.exitCode}`
      return `pod ${name}: ${reason}${message === undefined ? '' : `: ${message}`}${ended}`
    }
    if (state?.terminated !== undefined)
      return `pod ${name}: its container ended with ${state.terminated.exitCode}`
  }
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False')
    return `pod ${name} is not scheduled: ${scheduled.message ?? scheduled.reason}`
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  return ready?.status === 'True'
    ? `pod ${name} serves; the release begins`
    : `pod ${name} is ${pod.status?.phase ?? 'Pending'}`
}
