// A plane whose host is a second plane, with the recording proxy between them; tests play the host's kubelet.
// The plane signs in at the host as a user who has nothing but the Role.

import type { Test } from 'tap'
import type { Pod, PodStatus } from '../../src/api/models.ts'
import { type AnyObject, type Client, type ResourceRef, subresourceOf } from '../../src/client/client.ts'
import { createHttpClient } from '../../src/client/http.ts'
import { createInformer } from '../../src/client/informer.ts'
import {
  configMaps,
  namespaces,
  pods,
  roleBindings,
  roles,
  serviceAccounts,
} from '../../src/client/resources.ts'
import { openPlane, type Plane, type PlaneOptions } from '../../src/plane/plane.ts'
import { type HostOptions, openSyncedPlane, type SyncedPlane } from '../../src/plane/sync.ts'
import { hostName } from '../../src/sync/names.ts'
import { roleRules } from '../../src/sync/rights.ts'
import { HostProxy } from '../host-proxy.ts'

export const planeUid = 'plane-under-test'
export const hostNamespace = 'tenant'
const patienceMs = 20_000

export interface Host extends AsyncDisposable {
  readonly plane: Plane
  /** May do everything on the host. */
  readonly admin: Client
  readonly proxy: HostProxy
  /** As the plane sees the host. */
  readonly client: Client
  readonly root: { readonly name: string; readonly uid: string }
}

/** Ends by failing the test when the proxy saw what must never be. */
export async function startHost(t: Test): Promise<Host> {
  const plane = await openPlane({ listen: { host: '127.0.0.1', port: 0 } })
  const admin = plane.clientFor()
  await admin.create(namespaces, { metadata: { name: hostNamespace } })
  const inNamespace = { namespace: hostNamespace }
  await admin.create(serviceAccounts, { metadata: { name: 'workload', ...inNamespace } })
  const root = await admin.create(configMaps, { metadata: { name: 'release', ...inNamespace } })
  await admin.create(roles, { metadata: { name: 'plane', ...inNamespace }, rules: roleRules() })
  await admin.create(roleBindings, {
    metadata: { name: 'plane', ...inNamespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'plane' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'the-plane' }],
  })
  const { ca, server, user } = plane.kubeconfig({ user: 'the-plane', groups: [] })
  const { certificate = '', key = '' } = user as { certificate?: string; key?: string }
  const proxy = new HostProxy({ server, ca: ca ?? '', certificate, key, hostNamespace, planeUid })
  const client = createHttpClient({ server: await proxy.listen(), userAgent: 'k3v' })
  return {
    plane,
    admin,
    proxy,
    client,
    root: { name: 'release', uid: root.metadata.uid ?? '' },
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
      await plane.close()
      t.strictSame(proxy.violations, [], 'the host saw nothing that it must never see')
    },
  }
}

export interface TwoWorlds extends AsyncDisposable {
  readonly host: Host
  readonly plane: Plane
  readonly sync: SyncedPlane['sync']
  /** May do everything in the plane. */
  readonly virtual: Client
}

export async function startTwoWorlds(
  t: Test,
  options: { readonly plane?: PlaneOptions; readonly host?: Partial<HostOptions> } = {},
): Promise<TwoWorlds> {
  const host = await startHost(t)
  const synced = await startOn(host, options)
  return {
    host,
    ...synced,
    [Symbol.asyncDispose]: async () => {
      await synced[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** A plane on a host that is there already. */
export async function startOn(
  host: Host,
  options: { readonly plane?: PlaneOptions; readonly host?: Partial<HostOptions> } = {},
): Promise<Omit<TwoWorlds, 'host'>> {
  const synced = await openSyncedPlane(options.plane ?? {}, {
    client: host.client,
    namespace: hostNamespace,
    planeUid,
    root: host.root,
    workloadServiceAccount: 'workload',
    apiAddress: { host: '10.96.0.99', port: 443 },
    ...options.host,
  })
  const { plane, sync } = synced
  return {
    plane,
    sync,
    virtual: plane.clientFor(),
    [Symbol.asyncDispose]: () => synced[Symbol.asyncDispose](),
  }
}

export const copyName = (kind: string, name: string, namespace = 'default'): string =>
  hostName({ planeUid, group: '', kind, namespace, name })

/** Waits until one object is as wanted, `undefined` when it is to be gone; answers it. */
export async function until<T extends AnyObject>(
  client: Client,
  resource: ResourceRef<T>,
  target: { readonly namespace?: string; readonly name: string },
  holds: (object: T | undefined) => boolean,
): Promise<T> {
  const { namespace = '', name } = target
  const found = await untilAll(client, resource, namespace, (all) =>
    holds(all.find(({ metadata }) => metadata.name === name)),
  )
  return found.find(({ metadata }) => metadata.name === name) as T
}

/** Waits until all objects of a namespace together are as wanted; answers them. */
export async function untilAll<T extends AnyObject>(
  client: Client,
  resource: ResourceRef<T>,
  namespace: string,
  holds: (all: readonly T[]) => boolean,
): Promise<readonly T[]> {
  const informer = createInformer({
    client,
    resource,
    ...(namespace === '' ? {} : { namespace }),
  })
  const { promise, resolve, reject } = Promise.withResolvers<readonly T[]>()
  const look = () => {
    const all = informer.list()
    if (informer.isSynced && holds(all)) resolve(all)
  }
  const limit = AbortSignal.timeout(patienceMs)
  limit.addEventListener('abort', () => {
    const seen = informer.list().map(({ metadata }) => metadata.name)
    reject(new Error(`${resource.resource} never became as wanted; there are: ${seen.join(', ')}`))
  })
  const end = informer.on(look)
  informer.synced.then(look, reject)
  try {
    return await promise
  } finally {
    end()
    await informer[Symbol.asyncDispose]()
  }
}

/** The copy of a virtual pod on the host, as soon as it is there. */
export const hostPodOf = (host: Host, name: string, namespace = 'default'): Promise<Pod> =>
  until(
    host.admin,
    pods,
    { namespace: hostNamespace, name: copyName('Pod', name, namespace) },
    (pod) => pod !== undefined,
  )

/** What a scheduler and a kubelet would do. */
export async function runOnHost(host: Host, pod: Pod, status: Partial<PodStatus> = {}): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata
  const target = { apiVersion: 'v1', kind: 'Node', name: 'host-node-1' }
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace }, target }
  await host.admin.create(subresourceOf<AnyObject>(pods, 'binding'), binding, { name, namespace })
  await setHostStatus(host, pod, {
    phase: 'Running',
    startTime: '2026-01-02T03:04:05Z',
    hostIP: '192.168.7.7',
    hostIPs: [{ ip: '192.168.7.7' }],
    podIP: '10.244.1.9',
    podIPs: [{ ip: '10.244.1.9' }],
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
      lastTransitionTime: '2026-01-02T03:04:06Z',
    })),
    containerStatuses: (pod.spec?.containers ?? []).map(({ name: container, image = '' }) => ({
      name: container,
      image,
      imageID: `${image}@sha256:1`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-02T03:04:06Z' } },
    })),
    ...status,
  })
}

export async function setHostStatus(host: Host, pod: Pod, status: Partial<PodStatus>): Promise<void> {
  const { name = '', namespace = '' } = pod.metadata
  await host.admin.patchStatus(pods, { name, namespace }, { type: 'merge', body: { status } })
}
