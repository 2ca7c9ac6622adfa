// All pods of the node: binds those that wait, runs those that are bound, and clears away what is left of the rest.
// What happens to one pod is pod-run.ts's.

import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Binding, Container, Pod } from '../../api/models.ts'
import { formatTime } from '../../api/time.ts'
import { type Client, subresourceOf } from '../../client/client.ts'
import type { Informer } from '../../client/informer.ts'
import { splitKey } from '../../client/objects.ts'
import type { Recorder } from '../../client/recorder.ts'
import { pods as podResource } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Random } from '../../platform/random.ts'
import type { Network } from '../network/network.ts'
import { judge } from '../scheduling.ts'
import type { VolumeFolder } from '../volumes/mounts.ts'
import { PodVolumes } from '../volumes/pod-volumes.ts'
import { PodAddresses } from './addresses.ts'
import { ContainerRun } from './container-run.ts'
import { type LaunchContext, PodLauncher } from './pod-launch.ts'
import { PodRun, type Turn } from './pod-run.ts'

export interface PodManagerOptions
  extends Pick<
    LaunchContext,
    | 'allocatable'
    | 'binDirectory'
    | 'images'
    | 'kubernetes'
    | 'preloadUrl'
    | 'processDirectory'
    | 'services'
    | 'source'
  > {
  readonly client: Client
  readonly pods: Informer<Pod>
  readonly nodeName: string
  readonly nodeAddress: string
  readonly node: () => { readonly labels: Readonly<Record<string, string>>; readonly isCordoned: boolean }
  readonly claimState: (namespace: string, name: string) => 'bound' | 'pending' | 'missing'
  readonly claimFolder: (namespace: string, name: string) => string | undefined
  readonly network: Network
  /** Where the folders of the pods are. */
  readonly directory: string
  readonly recorder: Recorder
  /** Have this pod looked at. */
  readonly enqueue: (key: string) => void
  readonly clock: Clock
  readonly random: Random
}

export interface ManagedPod {
  readonly key: string
  readonly run: PodRun
  readonly launcher: PodLauncher
}

const bindings = subresourceOf<Binding>(podResource, 'binding')
// For a pod that somebody removed by force.
const forcedGraceMs = 1_000

export class PodManager {
  readonly #options: PodManagerOptions
  readonly #addresses = new PodAddresses('10.244')
  /** By UID. */
  readonly #managed = new Map<string, ManagedPod>()

  constructor(options: PodManagerOptions) {
    this.#options = options
  }

  get managed(): readonly ManagedPod[] {
    return [...this.#managed.values()]
  }

  find(namespace: string, name: string): ManagedPod | undefined {
    const uid = this.#options.pods.get(namespace, name)?.metadata.uid
    return this.#managed.get(uid ?? '')
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Turn> {
    const { namespace, name } = splitKey(key)
    const pod = this.#options.pods.get(namespace, name)
    await this.#clear(key, pod?.metadata.uid)
    if (pod === undefined) return {}
    const { nodeName = '' } = pod.spec ?? {}
    if (nodeName === '') {
      await this.#schedule(pod, signal)
      return {}
    }
    if (nodeName !== this.#options.nodeName) return {}
    const managed = this.#managed.get(pod.metadata.uid ?? '') ?? (await this.#take(key, pod))
    return await managed.run.sync(pod, { signal })
  }

  /** Folders of pods that are gone since the last host ran. */
  async removeLeftovers(): Promise<void> {
    const { directory, pods } = this.#options
    const known = new Set(pods.list().map(({ metadata }) => metadata.uid))
    for (const uid of await readdir(directory)) {
      if (!known.has(uid)) await rm(join(directory, uid), { recursive: true, force: true })
    }
  }

  pokeAt(address: string): void {
    for (const { run } of this.#managed.values()) if (run.podIP === address) run.poke()
  }

  /** Its pods of before are stopped, and forgotten once nothing of them runs. */
  async #clear(key: string, uid: string | undefined): Promise<void> {
    for (const [known, managed] of this.#managed) {
      if (managed.key !== key || known === uid) continue
      managed.run.stopAll(forcedGraceMs)
      if (managed.run.isRunning) continue
      this.#managed.delete(known)
      this.#addresses.release(known)
      await rm(join(this.#options.directory, known), { recursive: true, force: true })
    }
  }

  async #schedule(pod: Pod, signal: AbortSignal): Promise<void> {
    const { client, node, nodeName, claimState, recorder } = this.#options
    const { namespace = '', name = '', uid } = pod.metadata
    const { labels, isCordoned } = node()
    const claim = (claimName: string): 'bound' | 'pending' | 'missing' => claimState(namespace, claimName)
    const verdict = judge({ pod, nodeName, nodeLabels: labels, isCordoned, claim })
    if (verdict.type === 'bind') {
      const binding: Binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { kind: 'Node', name: nodeName },
      }
      await client.create(bindings, binding, { name, namespace, signal })
      this.#tell(pod, {
        type: 'Normal',
        reason: 'Scheduled',
        message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
      })
    }
    if (verdict.type === 'refuse') {
      await this.#markUnschedulable(pod, verdict.message, signal)
      recorder.record({
        object: { ...pod, apiVersion: 'v1', kind: 'Pod' },
        type: 'Warning',
        reason: 'FailedScheduling',
        message: verdict.message,
      })
    }
  }

  async #markUnschedulable(pod: Pod, message: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options
    const old = pod.status?.conditions ?? []
    const before = old.find(({ type }) => type === 'PodScheduled')
    if (before?.message === message) return
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime: formatTime(clock.now()),
    }
    const conditions = [...old.filter(({ type }) => type !== 'PodScheduled'), condition]
    await client.updateStatus(podResource, { ...pod, status: { ...pod.status, conditions } }, { signal })
  }

  async #take(key: string, pod: Pod): Promise<ManagedPod> {
    const { directory, nodeAddress } = this.#options
    const uid = pod.metadata.uid ?? ''
    const podIP = pod.spec?.hostNetwork === true ? nodeAddress : this.#addresses.take(uid, pod.status?.podIP)
    const folder = join(directory, uid)
    await mkdir(join(folder, 'volumes'), { recursive: true, mode: 0o700 })
    const managed = this.#make({ key, pod, podIP, folder })
    this.#managed.set(uid, managed)
    return managed
  }

  #make({ key, pod, podIP, folder }: { key: string; pod: Pod; podIP: string; folder: string }): ManagedPod {
    const { client, clock, nodeAddress } = this.#options
    const volumes = new PodVolumes({ ...this.#options, directory: join(folder, 'volumes') })
    let folders: ReadonlyMap<string, VolumeFolder> = new Map()
    const launcher = new PodLauncher({ ...this.#options, directory: folder, podIP, volumes: () => folders })
    const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
      this.#tell(pod, { type, reason, message })
    const run: PodRun = new PodRun({
      pod,
      podIP,
      hostIP: nodeAddress,
      client,
      clock,
      tell,
      runOf: (container, current) => this.#runOf(container, { key, current, podIP, launcher, tell }),
      prepare: async (now, signal) => {
        folders = await volumes.prepare(now, signal)
      },
      renewAtMs: () => volumes.renewAtMs,
    })
    return { key, run, launcher }
  }

  #runOf(
    container: Container,
    {
      key,
      current,
      podIP,
      launcher,
      tell,
    }: {
      key: string
      current: () => Pod
      podIP: string
      launcher: PodLauncher
      tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void
    },
  ): ContainerRun {
    const { network, clock, random, enqueue } = this.#options
    const run: ContainerRun = new ContainerRun({
      container,
      podIP,
      network,
      clock,
      random,
      tell,
      graceMs: graceMsOf(current()),
      launch: (restartCount) => launcher.launch(current(), container, restartCount),
      lastWords: (exit) => launcher.lastWords(container, run.restartCount, exit),
      wake: () => enqueue(key),
    })
    return run
  }

  #tell(
    pod: Pod,
    { type, reason, message }: { type: 'Normal' | 'Warning'; reason: string; message: string },
  ): void {
    this.#options.recorder.record({
      object: { ...pod, apiVersion: 'v1', kind: 'Pod' },
      type,
      reason,
      message,
    })
  }

  /** Asks everything to end, makes it after `graceMs`, and resolves when nothing runs. */
  async stop(graceMs: number): Promise<void> {
    for (const { run } of this.#managed.values()) run.stopAll(Math.min(graceMs, graceMsOf(run.pod)))
    await Promise.all(this.managed.map(({ run }) => run.untilStopped()))
  }
}

const graceMsOf = ({ spec }: Pod): number => (spec?.terminationGracePeriodSeconds ?? 30) * 1_000
