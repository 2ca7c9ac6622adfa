// A host for tests of deploy: a plane without a node, and a user who is admin of one namespace there.
// What tests wait for they play themselves.

import type { Client } from '../../src/client/client.ts'
import { namespaces, roleBindings } from '../../src/client/resources.ts'
import type { Payload } from '../../src/deploy/payload.ts'
import type { ProgramFiles } from '../../src/deploy/program.ts'
import { releaseRules } from '../../src/plane/host-rights.ts'
import { openPlane, type Plane } from '../../src/plane/plane.ts'

export const namespace = 'team'

export interface HostPlane extends AsyncDisposable {
  readonly plane: Plane
  readonly admin: Client
  /** ClusterRole admin, bound in `team`. */
  readonly user: Client
}

export async function openHost(options: { readonly role?: string } = {}): Promise<HostPlane> {
  const plane = await openPlane()
  const admin = plane.clientFor()
  await admin.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const group = 'rbac.authorization.k8s.io'
  await admin.create(roleBindings, {
    apiVersion: `${group}/v1`,
    kind: 'RoleBinding',
    metadata: { name: 'dana', namespace },
    roleRef: { apiGroup: group, kind: 'ClusterRole', name: options.role ?? 'admin' },
    subjects: [{ apiGroup: group, kind: 'User', name: 'dana' }],
  })
  const user = plane.clientFor({ name: 'dana', groups: ['system:authenticated'] })
  return { plane, admin, user, [Symbol.asyncDispose]: () => plane.close() }
}

export const program = (text = 'export {}'): ProgramFiles => new Map([['plane.mjs', Buffer.from(text)]])

export const payload = (version: string, extra: Partial<Payload> = {}): Payload => ({
  name: 'shop',
  version,
  objects: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'prices', namespace: 'default' },
      data: { version },
    },
  ],
  health: [],
  expose: [],
  ...extra,
})

export const asked = (host: Client) =>
  ({
    host,
    namespace,
    release: 'shop',
    program: program(),
    bootScript: '// boots',
    rules: releaseRules(),
  }) as const
