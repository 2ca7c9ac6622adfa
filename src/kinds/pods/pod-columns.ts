// The row of a pod in `kubectl get pods`: what its containers add up to.
// Upstream: printPod in pkg/printers/internalversion.

import type { KubeObject } from '../../api/object.ts'
import type { Column } from '../../api/table.ts'
import { ageColumn, ageOf, type Cell, nameColumn, nameOf, since, text, wide } from '../columns.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, numberOf, textOf } from '../fields.ts'

export const podColumns: readonly Column[] = [
  nameColumn,
  text('Ready'),
  text('Status'),
  text('Restarts'),
  ageColumn,
  wide('IP'),
  wide('Node'),
  wide('Nominated Node'),
  wide('Readiness Gates'),
]

export function podCells(pod: KubeObject, now: number): readonly Cell[] {
  const spec = fieldsOf(pod['spec'])
  const status = fieldsOf(pod['status'])
  const summary = summarise(pod, spec, status)
  const restarted =
    summary.restarts > 0 && summary.lastRestart !== ''
      ? `${summary.restarts} (${since(summary.lastRestart, now)} ago)`
      : String(summary.restarts)
  return [
    nameOf(pod),
    `${summary.ready}/${summary.total}`,
    summary.reason,
    restarted,
    ageOf(pod, now),
    textOf(itemsOf(status['podIPs'])[0]?.['ip']) || '<none>',
    textOf(spec['nodeName']) || '<none>',
    textOf(status['nominatedNodeName']) || '<none>',
    gatesCell(spec, status),
  ]
}

interface Summary {
  readonly total: number
  readonly ready: number
  readonly restarts: number
  readonly lastRestart: string
  readonly reason: string
}

function summarise(pod: KubeObject, spec: Fields, status: Fields): Summary {
  const sidecars = new Set(
    itemsOf(spec['initContainers'])
      .filter((container) => container['restartPolicy'] === 'Always')
      .map((container) => textOf(container['name'])),
  )
  const init = summariseInit(status, sidecars, itemsOf(spec['initContainers']).length)
  const isInitializing = init.reason !== '' && !hasCondition(status, 'Initialized')
  const main = isInitializing ? init : summariseMain(status, init, init.reason || baseReason(status))
  return {
    total: itemsOf(spec['containers']).length + sidecars.size,
    ready: main.ready,
    restarts: main.restarts,
    lastRestart: main.lastRestart,
    reason: endReason(pod, status) ?? main.reason,
  }
}

interface Sum {
  readonly ready: number
  readonly restarts: number
  readonly lastRestart: string
  readonly reason: string
}

/** The reason is empty when no init container is in the way. */
function summariseInit(
  status: Fields,
  sidecars: ReadonlySet<string>,
  count: number,
): Sum & { readonly sidecarRestarts: number; readonly lastSidecarRestart: string } {
  let [ready, restarts, sidecarRestarts] = [0, 0, 0]
  let [lastRestart, lastSidecarRestart, reason] = ['', '', '']
  const statuses = itemsOf(status['initContainerStatuses'])
  for (const [index, container] of statuses.entries()) {
    const isSidecar = sidecars.has(textOf(container['name']))
    restarts += numberOf(container['restartCount'])
    lastRestart = later(lastRestart, container)
    if (isSidecar) {
      sidecarRestarts += numberOf(container['restartCount'])
      lastSidecarRestart = later(lastSidecarRestart, container)
    }
    const terminated = at(container, 'state', 'terminated')
    if (isPresent(terminated) && numberOf(at(terminated, 'exitCode')) === 0) continue
    if (isSidecar && container['started'] === true) {
      if (container['ready'] === true) ready += 1
      continue
    }
    const waiting = textOf(at(container, 'state', 'waiting', 'reason'))
    if (isPresent(terminated)) reason = `Init:${endedReason(fieldsOf(terminated))}`
    else if (waiting !== '' && waiting !== 'PodInitializing') reason = `Init:${waiting}`
    else reason = `Init:${index}/${count}`
    break
  }
  return { ready, restarts, lastRestart, reason, sidecarRestarts, lastSidecarRestart }
}

function summariseMain(status: Fields, init: ReturnType<typeof summariseInit>, start: string): Sum {
  let { ready, sidecarRestarts: restarts, lastSidecarRestart: lastRestart } = init
  let reason = start
  let errorReason = ''
  let hasRunning = false
  for (const container of itemsOf(status['containerStatuses']).toReversed()) {
    restarts += numberOf(container['restartCount'])
    lastRestart = later(lastRestart, container)
    const state = fieldsOf(container['state'])
    const waiting = textOf(at(state, 'waiting', 'reason'))
    if (waiting !== '') reason = waiting
    else if (isPresent(state['terminated'])) {
      const ended = fieldsOf(state['terminated'])
      reason = endedReason(ended)
      if (numberOf(ended['exitCode']) !== 0) errorReason = reason
    } else if (container['ready'] === true && isPresent(state['running'])) {
      hasRunning = true
      ready += 1
    }
  }
  if (reason === 'Completed') {
    if (hasRunning && hasCondition(status, 'Ready')) reason = 'Running'
    else if (errorReason !== '') reason = errorReason
    else if (hasRunning) reason = 'NotReady'
  }
  return { ready, restarts, lastRestart, reason }
}

function baseReason(status: Fields): string {
  const isGated = itemsOf(status['conditions']).some(
    (condition) => condition['type'] === 'PodScheduled' && condition['reason'] === 'SchedulingGated',
  )
  return isGated ? 'SchedulingGated' : textOf(status['reason']) || textOf(status['phase'])
}

function endReason(pod: KubeObject, status: Fields): string | undefined {
  if (!isPresent(pod.metadata.deletionTimestamp)) return undefined
  if (status['reason'] === 'NodeLost') return 'Unknown'
  return status['phase'] === 'Succeeded' || status['phase'] === 'Failed' ? undefined : 'Terminating'
}

function endedReason(terminated: Fields): string {
  const reason = textOf(terminated['reason'])
  if (reason !== '') return reason
  const signal = numberOf(terminated['signal'])
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberOf(terminated['exitCode'])}`
}

/** RFC 3339 in UTC sorts as text. */
function later(known: string, container: Fields): string {
  const finished = textOf(at(container, 'lastState', 'terminated', 'finishedAt'))
  return finished > known ? finished : known
}

function hasCondition(status: Fields, type: string): boolean {
  return itemsOf(status['conditions']).some(
    (condition) => condition['type'] === type && condition['status'] === 'True',
  )
}

function gatesCell(spec: Fields, status: Fields): string {
  const gates = itemsOf(spec['readinessGates'])
  if (gates.length === 0) return '<none>'
  const open = gates.filter((gate) => hasCondition(status, textOf(gate['conditionType'])))
  return `${open.length}/${gates.length}`
}

/** Clients grey out pods that are done. */
export function podRowConditions(pod: KubeObject): readonly unknown[] {
  const phase = at(pod, 'status', 'phase')
  if (phase === 'Succeeded') return [completed('Succeeded', 'The pod has completed successfully.')]
  if (phase === 'Failed') return [completed('Failed', 'The pod failed.')]
  return []
}

const completed = (reason: string, message: string) => ({
  type: 'Completed',
  status: 'True',
  reason,
  message,
})
