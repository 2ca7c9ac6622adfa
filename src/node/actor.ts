// The node of the embedded host: scheduler, kubelet, network and storage for one machine, with processes as containers.
// It speaks to the host's API through a client like anyone; the API itself is started by plane/host.ts.

import { chmod, mkdir, rm, symlink } from 'node:fs/promises'
import type { Socket as NetSocket } from 'node:net'
import { join } from 'node:path'
import type { Pod } from '../api/models.ts'
import type { AnyObject, Client, ResourceRef } from '../client/client.ts'
import { createInformer, type Informer } from '../client/informer.ts'
import { keyOf } from '../client/objects.ts'
import { createRecorder } from '../client/recorder.ts'
import {
  configMaps,
  endpointSlices,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from '../client/resources.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import { type Controller, createController } from '../reconcile/controller.ts'
import { fromInformer, type Source } from '../reconcile/source.ts'
import { type ClusterView, createClusterView } from './network/cluster-view.ts'
import { startLoopback } from './network/loopback.ts'
import { clusterDomain, findRecords } from './network/names.ts'
import { type Destination, type Network, startNetwork } from './network/network.ts'
import type { Socket } from './network/published.ts'
import { capacityOf, keepNode } from './node-object.ts'
import { type PodExec, type PodExecOptions, podExec } from './pods/pod-exec.ts'
import type { LaunchedInstance } from './pods/pod-launch.ts'
import { followPodLog, type PodLogOptions, podLog } from './pods/pod-logs.ts'
import { PodManager } from './pods/pod-manager.ts'
import { referencesOf } from './pods/references.ts'
import { nodeImages } from './process/image.ts'
import { endOrphans } from './process/orphans.ts'
import { preparePreload } from './process/preload-files.ts'
import { type Claims, ensureStorageClass, startClaims } from './volumes/claims.ts'

export const nodeAddress = '10.240.0.1'
const podNetwork = { network: '10.244.0.0', prefix: 16 }
const defaultServiceNetwork = { network: '10.96.0.0', prefix: 16 }
const stopGraceMs = 5_000

export interface NodeActorOptions {
  readonly client: Client
  /** Folders of pods and volumes; kept from one start to the next. */
  readonly dataDirectory: string
  /** Where the host's API listens on this machine: what stands behind the Service `kubernetes`. */
  readonly api?: Socket | undefined
  /** The range of cluster IPs. */
  readonly serviceNetwork?: { readonly network: string; readonly prefix: number } | undefined
  readonly nodeName?: string | undefined
  /** Repositories whose images are run; those of Node unless given. */
  readonly images?: readonly string[] | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export interface RunningPodProcess {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly pid: number
}

/** Disposing stops every process that it started. */
export interface NodeActor extends AsyncDisposable {
  /** The PodDialer of planes in this process: an address of the cluster and a port to a socket. */
  dial(destination: Destination, options?: { readonly signal?: AbortSignal | undefined }): Promise<NetSocket>
  /** Where that is on this machine; throws an error with code ECONNREFUSED when nothing is there. */
  route(destination: Destination): Socket
  /** The addresses of `web.default.svc` or `web.default.svc.cluster.local`; empty when there is no such name. */
  resolve(name: string): readonly string[]
  logs(options: PodLogOptions): Promise<string>
  followLogs(options: PodLogOptions & { readonly signal?: AbortSignal | undefined }): AsyncIterable<string>
  /** Runs a command beside a container's program. */
  exec(options: PodExecOptions): Promise<PodExec>
  processes(): readonly RunningPodProcess[]
}

/** Resolves when it works; rejects when it cannot, with nothing left running. */
export async function startNodeActor(options: NodeActorOptions): Promise<NodeActor> {
  const { clock, log } = options
  const shutdown = new Shutdown({ clock, log, stopTimeoutMs: 4 * stopGraceMs })
  try {
    return await start(options, shutdown)
  } catch (error) {
    await shutdown.stop()
    throw error
  }
}

interface Directories {
  readonly pods: string
  readonly volumes: string
  readonly processes: string
  readonly bin: string
  readonly preload: string
}

async function start(options: NodeActorOptions, shutdown: Shutdown): Promise<NodeActor> {
  const { client, clock, random, log, nodeName = 'k3v-host' } = options
  const directories = await makeDirectories(options.dataDirectory)
  const orphans = await endOrphans(directories.processes)
  if (orphans.length > 0) log.warn('ended processes that an earlier host left behind', { pids: orphans })
  const world = startInformers(options, shutdown)
  const view = createClusterView(world)
  const network = shutdown.add('network', await openNetwork(options, view))
  const recorder = shutdown.add('events', createRecorder({ client, component: 'k3v-host', clock, log }))
  await Promise.all(Object.values(world).map(({ synced }) => synced))
  shutdown.add('node', keepNode({ client, name: nodeName, address: nodeAddress, clock, log }))
  await ensureStorageClass(client, shutdown.signal)
  const claims = shutdown.add(
    'claims',
    startClaims({ ...world, ...options, volumes: world.volumes, directory: directories.volumes, nodeName }),
  )
  const enqueue = (key: string): void => controller.enqueue(key)
  const manager = new PodManager({
    ...options,
    ...managerWorld(world, { claims, nodeName }),
    images: options.images ?? nodeImages,
    nodeName,
    nodeAddress,
    network,
    recorder,
    allocatable: capacityOf(),
    services: (namespace) => view.services(namespace),
    kubernetes: () => view.service('default', 'kubernetes'),
    directory: directories.pods,
    processDirectory: directories.processes,
    binDirectory: directories.bin,
    preloadUrl: await preparePreload(directories.preload),
    enqueue,
  })
  await manager.removeLeftovers()
  shutdown.add('pods', () => manager.stop(stopGraceMs))
  const controller: Controller = createController({
    name: 'node',
    sources: podSources(world),
    reconcile: (key, { signal }) => manager.reconcile(key, signal),
    workers: 8,
    clock,
    random,
    log,
  })
  shutdown.add('pod loop', controller)
  shutdown.add(
    'probe pokes',
    network.published.on((address) => manager.pokeAt(address)),
  )
  shutdown.add('loopback', startLoopback({ ...world, client, network, clock, random, log }))
  return actorOf({ manager, network, shutdown, view })
}

function openNetwork(
  { api, serviceNetwork, random, log }: NodeActorOptions,
  view: ClusterView,
): Promise<Network> {
  const networks = [podNetwork, serviceNetwork ?? defaultServiceNetwork, { network: nodeAddress, prefix: 32 }]
  return startNetwork({ view, networks, api, nodeAddress, random, log })
}

function actorOf({
  manager,
  network,
  shutdown,
  view,
}: {
  manager: PodManager
  network: Network
  shutdown: Shutdown
  view: ClusterView
}): NodeActor {
  return {
    dial: (destination, dialOptions) => network.dial(destination, dialOptions),
    route: (destination) => network.route(destination),
    resolve: (name) => {
      const full = name.endsWith(`.${clusterDomain}`) ? name : `${name}.${clusterDomain}`
      const found = findRecords(view, full)
      return found?.type === 'addresses' ? found.addresses : []
    },
    logs: (logOptions) => podLog(manager, logOptions),
    followLogs: (logOptions) => followPodLog(manager, logOptions),
    exec: (execOptions) => podExec(manager, execOptions),
    processes: () =>
      manager.managed.flatMap(({ run }) => processesOf(run.pod, (name) => run.run(name)?.instance)),
    [Symbol.asyncDispose]: () => shutdown.stop(),
  }
}

function processesOf(
  { metadata, spec }: Pod,
  instanceOf: (container: string) => LaunchedInstance | undefined,
): readonly RunningPodProcess[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
  return containers.flatMap(({ name }) => {
    const pid = instanceOf(name)?.running?.pid
    return pid === undefined
      ? []
      : [{ namespace: metadata.namespace ?? '', pod: metadata.name ?? '', container: name, pid }]
  })
}

async function makeDirectories(root: string): Promise<Directories> {
  const [podFolder, volumes, processes, bin] = ['pods', 'volumes', 'processes', 'bin'].map((name) =>
    join(root, name),
  )
  for (const folder of [podFolder, volumes, processes, bin])
    await mkdir(folder ?? root, { recursive: true, mode: 0o700 })
  await chmod(root, 0o700)
  const link = join(bin ?? root, 'node')
  await rm(link, { force: true })
  await symlink(process.execPath, link)
  return {
    pods: podFolder ?? root,
    volumes: volumes ?? root,
    processes: processes ?? root,
    bin: bin ?? root,
    preload: join(root, 'preload'),
  }
}

type World = ReturnType<typeof startInformers>

function startInformers({ client, clock, random, log }: NodeActorOptions, shutdown: Shutdown) {
  const watch = <T extends AnyObject>(resource: ResourceRef<T>): Informer<T> =>
    shutdown.add(resource.resource, createInformer({ client, resource, clock, random, log }))
  return {
    pods: watch(pods),
    services: watch(services),
    slices: watch(endpointSlices),
    configMaps: watch(configMaps),
    secrets: watch(secrets),
    claims: watch(persistentVolumeClaims),
    volumes: watch(persistentVolumes),
    nodes: watch(nodes),
  }
}

function managerWorld(world: World, { claims, nodeName }: { claims: Claims; nodeName: string }) {
  return {
    pods: world.pods,
    source: {
      configMap: (namespace: string, name: string) => world.configMaps.get(namespace, name),
      secret: (namespace: string, name: string) => world.secrets.get(namespace, name),
    },
    node: () => {
      const node = world.nodes.get('', nodeName)
      return { labels: node?.metadata.labels ?? {}, isCordoned: node?.spec?.unschedulable === true }
    },
    claimState: claims.state,
    claimFolder: claims.folder,
  }
}

const byReference = 'reference'

/** A pod is looked at when it changes, and when something that it is made from does. */
function podSources(world: World): readonly Source[] {
  world.pods.addIndex(byReference, ({ header, object }) =>
    referencesOf(object).map((reference) => `${header.namespace}/${reference}`),
  )
  const usersOf =
    (kind: string) =>
    ({ header }: { readonly header: { readonly namespace: string; readonly name: string } }) =>
      world.pods
        .byIndex(byReference, `${header.namespace}/${kind}/${header.name}`)
        .map(({ metadata }) => keyOf(metadata))
  const waiting = (): readonly string[] =>
    world.pods
      .list()
      .filter(({ spec }) => (spec?.nodeName ?? '') === '')
      .map(({ metadata }) => keyOf(metadata))
  return [
    fromInformer(world.pods),
    fromInformer(world.configMaps, usersOf('configmap')),
    fromInformer(world.secrets, usersOf('secret')),
    fromInformer(world.claims, usersOf('claim')),
    fromInformer(world.nodes, waiting),
  ]
}
