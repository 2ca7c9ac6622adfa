// Runs commands that speak to a host, and hosts for them: planes without a node.

import { once } from 'node:events'
import { join } from 'node:path'
import { writeKubeconfig } from '../../src/client/kubeconfig-file.ts'
import { namespaces } from '../../src/client/resources.ts'
import { openPlane, type Plane } from '../../src/plane/plane.ts'
import { run } from './server-process.ts'

export interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export async function k3v(args: readonly string[]): Promise<Result> {
  const { child, stdout, stderr } = run(args)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

export interface CommandHost extends AsyncDisposable {
  readonly plane: Plane
  readonly kubeconfig: string
}

/** A host with a namespace `team`. `nobody` may do nothing there, `admin` everything. */
export async function openHost(folder: string, user: 'admin' | 'nobody' = 'nobody'): Promise<CommandHost> {
  const plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  await plane
    .clientFor()
    .create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
  const kubeconfig = join(folder, 'host.yaml')
  const groups = user === 'admin' ? ['system:masters'] : []
  await writeKubeconfig({ path: kubeconfig, content: plane.kubeconfig({ user, groups, namespace: 'team' }) })
  return { plane, kubeconfig, [Symbol.asyncDispose]: () => plane.close() }
}
