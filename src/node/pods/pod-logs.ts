// What a container said, as `kubectl logs` asks for it: this run or the one before, whole or followed.
// How it stands on disk is process/'s.

import { badRequest, notFound } from '../../api/status.ts'
import { followLog, type LogOptions, readLog } from '../process/log-reader.ts'
import type { LaunchedInstance } from './pod-launch.ts'
import type { ManagedPod, PodManager } from './pod-manager.ts'

export interface PodLogOptions extends LogOptions {
  readonly namespace: string
  readonly pod: string
  /** May be left out when the pod has one container. */
  readonly container?: string | undefined
  readonly previous?: boolean | undefined
}

export async function podLog(manager: PodManager, options: PodLogOptions): Promise<string> {
  const { path } = find(manager, options)
  return await readLog(path, options)
}

/** What is there, then what comes, until the container ends. */
export async function* followPodLog(
  manager: PodManager,
  options: PodLogOptions & { readonly signal?: AbortSignal | undefined },
): AsyncGenerator<string> {
  const { path, instance } = find(manager, options)
  if (instance?.running === undefined || options.previous === true) yield await readLog(path, options)
  else yield* followLog(instance.running.log, options)
}

interface Found {
  readonly path: string
  readonly instance: LaunchedInstance | undefined
}

function find(manager: PodManager, { namespace, pod, container, previous = false }: PodLogOptions): Found {
  const managed = manager.find(namespace, pod)
  if (managed === undefined) throw notFound({ group: '', resource: 'pods' }, pod)
  const name = container ?? onlyContainer(managed, pod)
  const run = managed.run.run(name)
  if (run === undefined) throw badRequest(`container ${name} is not valid for pod ${pod}`)
  const hasEnded = run.ended !== undefined
  const { state, restartCount, instance } = run
  if (previous && restartCount === 0)
    throw badRequest(
      `previous terminated container ${JSON.stringify(name)} in pod ${JSON.stringify(pod)} not found`,
    )
  if (state.type === 'waiting' && !hasEnded) {
    throw badRequest(
      `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod)} is waiting to start: ${state.reason}`,
    )
  }
  return {
    path: managed.launcher.logPath(name, restartCount - (previous ? 1 : 0)),
    instance: instance as LaunchedInstance | undefined,
  }
}

function onlyContainer({ run }: ManagedPod, pod: string): string {
  const names = run.pod.spec?.containers.map(({ name }) => name) ?? []
  const [first = ''] = names
  if (names.length > 1)
    throw badRequest(`a container name must be specified for pod ${pod}, choose one of: [${names.join(' ')}]`)
  return first
}
