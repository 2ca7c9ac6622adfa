// Nodes in the plane: they stand for where pods run, and nobody dials them.
// One permanent node stands for the whole host unless the operator wants those that were seen.

import type { Node, Pod } from '../api/models.ts'
import { formatTime } from '../api/time.ts'
import { isAlreadyExists, isNotFound } from '../client/failures.ts'
import { nodes } from '../client/resources.ts'
import type { SyncContext } from './context.ts'

export const singleNodeName = 'k3v-node'

const ownLabel = 'k3v.dev/virtual-node'
const unusedMs = 300_000

/** The name that the pod's node has in the plane; undefined while the host has not placed the pod. */
export function nodeNameOf(host: Pod, mode: 'seen' | 'single' | undefined): string | undefined {
  const name = host.spec?.nodeName
  if (name === undefined || name === '') return undefined
  return mode === 'seen' ? name : singleNodeName
}

/** Makes the node when it is not there yet: a pod on a node that does not exist would be taken for lost. */
export async function ensureNode(
  context: SyncContext,
  name: string,
  { hostIP, signal }: { readonly hostIP?: string | undefined; readonly signal: AbortSignal },
): Promise<void> {
  if (context.world.virtual.nodes.get('', name) !== undefined) return
  const node = nodeNamed(name, { hostIP, now: formatTime(context.clock.now()) })
  try {
    const created = await context.virtual.create(nodes, node, { signal })
    await context.virtual.updateStatus(nodes, { ...created, status: node.status }, { signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

/** Removes nodes that no pod has been on for a while. Answers when each of the rest was last in use. */
export async function removeUnusedNodes(
  context: SyncContext,
  unusedSince: Map<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const used = new Set(context.world.virtual.pods.list().map(({ spec }) => spec?.nodeName))
  for (const { metadata } of context.world.virtual.nodes.list()) {
    const { name = '', labels = {}, uid } = metadata
    if (labels[ownLabel] === undefined || name === singleNodeName || used.has(name)) {
      unusedSince.delete(name)
      continue
    }
    const sinceMs = unusedSince.get(name) ?? context.clock.monotonic()
    unusedSince.set(name, sinceMs)
    if (context.clock.monotonic() - sinceMs < unusedMs) continue
    unusedSince.delete(name)
    try {
      await context.virtual.delete(nodes, { name }, { preconditions: { uid }, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const amounts = { cpu: '64', memory: '256Gi', 'ephemeral-storage': '1Ti', pods: '1000' }

function nodeNamed(
  name: string,
  { hostIP, now }: { readonly hostIP?: string | undefined; readonly now: string },
): Node {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  })
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', [ownLabel]: 'true' },
    },
    spec: {},
    status: {
      capacity: amounts,
      allocatable: amounts,
      addresses: [
        ...(hostIP === undefined || hostIP === '' ? [] : [{ type: 'InternalIP', address: hostIP }]),
        { type: 'Hostname', address: name },
      ],
      conditions: [
        condition('Ready', 'True', 'HostReady', "pods of this plane run on the host's nodes"),
        condition('MemoryPressure', 'False', 'HostReady', ''),
        condition('DiskPressure', 'False', 'HostReady', ''),
        condition('PIDPressure', 'False', 'HostReady', ''),
      ],
      nodeInfo: {
        architecture: '',
        bootID: '',
        containerRuntimeVersion: '',
        kernelVersion: '',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.3',
        machineID: '',
        operatingSystem: 'linux',
        osImage: '',
        systemUUID: '',
      },
    },
  }
}
