// What releases there are on a host, and how each fares: read with namespaced rights.
// Releases inside a plane are objects there; this is the view from outside.

import type { ConfigMap } from '../api/models.ts'
import type { Client, SignalOption } from '../client/client.ts'
import { configMaps, pods } from '../client/resources.ts'
import { type Pointer, type ReleaseStatus, readPointer, readStatus } from './pointer.ts'
import { namesOf, partLabel, releaseLabel } from './release-names.ts'
import { describePod } from './wait.ts'

export interface ReleaseSummary {
  readonly name: string
  readonly namespace: string
  /** Empty for an empty virtual cluster. */
  readonly package: string
  readonly version: string
  /** The phase, or `Starting` while the plane has said nothing about what is wanted now. */
  readonly phase: string
  readonly message: string
  readonly createdAt: string
}

export async function listReleases(
  host: Client,
  { namespace, signal }: SignalOption & { readonly namespace: string | undefined },
): Promise<readonly ReleaseSummary[]> {
  const labelSelector = `${releaseLabel},${partLabel}=root`
  const { items } = await host.list(configMaps, { namespace, labelSelector, signal })
  return items
    .map(summaryOf)
    .sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1))
}

export interface ReleaseDetails extends ReleaseSummary {
  readonly pointer: Pointer | undefined
  readonly status: ReleaseStatus | undefined
  readonly pod: { readonly name: string; readonly isReady: boolean; readonly message: string }
}

/** Undefined when there is none of that name. */
export async function releaseDetails(
  host: Client,
  { namespace, release, signal }: SignalOption & { readonly namespace: string; readonly release: string },
): Promise<ReleaseDetails | undefined> {
  const names = namesOf(release)
  const root = await host.get(configMaps, { namespace, name: names.root }, { signal })
  if (root?.metadata.labels?.[releaseLabel] !== release || root === undefined) return undefined
  const pod = await host.get(pods, { namespace, name: names.pod }, { signal })
  const isReady =
    pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
  return {
    ...summaryOf(root),
    pointer: readPointer(root.data),
    status: readStatus(root.data),
    pod: { name: names.pod, isReady, message: describePod(names.pod, pod) },
  }
}

function summaryOf({ metadata, data }: ConfigMap): ReleaseSummary {
  const pointer = readPointer(data)
  const status = readStatus(data)
  const isCurrent = status !== undefined && status.generation >= (pointer?.generation ?? 0)
  return {
    name: metadata.labels?.[releaseLabel] ?? '',
    namespace: metadata.namespace ?? '',
    package: pointer?.package?.name ?? '',
    version: pointer?.package?.version ?? '',
    phase: isCurrent ? status.phase : 'Starting',
    message: isCurrent ? status.message : 'the control plane has not taken this up yet',
    createdAt: metadata.creationTimestamp ?? '',
  }
}
