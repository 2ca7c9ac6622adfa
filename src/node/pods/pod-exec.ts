// Runs a command in a container that runs, as `kubectl exec` asks for it: with its files, variables and network.
// The wire is the server's.

import type { Readable, Writable } from 'node:stream'
import { badRequest, notFound } from '../../api/status.ts'
import { type Exit, startPipedProcess } from '../process/process.ts'
import type { LaunchedInstance } from './pod-launch.ts'
import type { PodManager } from './pod-manager.ts'

export interface PodExecOptions {
  readonly namespace: string
  readonly pod: string
  /** The first of the pod's unless given. */
  readonly container?: string | undefined
  readonly command: readonly string[]
  /** Ends the command. */
  readonly signal?: AbortSignal | undefined
}

/** There is no terminal: what wants one gets pipes. */
export interface PodExec {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Never rejects. */
  readonly exited: Promise<Exit>
}

/** Throws ApiError when there is no such container or it does not run; any error when the command cannot be started. */
export async function podExec(manager: PodManager, options: PodExecOptions): Promise<PodExec> {
  const { namespace, pod, command, signal } = options
  const managed = manager.find(namespace, pod)
  if (managed === undefined) throw notFound({ group: '', resource: 'pods' }, pod)
  const name = options.container ?? managed.run.pod.spec?.containers[0]?.name ?? ''
  const run = managed.run.run(name)
  if (run === undefined) throw badRequest(`container ${name} is not valid for pod ${pod}`)
  const instance: LaunchedInstance | undefined = run.instance
  if (instance === undefined) throw badRequest(`container not found (${JSON.stringify(name)})`)
  if (instance.running === undefined) {
    throw badRequest(`container ${JSON.stringify(name)} is simulated: there is nothing to run a command in`)
  }
  const child = await startPipedProcess(instance.running.launch(command)).catch((error: Error) => {
    const reason =
      'code' in error && error.code === 'ENOENT' ? 'executable file not found in $PATH' : error.message
    throw badRequest(`exec: ${JSON.stringify(command[0])}: ${reason}`)
  })
  const kill = (): void => child.signal('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  if (signal?.aborted === true) kill()
  void instance.exited.then(kill)
  const exited = child.exited.then((exit) => {
    signal?.removeEventListener('abort', kill)
    return exit
  })
  return { stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, exited }
}
