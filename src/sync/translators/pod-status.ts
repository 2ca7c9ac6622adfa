// A host pod's status as the tenant gets to see it: no host names, no containers that the host put in.

import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/models.ts'

export interface StatusContext {
  /** Takes host names out of a text. */
  readonly scrub: (text: string) => string
  /** RFC 3339, for conditions that are made here. */
  readonly now: string
}

const hostConditions = [
  'PodScheduled',
  'PodReadyToStartContainers',
  'Initialized',
  'ContainersReady',
  'Ready',
  'DisruptionTarget',
]

export function toVirtualStatus(host: Pod, virtual: Pod, context: StatusContext): PodStatus {
  const { status = {} } = host
  const { spec } = virtual
  const names = (containers: readonly { readonly name: string }[] | undefined) =>
    new Set(containers?.map(({ name }) => name) ?? [])
  const scrubbed = (text: string | undefined) => (text === undefined ? undefined : context.scrub(text))
  return defined({
    phase: status.phase ?? 'Pending',
    qosClass: virtual.status?.qosClass,
    conditions: conditions(host, virtual, context),
    reason: scrubbed(status.reason),
    message: scrubbed(status.message),
    startTime: status.startTime,
    hostIP: status.hostIP,
    hostIPs: status.hostIPs,
    podIP: status.podIP,
    podIPs: status.podIPs,
    containerStatuses: containerStatuses(status.containerStatuses, names(spec?.containers), context),
    initContainerStatuses: containerStatuses(
      status.initContainerStatuses,
      names(spec?.initContainers),
      context,
    ),
  })
}

/** Those of the kubelet, and those that others set in the plane; Ready waits for the pod's gates. */
function conditions(host: Pod, virtual: Pod, context: StatusContext): readonly PodCondition[] | undefined {
  const before = virtual.status?.conditions ?? []
  const own = before.filter(({ type }) => !hostConditions.includes(type))
  const fromHost = (host.status?.conditions ?? [])
    .filter(({ type }) => hostConditions.includes(type))
    .map((condition) => toVirtualCondition(condition, context))
  const gates = virtual.spec?.readinessGates ?? []
  const closed = gates.filter(
    ({ conditionType }) => own.find(({ type }) => type === conditionType)?.status !== 'True',
  )
  const gated = fromHost.map((condition) => {
    if (condition.type !== 'Ready' || condition.status !== 'True' || closed.length === 0) return condition
    const last = before.find(({ type }) => type === 'Ready')
    const quoted = closed.map(({ conditionType }) => `"${conditionType}"`).join(', ')
    return {
      ...condition,
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message: `the status of pod readiness gate ${quoted} is not "True", but False`,
      lastTransitionTime: last?.status === 'False' ? last.lastTransitionTime : context.now,
    }
  })
  const all = [...own, ...gated]
  return all.length === 0 ? undefined : all
}

function toVirtualCondition(condition: PodCondition, { scrub }: StatusContext): PodCondition {
  const { type, status, reason, message, lastProbeTime, lastTransitionTime } = condition
  return defined({
    type,
    status,
    lastProbeTime,
    lastTransitionTime,
    reason,
    message: message === undefined ? undefined : scrub(message),
  })
}

function containerStatuses(
  statuses: readonly ContainerStatus[] | undefined,
  names: ReadonlySet<string>,
  context: StatusContext,
): readonly ContainerStatus[] | undefined {
  if (statuses === undefined) return undefined
  return statuses
    .filter(({ name }) => names.has(name))
    .map((status) =>
      defined({
        name: status.name,
        image: status.image,
        imageID: status.imageID,
        containerID: status.containerID,
        ready: status.ready,
        restartCount: status.restartCount,
        started: status.started,
        state: toVirtualState(status.state, context),
        lastState: toVirtualState(status.lastState, context),
        resources: status.resources,
        allocatedResources: status.allocatedResources,
        stopSignal: status.stopSignal,
        user: status.user,
      }),
    )
}

function toVirtualState(
  state: ContainerState | undefined,
  { scrub }: StatusContext,
): ContainerState | undefined {
  if (state === undefined) return undefined
  const { waiting, running, terminated } = state
  const scrubbed = <T extends { readonly message?: string | undefined }>(part: T): T =>
    part.message === undefined ? part : { ...part, message: scrub(part.message) }
  return defined({
    running,
    waiting: waiting === undefined ? undefined : scrubbed(waiting),
    terminated: terminated === undefined ? undefined : scrubbed(terminated),
  })
}

function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
