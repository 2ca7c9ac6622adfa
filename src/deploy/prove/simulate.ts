// Plays a host for a proof: one node, on which every pod runs and is ready at once, and storage that binds every claim.
// It speaks to the plane like a kubelet would; whether an image works is not simulated, and the proof says so.

import type { Node, PersistentVolumeClaim, Pod, Service } from '../../api/models.ts'
import { ApiError } from '../../api/status.ts'
import { type AnyObject, type Client, type ResourceRef, subresourceOf } from '../../client/client.ts'
import { nodes, persistentVolumeClaims, pods, services } from '../../client/resources.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Logger } from '../../platform/log.ts'

export interface SimulatorOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
}

const pollMs = 25
const nodeName = 'proof'
/** Reserved for documentation: nobody takes it for a real one. RFC 5737. */
const address = '192.0.2.10'

export interface Simulator extends AsyncDisposable {
  /** Names of the pods that were played, `namespace/name`. */
  readonly played: ReadonlySet<string>
}

export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const stopping = new AbortController()
  const played = new Set<string>()
  await makeNode(options.client, options.clock)
  const running = run(options, played, stopping.signal)
  return {
    played,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await running
    },
  }
}

async function run(
  { client, clock, log }: SimulatorOptions,
  played: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await playRound({ client, clock, played, signal })
      await clock.sleep(pollMs, { signal })
    } catch (error) {
      if (signal.aborted) return
      // Somebody was quicker (a pod is gone, a revision moved): the next round sees the world as it is then.
      if (!(error instanceof ApiError)) throw error
      log.debug('a round of the simulator failed', { error: error.message })
      await clock.sleep(pollMs).catch(() => undefined)
    }
  }
}

interface Round {
  readonly client: Client
  readonly clock: Clock
  readonly played: Set<string>
  readonly signal: AbortSignal
}

async function playRound(round: Round): Promise<void> {
  const { client, signal } = round
  for (const pod of (await client.list(pods, { signal })).items) await playPod(pod, round)
  for (const claim of (await client.list(persistentVolumeClaims, { signal })).items)
    await bindClaim(claim, round)
  for (const service of (await client.list(services, { signal })).items) await publish(service, round)
}

async function playPod(pod: Pod & AnyObject, { client, clock, played, signal }: Round): Promise<void> {
  const { namespace, name = '', deletionTimestamp } = pod.metadata
  if (deletionTimestamp !== undefined) {
    if ((pod.metadata.finalizers ?? []).length === 0) {
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, signal })
    }
    return
  }
  const phase = pod.status?.phase
  if (phase !== undefined && phase !== 'Pending') return
  if ((pod.spec?.nodeName ?? '') === '') {
    const binding: ResourceRef = subresourceOf(pods, 'binding')
    const target = { apiVersion: 'v1', kind: 'Node', name: nodeName }
    const object = { apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name }, target }
    await client.create(binding, object as AnyObject, { name, namespace, signal })
  }
  await client.patchStatus(
    pods,
    { namespace, name },
    { type: 'merge', body: { status: playedStatus(pod, clock) }, signal },
  )
  played.add(`${namespace}/${name}`)
}

function playedStatus(pod: Pod, clock: Clock): unknown {
  const nowText = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  const ends = pod.spec?.restartPolicy === 'Never' || pod.spec?.restartPolicy === 'OnFailure'
  const condition = (type: string, status = 'True') => ({ type, status, lastTransitionTime: nowText })
  const container =
    (isInit: boolean) =>
    ({ name, image = '' }: { readonly name: string; readonly image?: string | undefined }) => ({
      name,
      image,
      imageID: '',
      restartCount: 0,
      ready: !ends,
      started: !ends && !isInit,
      state:
        ends || isInit
          ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: nowText, finishedAt: nowText } }
          : { running: { startedAt: nowText } },
    })
  return {
    phase: ends ? 'Succeeded' : 'Running',
    hostIP: address,
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: nowText,
    conditions: [
      condition('PodScheduled'),
      condition('Initialized'),
      condition('ContainersReady', ends ? 'False' : 'True'),
      condition('Ready', ends ? 'False' : 'True'),
    ],
    initContainerStatuses: (pod.spec?.initContainers ?? []).map(container(true)),
    containerStatuses: (pod.spec?.containers ?? []).map(container(false)),
  }
}

async function bindClaim(claim: PersistentVolumeClaim & AnyObject, { client, signal }: Round): Promise<void> {
  const { namespace, name = '' } = claim.metadata
  if (claim.status?.phase === 'Bound' || claim.metadata.deletionTimestamp !== undefined) return
  const capacity = claim.spec?.resources?.requests ?? {}
  const status = { phase: 'Bound', accessModes: claim.spec?.accessModes ?? [], capacity }
  await client.patchStatus(
    persistentVolumeClaims,
    { namespace, name },
    { type: 'merge', body: { status }, signal },
  )
}

async function publish(service: Service & AnyObject, { client, signal }: Round): Promise<void> {
  const { namespace, name = '' } = service.metadata
  if (service.spec?.type !== 'LoadBalancer' || (service.status?.loadBalancer?.ingress ?? []).length > 0)
    return
  const status = { loadBalancer: { ingress: [{ ip: address }] } }
  await client.patchStatus(services, { namespace, name }, { type: 'merge', body: { status }, signal })
}

async function makeNode(client: Client, clock: Clock): Promise<void> {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'kubernetes.io/os': 'linux' } },
  }
  await client.create(nodes, node as Node & AnyObject)
  const nowText = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'Proof',
    message: '',
    lastHeartbeatTime: nowText,
    lastTransitionTime: nowText,
  }
  const capacity = { cpu: '1000', memory: '1Ti', pods: '10000', 'ephemeral-storage': '1Ti' }
  const status = { conditions: [ready], capacity, allocatable: capacity }
  await client.patchStatus(nodes, { name: nodeName }, { type: 'merge', body: { status } })
}
