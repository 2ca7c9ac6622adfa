// A virtual cluster in a terminal: a plane on loopback, its files, and sync to a host when there is one.
// The command that starts it only reads flags.

import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { writeKubeconfig } from '../client/kubeconfig-file.ts'
import { systemClock } from '../platform/clock.ts'
import { createLogger } from '../platform/log.ts'
import { systemRandom } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import { openPlane, type Plane } from './plane.ts'

export interface LocalOptions {
  /** Absent: no host, pods stay Pending. */
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  readonly namespace: string | undefined
  readonly id: string
  readonly port: number
  readonly advertiseAddress: string | undefined
  readonly dataDirectory: string
  readonly kubeconfigFile: string
  readonly isVerbose: boolean
}

export interface Local extends AsyncDisposable {
  readonly plane: Plane
  readonly readyLine: string
  /** Resolves after a signal, when everything has stopped. */
  readonly ended: Promise<unknown>
}

/** Rejects with an error whose message a person can act on. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const clock = systemClock
  const random = systemRandom
  const log = createLogger({ level: options.isVerbose ? 'debug' : 'warn' })
  const shutdown = new Shutdown({ clock, log })
  try {
    const dataDirectory = resolve(options.dataDirectory)
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const started = clock.monotonic()
    const plane = await openPlane({
      dataDirectory,
      listen: { host: '127.0.0.1', port: options.port },
      ...(options.advertiseAddress === undefined ? {} : { advertise: { address: options.advertiseAddress } }),
      clock,
      random,
      log,
    })
    shutdown.add('plane', plane)
    await writeKubeconfig({
      path: resolve(options.kubeconfigFile),
      content: plane.kubeconfig({ name: options.id }),
    })
    const seconds = ((clock.monotonic() - started) / 1_000).toFixed(2)
    const readyLine = `k3v is ready at ${plane.url} in ${seconds} s, without a host; export KUBECONFIG=${resolve(options.kubeconfigFile)}`
    return { plane, readyLine, ended: shutdown.untilSignal(), [Symbol.asyncDispose]: () => shutdown.stop() }
  } catch (error) {
    await shutdown.stop()
    throw explained(error, options)
  }
}

function explained(error: unknown, { port }: LocalOptions): unknown {
  if (!(error instanceof Error && 'code' in error)) return error
  if (error.code === 'EADDRINUSE') {
    const mend = 'choose another with --listen-port, or stop what listens there'
    return new Error(`port ${port} on 127.0.0.1 is in use: ${mend}`, { cause: error })
  }
  if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'ENOSPC') {
    return new Error(`the state cannot be written: ${error.message}`, { cause: error })
  }
  return error
}
