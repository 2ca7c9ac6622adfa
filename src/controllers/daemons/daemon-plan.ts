// Which pods a daemon set makes and removes: one on each node that it belongs on, and later the new for the old. Pure.
// Upstream: podsShouldBeOnNode and rollingUpdate in pkg/controller/daemon.

import type { DaemonSet, Node, Pod } from '../../api/models.ts'
import { isAvailable, isReady, isTerminating } from '../workloads/pods.ts'
import { burstMax } from '../workloads/replica-plan.ts'
import { share } from '../workloads/rollout.ts'
import { daemonSpec, isUpdated, nodeOf, oldestFirst } from './daemon-pods.ts'
import { fitOf } from './node-fit.ts'

export interface DaemonWorld {
  readonly set: DaemonSet
  readonly nodes: readonly Node[]
  /** All pods of the set. */
  readonly pods: readonly Pod[]
  readonly hash: string
  readonly nowMs: number
}

export interface DaemonPlan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
}

/** Pods by the node they are for. Those that ended and go already count no more. */
export function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const isOver = (pod: Pod) =>
    isTerminating(pod) && (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed')
  return Map.groupBy(
    pods.filter((pod) => !isOver(pod) && nodeOf(pod) !== undefined),
    (pod) => nodeOf(pod) ?? '',
  )
}

/** First every node gets what it should have; only then the old make room for the new. */
export function planDaemons(world: DaemonWorld): DaemonPlan {
  const plan = planNodes(world)
  if (plan.create.length + plan.remove.length > 0) return bounded(plan)
  if (world.set.spec?.updateStrategy?.type === 'OnDelete') return plan
  return bounded(planUpdate(world))
}

const bounded = ({ create, remove }: DaemonPlan): DaemonPlan => ({
  create: create.slice(0, burstMax),
  remove: remove.slice(0, burstMax),
})

function planNodes(world: DaemonWorld): DaemonPlan {
  const { set, nodes, pods } = world
  const byNode = podsByNode(pods)
  const spec = daemonSpec(set.spec?.template)
  const create: string[] = []
  const remove: Pod[] = []
  for (const node of nodes) {
    const name = node.metadata.name ?? ''
    const { shouldRun, mayStay } = fitOf(node, spec)
    const here = byNode.get(name) ?? []
    if (shouldRun && here.length === 0) create.push(name)
    else if (!mayStay) remove.push(...here.filter((pod) => !isTerminating(pod)))
    else {
      const { surplus, isEmpty } = settleNode(world, here)
      remove.push(...surplus)
      if (isEmpty && shouldRun && allowsSurge(set)) create.push(name)
    }
  }
  return { create, remove: [...remove, ...lostPods(nodes, byNode)] }
}

/** Pods for a node that went before they were placed. */
function lostPods(nodes: readonly Node[], byNode: ReadonlyMap<string, readonly Pod[]>): readonly Pod[] {
  const names = new Set(nodes.map(({ metadata }) => metadata.name))
  return [...byNode].flatMap(([name, pods]) =>
    names.has(name) ? [] : pods.filter((pod) => (pod.spec?.nodeName ?? '') === '' && !isTerminating(pod)),
  )
}

export const hasEnded = ({ status }: Pod): boolean =>
  status?.phase === 'Failed' || status?.phase === 'Succeeded'

function settleNode({ set, hash, nowMs }: DaemonWorld, here: readonly Pod[]) {
  const staying = here.filter((pod) => !isTerminating(pod))
  const ended = staying.filter(hasEnded)
  const running = staying.filter((pod) => !hasEnded(pod)).sort(oldestFirst)
  const isEmpty = running.length === 0
  if (!allowsSurge(set)) return { surplus: [...ended, ...running.slice(1)], isEmpty }
  // One new and one old may stand side by side, until the new one serves or the old one does not.
  const [newest, oldest] = [true, false].map((isNew) => running.find((pod) => isUpdated(pod, hash) === isNew))
  const surplus = running.filter((pod) => pod !== newest && pod !== oldest)
  if (newest === undefined || oldest === undefined) return { surplus: [...ended, ...surplus], isEmpty }
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  const isReplaced = !isReady(oldest) || isAvailable(newest, minReadySeconds, nowMs)
  return { surplus: [...ended, ...surplus, ...(isReplaced ? [oldest] : [])], isEmpty }
}

function limitsOf({ spec }: DaemonSet, nodes: number) {
  const { type, rollingUpdate } = spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return { surge: 0, unavailable: 0 }
  const surge = share(rollingUpdate?.maxSurge ?? 0, nodes, Math.ceil)
  const unavailable = share(rollingUpdate?.maxUnavailable ?? 1, nodes, Math.ceil)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}

const allowsSurge = (set: DaemonSet): boolean => limitsOf(set, 1).surge > 0

interface Standing {
  readonly node: string
  readonly shouldRun: boolean
  readonly old: Pod | undefined
  readonly fresh: Pod | undefined
  /** More than one of a sort: something else has to be settled first. */
  readonly isCrowded: boolean
}

function planUpdate(world: DaemonWorld): DaemonPlan {
  const { set, nodes, pods, hash } = world
  const spec = daemonSpec(set.spec?.template)
  const byNode = podsByNode(pods)
  const wanted = new Set(
    nodes.filter((node) => fitOf(node, spec).shouldRun).map(({ metadata }) => metadata.name ?? ''),
  )
  const standings = [...new Set([...byNode.keys(), ...wanted])].map((node): Standing => {
    const here = (byNode.get(node) ?? []).filter((pod) => !isTerminating(pod))
    const old = here.filter((pod) => !isUpdated(pod, hash))
    const fresh = here.filter((pod) => isUpdated(pod, hash))
    const isCrowded = old.length > 1 || fresh.length > 1
    return { node, shouldRun: wanted.has(node), old: old[0], fresh: fresh[0], isCrowded }
  })
  const { surge, unavailable } = limitsOf(set, wanted.size)
  return surge === 0
    ? planReplacement(world, standings, unavailable)
    : planSurge(world, standings, { surge, desired: wanted.size })
}

/** Old pods go, as many as may be missing; the next look makes the new ones. */
function planReplacement(
  { set, nowMs }: DaemonWorld,
  standings: readonly Standing[],
  unavailable: number,
): DaemonPlan {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0
  let missing = 0
  const useless: Pod[] = []
  const candidates: Pod[] = []
  for (const { old, fresh, isCrowded } of standings) {
    const only = isCrowded || (old !== undefined && fresh !== undefined) ? undefined : (old ?? fresh)
    const isServing = only !== undefined && isAvailable(only, minReadySeconds, nowMs)
    if (!isServing) missing += 1
    if (only === undefined || only === fresh) continue
    if (isServing) candidates.push(only)
    else useless.push(only)
  }
  return { create: [], remove: [...useless, ...candidates.slice(0, Math.max(0, unavailable - missing))] }
}

/** New pods come beside the old, which go when the new ones serve. */
function planSurge(
  { set, nowMs }: DaemonWorld,
  standings: readonly Standing[],
  { surge, desired }: { readonly surge: number; readonly desired: number },
): DaemonPlan {
  const isServing = (pod: Pod | undefined) =>
    pod !== undefined && isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
  let surging = 0
  let available = 0
  const remove: Pod[] = []
  const leaving: Pod[] = []
  const urgent: string[] = []
  const candidates: string[] = []
  for (const { node, shouldRun, old, fresh, isCrowded } of standings) {
    if (isCrowded) {
      surging += 1
      continue
    }
    if (isServing(old ?? fresh)) available += 1
    if (old === undefined) continue
    if (fresh !== undefined) {
      if (isServing(fresh)) remove.push(old)
      else surging += 1
    } else if (!isServing(old)) {
      if (shouldRun) urgent.push(node)
      else remove.push(old)
    } else if (shouldRun) candidates.push(node)
    else leaving.push(old)
  }
  // Where the set moves to other nodes, the old pods stay until the new ones serve.
  const spare = leaving.slice(0, Math.max(0, available - desired))
  const create = [...urgent, ...candidates.slice(0, Math.max(0, surge - surging))]
  return { create, remove: [...remove, ...spare] }
}
