// A pod's status from its containers': phase and conditions, as the kubelet says them. Pure.
// Upstream: pkg/kubelet/kubelet_pods.go (getPhase) and pkg/kubelet/status/generate.go.

import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/models.ts'

export interface StatusInput {
  readonly pod: Pod
  readonly containers: readonly ContainerStatus[]
  readonly initContainers: readonly ContainerStatus[]
  readonly podIP: string
  readonly hostIP: string
  /** RFC 3339. */
  readonly now: string
  /** Why the pod as a whole was ended: DeadlineExceeded. */
  readonly failure?: { readonly reason: string; readonly message: string } | undefined
  /** What a person should know of a pod that is simulated. */
  readonly message?: string | undefined
  /** Its containers are ended for good: it is being deleted. */
  readonly isOver?: boolean | undefined
}

type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed'

export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'

export function statusOf(input: StatusInput): PodStatus {
  const { pod, containers, initContainers, podIP, hostIP, now, failure, message } = input
  const phase = failure === undefined ? phaseOf(input) : 'Failed'
  const old = pod.status ?? {}
  return {
    ...old,
    phase,
    conditions: conditionsOf(input, phase),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: old.startTime ?? now,
    reason: failure?.reason,
    message: failure?.message ?? message,
    ...(initContainers.length === 0 ? {} : { initContainerStatuses: initContainers }),
    containerStatuses: containers,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
}

function phaseOf({ pod, containers, initContainers, isOver }: StatusInput): Phase {
  const policy = pod.spec?.restartPolicy ?? 'Always'
  if (isOver === true)
    return isAllWell(containers) && isInitialized(pod, initContainers) ? 'Succeeded' : 'Failed'
  const hasFailedInit = initContainers.some((status) => !isOwnSidecar(pod, status) && isFailed(status))
  if (hasFailedInit && policy === 'Never') return 'Failed'
  if (!isInitialized(pod, initContainers)) return 'Pending'
  const waiting = containers.filter(
    ({ state, lastState }) => state?.waiting !== undefined && lastState?.terminated === undefined,
  )
  if (waiting.length > 0) return 'Pending'
  if (containers.some(({ state }) => state?.running !== undefined)) return 'Running'
  const isSidecarRunning = initContainers.some(({ state }) => state?.running !== undefined)
  if (policy === 'Always' || isSidecarRunning) return 'Running'
  // One that waits for its next start is not over.
  if (containers.some(({ state }) => state?.waiting !== undefined)) return 'Running'
  if (isAllWell(containers)) return 'Succeeded'
  return policy === 'Never' ? 'Failed' : 'Running'
}

const isFailed = ({ state }: ContainerStatus): boolean => (state?.terminated?.exitCode ?? 0) !== 0

const isAllWell = (containers: readonly ContainerStatus[]): boolean =>
  containers.every(({ state }) => state?.terminated?.exitCode === 0)

function isOwnSidecar({ spec }: Pod, status: ContainerStatus): boolean {
  return spec?.initContainers?.some((one) => one.name === status.name && isSidecar(one)) === true
}

function isInitialized(pod: Pod, initContainers: readonly ContainerStatus[]): boolean {
  return incompleteInit(pod, initContainers).length === 0
}

/** A sidecar counts once it has started; that it ends later changes nothing. */
function incompleteInit(pod: Pod, statuses: readonly ContainerStatus[]): readonly string[] {
  const isDone = (status: ContainerStatus): boolean =>
    isOwnSidecar(pod, status)
      ? status.started === true ||
        status.state?.terminated !== undefined ||
        status.lastState?.terminated !== undefined
      : status.state?.terminated?.exitCode === 0
  return statuses.filter((status) => !isDone(status)).map(({ name }) => name)
}

interface Claim {
  readonly type: string
  readonly isTrue: boolean
  readonly reason?: string | undefined
  readonly message?: string | undefined
}

const owned = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']

function conditionsOf(
  { pod, containers, initContainers, now }: StatusInput,
  phase: Phase,
): readonly PodCondition[] {
  const old = pod.status?.conditions ?? []
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  const incomplete = incompleteInit(pod, initContainers)
  const initialized: Claim =
    incomplete.length === 0 || phase === 'Succeeded'
      ? { type: 'Initialized', isTrue: true, reason: phase === 'Succeeded' ? 'PodCompleted' : undefined }
      : {
          type: 'Initialized',
          isTrue: false,
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        }
  const ready = containersReady({ pod, containers, initContainers, phase })
  const claims: readonly Claim[] = [
    { type: 'PodReadyToStartContainers', isTrue: !isOver },
    initialized,
    { ...podReady(pod, ready), type: 'Ready' },
    { ...ready, type: 'ContainersReady' },
  ]
  const scheduled = old.find(({ type }) => type === 'PodScheduled') ?? {
    type: 'PodScheduled',
    status: 'True',
    lastTransitionTime: now,
  }
  const others = old.filter(({ type }) => !owned.includes(type))
  return [...claims.map((claim) => conditionOf(claim, { old, now, pod })), scheduled, ...others]
}

interface Readiness {
  readonly pod: Pod
  readonly containers: readonly ContainerStatus[]
  readonly initContainers: readonly ContainerStatus[]
  readonly phase: Phase
}

function containersReady({ pod, containers, initContainers, phase }: Readiness): Omit<Claim, 'type'> {
  if (phase === 'Succeeded') return { isTrue: false, reason: 'PodCompleted' }
  if (phase === 'Failed') return { isTrue: false, reason: 'PodFailed' }
  const sidecars = initContainers.filter((status) => isOwnSidecar(pod, status))
  const unready = [...sidecars, ...containers].filter(({ ready }) => !ready).map(({ name }) => name)
  if (unready.length === 0) return { isTrue: true }
  return {
    isTrue: false,
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  }
}

function podReady({ spec, status }: Pod, containers: Omit<Claim, 'type'>): Omit<Claim, 'type'> {
  if (!containers.isTrue) return containers
  const missing = (spec?.readinessGates ?? [])
    .map(({ conditionType }) => ({
      conditionType,
      found: status?.conditions?.find(({ type }) => type === conditionType),
    }))
    .filter(({ found }) => found?.status !== 'True')
    .map(({ conditionType, found }) =>
      found === undefined
        ? `corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`
        : `the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${found.status}`,
    )
  return missing.length === 0
    ? { isTrue: true }
    : { isTrue: false, reason: 'ReadinessGatesNotReady', message: missing.join(', ') }
}

function conditionOf(
  { type, isTrue, reason, message }: Claim,
  { old, now, pod }: { readonly old: readonly PodCondition[]; readonly now: string; readonly pod: Pod },
): PodCondition {
  const status = isTrue ? 'True' : 'False'
  const before = old.find((one) => one.type === type)
  const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? now) : now
  const { generation } = pod.metadata
  return {
    type,
    status,
    lastTransitionTime,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
}
