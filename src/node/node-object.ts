// The Node that stands for this machine, and the lease that says it is alive.
// Pods are pods/'s.

import os from 'node:os'
import type { Lease, Node, NodeCondition } from '../api/models.ts'
import { formatMicroTime, formatTime } from '../api/time.ts'
import type { Client } from '../client/client.ts'
import { leases, nodes } from '../client/resources.ts'
import type { Cancel, Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'

export const kubeletVersion = 'v1.36.3-k3v'
const leaseNamespace = 'kube-node-lease'
// Rarely: nobody takes pods from the only node there is.
const renewMs = 300_000
const leaseSeconds = 3_600
const retryMs = 2_000

export interface NodeObjectOptions {
  readonly client: Client
  readonly name: string
  readonly address: string
  readonly clock: Clock
  readonly log: Logger
}

/** What a node of this machine's size gives to pods. */
export function capacityOf(): Readonly<Record<string, string>> {
  return {
    cpu: String(os.availableParallelism()),
    memory: `${Math.floor(os.totalmem() / 1024)}Ki`,
    'ephemeral-storage': '100Gi',
    pods: '250',
  }
}

/** Registers the node and keeps it alive until it is disposed; the object stays. */
export function keepNode(options: NodeObjectOptions): AsyncDisposable {
  const { clock, log } = options
  const stopping = new AbortController()
  let cancel: Cancel = () => undefined
  let last: Promise<void> = Promise.resolve()
  const renew = async (): Promise<void> => {
    let delayMs = renewMs
    try {
      await register(options, stopping.signal)
    } catch (error) {
      if (stopping.signal.aborted) return
      log.debug('could not write the node, tries again', { error })
      delayMs = retryMs
    }
    if (!stopping.signal.aborted) cancel = clock.setTimer(delayMs, start)
  }
  const start = (): void => {
    last = renew()
  }
  start()
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort(new Error('the node is stopped'))
      cancel()
      await last
    },
  }
}

async function register(options: NodeObjectOptions, signal: AbortSignal): Promise<void> {
  const { client, name } = options
  const wanted = nodeOf(options)
  const found = await client.get(nodes, { name }, { signal })
  const node = found ?? (await client.create(nodes, wanted, { signal }))
  await client.updateStatus(nodes, { ...node, status: { ...node.status, ...wanted.status } }, { signal })
  await renewLease(options, signal)
}

async function renewLease({ client, name, clock }: NodeObjectOptions, signal: AbortSignal): Promise<void> {
  const renewTime = formatMicroTime(clock.now())
  const spec = { holderIdentity: name, leaseDurationSeconds: leaseSeconds, renewTime }
  const found = await client.get(leases, { namespace: leaseNamespace, name }, { signal })
  const lease: Lease = found ?? {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: leaseNamespace },
  }
  const next = { ...lease, spec: { ...lease.spec, ...spec } }
  await (found === undefined
    ? client.create(leases, next, { signal })
    : client.update(leases, next, { signal }))
}

function nodeOf({ name, address, clock }: NodeObjectOptions): Node {
  const now = formatTime(clock.now())
  const capacity = capacityOf()
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture(),
        'beta.kubernetes.io/os': 'linux',
        'beta.kubernetes.io/arch': architecture(),
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
    },
    spec: { podCIDR: '10.244.0.0/16', podCIDRs: ['10.244.0.0/16'] },
    status: {
      capacity,
      allocatable: capacity,
      addresses: [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: name },
      ],
      conditions: conditions(now),
      nodeInfo: {
        architecture: architecture(),
        operatingSystem: 'linux',
        osImage: `Node.js ${process.version} on ${os.type()}`,
        kernelVersion: os.release(),
        kubeletVersion,
        kubeProxyVersion: '',
        containerRuntimeVersion: `k3v-process://${process.versions.node}`,
        machineID: name,
        systemUUID: name,
        bootID: name,
      },
    },
  }
}

/** As Go names it, which is how images and selectors name it. */
const architecture = (): string => (process.arch === 'x64' ? 'amd64' : process.arch)

function conditions(now: string): readonly NodeCondition[] {
  const times = { lastHeartbeatTime: now, lastTransitionTime: now }
  const healthy = (type: string, reason: string, message: string): NodeCondition => ({
    type,
    status: 'False',
    reason,
    message,
    ...times,
  })
  return [
    healthy('MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
    healthy('DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
    healthy('PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
    {
      type: 'Ready',
      status: 'True',
      reason: 'KubeletReady',
      message: 'the embedded host runs pods as processes',
      ...times,
    },
  ]
}
