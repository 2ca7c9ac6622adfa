// Deploys and waits: what `k3v deploy` and `k3v create` have in common once they know what to deploy.
// Flags and words are theirs.

import type { Client } from '../client/client.ts'
import type { DeployOptions } from '../deploy/deploy.ts'
import { bootScript } from './host-command.ts'

export interface BringUpOptions
  extends Pick<
    DeployOptions,
    'namespace' | 'release' | 'payload' | 'program' | 'image' | 'memory' | 'storage' | 'sharesNamespace'
  > {
  readonly host: Client
  /** Undefined does not wait. */
  readonly timeoutMs: number | undefined
  readonly onProgress: (message: string) => void
}

export interface BroughtUp {
  readonly isReady: boolean
  readonly isFailed: boolean
  readonly isNew: boolean
  readonly restarted: boolean
  readonly generation: number
  readonly message: string
}

export async function bringUp({ timeoutMs, onProgress, ...options }: BringUpOptions): Promise<BroughtUp> {
  const [{ deployRelease }, { waitForRelease }, { releaseRules }] = await Promise.all([
    import('../deploy/deploy.ts'),
    import('../deploy/wait.ts'),
    import('../plane/host-rights.ts'),
  ])
  const deployed = await deployRelease({
    ...options,
    rules: releaseRules(),
    bootScript: await bootScript(),
    onStep: onProgress,
  })
  const { host, namespace, release } = options
  const { generation } = deployed.pointer
  const told = { isNew: deployed.isNew, restarted: deployed.restarts, generation }
  if (timeoutMs === undefined)
    return { ...told, isReady: false, isFailed: false, message: 'deployed; not waiting' }
  const { isReady, isFailed, message } = await waitForRelease({
    host,
    namespace,
    release,
    generation,
    timeoutMs,
    onProgress,
  })
  return { ...told, isReady, isFailed, message }
}
