// The host pod behind a virtual one, for those who speak to its containers: logs, exec, attach, port-forward.
// Only a pod that is proved to be this one's copy is ever answered.

import type { Pod } from '../api/models.ts'
import type { Client } from '../client/client.ts'
import { pods } from '../client/resources.ts'
import { identityFor } from './context.ts'
import { hostName } from './names.ts'
import { isOwned } from './owner.ts'

export interface HostPodOptions {
  readonly host: Client
  readonly hostNamespace: string
  readonly planeUid: string
  readonly signal?: AbortSignal | undefined
}

/** Undefined when the host has no copy of this very pod. */
export async function findHostPod(
  virtual: Pod,
  { host, hostNamespace, planeUid, signal }: HostPodOptions,
): Promise<Pod | undefined> {
  const { namespace = '', name = '' } = virtual.metadata
  const copy = hostName({ planeUid, group: '', kind: 'Pod', namespace, name })
  const found = await host.get(pods, { namespace: hostNamespace, name: copy }, { signal })
  return found !== undefined && isOwned(found, planeUid, identityFor('Pod', virtual)) ? found : undefined
}
