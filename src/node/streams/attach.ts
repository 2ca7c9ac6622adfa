// A container's output from now on, in the shape of a command that says it: what attach shows.
// There is no input: programs of this host are started without one.

import { Readable, Writable } from 'node:stream'
import { badRequest } from '../../api/status.ts'
import type { NodeActor } from '../actor.ts'
import type { PodExec } from '../pods/pod-exec.ts'

export interface AttachOptions {
  readonly namespace: string
  readonly pod: string
  /** The first that runs unless given. */
  readonly container?: string | undefined
  /** Lets go of it; the container runs on. */
  readonly signal: AbortSignal
}

/** Ends with the container. Throws 400 when none of that name runs. */
export function attachPod(
  actor: Pick<NodeActor, 'followLogs' | 'processes'>,
  options: AttachOptions,
): PodExec {
  const { namespace, pod, signal } = options
  const running = actor.processes().filter((one) => one.namespace === namespace && one.pod === pod)
  const found = running.find(
    ({ container }) => options.container === undefined || container === options.container,
  )
  if (found === undefined) {
    throw badRequest(`container ${options.container ?? ''} of pod ${pod} has no process to attach to`)
  }
  const lines = actor.followLogs({ namespace, pod, container: found.container, tail: 0, signal })
  const stdout = Readable.from(lines, { objectMode: false })
  // Letting go of it is how most end.
  stdout.on('error', () => undefined)
  const exited = new Promise<void>((resolve) => stdout.once('close', () => resolve()))
  return {
    stdin: new Writable({ write: (_chunk, _encoding, done) => done() }),
    stdout,
    stderr: Readable.from([]),
    exited: exited.then(() => ({ exitCode: 0, signal: undefined })),
  }
}
