// Ties a plane to its host: addresses from the host's Services before the plane opens, sync after.
// Where the host is and what the operator decided comes from the caller.

import type { Client } from '../client/client.ts'
import type { Clock } from '../platform/clock.ts'
import { systemClock } from '../platform/clock.ts'
import { type Logger, silentLogger } from '../platform/log.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import { createHostAllocator } from '../sync/allocator.ts'
import { defaultPolicy, type SyncPolicy } from '../sync/policy.ts'
import { syncedResources } from '../sync/rights.ts'
import { type Sync, startSync } from '../sync/syncer.ts'
import type { ApiAddress, ClusterDns, Exposed } from '../sync/translators/translation.ts'
import { openPlane, type Plane, type PlaneOptions } from './plane.ts'
import { answerSyncedLogs } from './synced-logs.ts'
import { answerSyncedUpgrades } from './synced-upgrades.ts'

export interface HostOptions {
  readonly client: Client
  readonly namespace: string
  /** Names the plane on the host for all its life; the root ConfigMap's UID is a good one. */
  readonly planeUid: string
  /** The release's root ConfigMap, which owns all copies. */
  readonly root?: { readonly name: string; readonly uid: string } | undefined
  readonly policy?: SyncPolicy | undefined
  readonly workloadServiceAccount: string
  /** Where pods reach the plane's API; absent: they cannot. */
  readonly apiAddress?: ApiAddress | undefined
  readonly dns?: (() => ClusterDns | undefined) | undefined
  /** Services of the plane that are published on the host. */
  readonly exposed?: (() => readonly Exposed[]) | undefined
}

export interface SyncedPlane extends AsyncDisposable {
  readonly plane: Plane
  readonly sync: Sync
}

/** Opens a plane that runs its pods on a host. Disposing stops sync first; what is on the host runs on. */
export async function openSyncedPlane(options: PlaneOptions, host: HostOptions): Promise<SyncedPlane> {
  const clock: Clock = options.clock ?? systemClock
  const random: Random = options.random ?? systemRandom
  const log: Logger = options.log ?? silentLogger
  const { client, namespace, planeUid, root } = host
  const kubernetesIP = options.kubernetesIP ?? host.apiAddress?.host
  const allocator = createHostAllocator({
    host: client,
    hostNamespace: namespace,
    planeUid,
    owner: root,
    kubernetesIP,
    clock,
    log,
  })
  let opened: Plane | undefined
  const connected = { host: client, hostNamespace: namespace, planeUid, virtual: () => opened?.clientFor() }
  const plane = await openPlane({
    connect: answerSyncedLogs(connected),
    upgrade: answerSyncedUpgrades(connected),
    ...options,
    ...(kubernetesIP === undefined ? {} : { kubernetesIP }),
    allocator,
    podSecurity: options.podSecurity ?? (host.policy ?? defaultPolicy).podSecurity,
    synced: syncedResources,
  })
  opened = plane
  try {
    const sync = await startSync({
      virtual: plane.clientFor(),
      host: client,
      hostNamespace: namespace,
      planeUid,
      storeEpoch: plane.epoch,
      policy: host.policy ?? defaultPolicy,
      owner: root,
      apiAddress: () => host.apiAddress,
      dns: host.dns,
      exposed: host.exposed,
      workloadServiceAccount: host.workloadServiceAccount,
      isReserved: (name) => allocator.isReserved(name),
      clock,
      random,
      log,
    })
    return {
      plane,
      sync,
      [Symbol.asyncDispose]: async () => {
        await sync[Symbol.asyncDispose]()
        await plane.close()
        await allocator[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await plane.close()
    throw error
  }
}
