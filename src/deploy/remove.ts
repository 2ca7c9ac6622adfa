// Takes a release off its host: the host's garbage collector follows the root ConfigMap, and nothing else is touched.
// What a synced object is owned by, sync decided when it wrote it.

import type { AnyObject, Client, ResourceRef, SignalOption } from '../client/client.ts'
import { isNotFound } from '../client/failures.ts'
import {
  configMaps,
  persistentVolumeClaims,
  pods,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  services,
  statefulSets,
} from '../client/resources.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { namesOf, releaseLabel } from './release-names.ts'

export interface RemoveOptions extends SignalOption {
  readonly host: Client
  readonly namespace: string
  readonly release: string
  /** The claim with the plane's state stays. */
  readonly keepsData?: boolean | undefined
  readonly timeoutMs: number
  readonly clock?: Clock | undefined
  readonly onProgress?: ((message: string) => void) | undefined
}

export interface Removed {
  readonly isGone: boolean
  /** `pods/web-abc`, of what is still there. */
  readonly left: readonly string[]
  readonly keptClaim: string | undefined
}

const pollMs = 250
const ownable: readonly ResourceRef[] = [
  pods,
  statefulSets,
  services,
  secrets,
  configMaps,
  persistentVolumeClaims,
  serviceAccounts,
  roles,
  roleBindings,
]

/** Rejects when there is no such release. */
export async function removeRelease(options: RemoveOptions): Promise<Removed> {
  const {
    host,
    namespace,
    release,
    keepsData = false,
    timeoutMs,
    clock = systemClock,
    signal,
    onProgress,
  } = options
  const names = namesOf(release)
  const root = await host.get(configMaps, { namespace, name: names.root }, { signal })
  if (root === undefined || root.metadata.labels?.[releaseLabel] !== release)
    throw new Error(`there is no release ${release} in namespace ${namespace}`)
  const uid = root.metadata.uid ?? ''
  // The plane goes first: one that still runs would make again what is being removed.
  onProgress?.('stopping the control plane')
  await gone(
    host.delete(statefulSets, { namespace, name: names.root }, { propagationPolicy: 'Foreground', signal }),
  )
  const endMs = clock.monotonic() + timeoutMs
  const isPodGone = async () =>
    (await host.get(pods, { namespace, name: names.pod }, { signal })) === undefined
  while (!(await isPodGone()) && clock.monotonic() < endMs) await clock.sleep(pollMs, { signal })
  onProgress?.('removing everything that belongs to the release')
  await gone(
    host.delete(
      configMaps,
      { namespace, name: names.root },
      { propagationPolicy: 'Background', preconditions: { uid }, signal },
    ),
  )
  if (!keepsData)
    await gone(host.delete(persistentVolumeClaims, { namespace, name: names.claim }, { signal }))
  const isOwned = ({ metadata }: AnyObject): boolean =>
    metadata.ownerReferences?.some((owner) => owner.uid === uid) === true
  const isClaim = ({ metadata }: AnyObject): boolean => !keepsData && metadata.name === names.claim
  for (;;) {
    const left = await leftOf(options, (object) => isOwned(object) || isClaim(object))
    if (left.length === 0) return { isGone: true, left, keptClaim: keepsData ? names.claim : undefined }
    if (clock.monotonic() >= endMs)
      return { isGone: false, left, keptClaim: keepsData ? names.claim : undefined }
    onProgress?.(`waiting for ${left.length} objects to go: ${left.slice(0, 3).join(', ')}`)
    await clock.sleep(pollMs, { signal })
  }
}

async function leftOf(
  { host, namespace, signal }: RemoveOptions,
  isOwned: (object: AnyObject) => boolean,
): Promise<string[]> {
  const found = await Promise.all(
    ownable.map(async (resource) => {
      const { items } = await host.list(resource, { namespace, signal })
      return items.filter(isOwned).map(({ metadata }) => `${resource.resource}/${metadata.name}`)
    }),
  )
  return found.flat()
}

async function gone(deleting: Promise<unknown>): Promise<void> {
  try {
    await deleting
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
