// A virtual cluster in a terminal: a plane on loopback, its files, and sync to a host when there is one.
// The command that starts it only reads flags.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { connectKubeconfig } from '../client/kubeconfig.ts'
import { writeKubeconfig } from '../client/kubeconfig-file.ts'
import { accessesOf, describeAccesses, missingAccess } from '../deploy/host/access.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createLogger, type Logger } from '../platform/log.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import { releaseRules } from './host-rights.ts'
import { openPlane, type Plane, type PlaneOptions } from './plane.ts'
import { openSyncedPlane } from './sync.ts'

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
  /** Resolves after a signal, when everything has stopped; rejects when the plane can write no more. */
  readonly ended: Promise<unknown>
}

/** Rejects with an error whose message a person can act on. */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const clock = systemClock
  const random = systemRandom
  const log = createLogger({ level: options.isVerbose ? 'debug' : 'warn' })
  const shutdown = new Shutdown({ clock, log })
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => undefined)
  try {
    const dataDirectory = resolve(options.dataDirectory)
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    const started = clock.monotonic()
    const { plane, host } = await open(options, {
      dataDirectory,
      shutdown,
      clock,
      random,
      log,
      onFailure: failed.reject,
    })
    await writeKubeconfig({
      path: resolve(options.kubeconfigFile),
      content: plane.kubeconfig({ name: options.id }),
    })
    const seconds = ((clock.monotonic() - started) / 1_000).toFixed(2)
    const readyLine = `k3v is ready at ${plane.url} in ${seconds} s, ${host}; export KUBECONFIG=${resolve(options.kubeconfigFile)}`
    const ended = Promise.race([shutdown.untilSignal(), failed.promise]).finally(() => shutdown.stop())
    return { plane, readyLine, ended, [Symbol.asyncDispose]: () => shutdown.stop() }
  } catch (error) {
    await shutdown.stop()
    throw explained(error, options)
  }
}

interface Surroundings {
  readonly dataDirectory: string
  readonly shutdown: Shutdown
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly onFailure: (error: Error) => void
}

interface Opened {
  readonly plane: Plane
  /** For the ready line. */
  readonly host: string
}

async function open(options: LocalOptions, surroundings: Surroundings): Promise<Opened> {
  const { dataDirectory, shutdown, clock, random, log, onFailure } = surroundings
  const address = options.advertiseAddress
  if (address !== undefined && options.port === 0)
    throw new Error('--advertise-address needs a --listen-port of its own: pods must know where to call')
  const planeOptions: PlaneOptions = {
    dataDirectory,
    // Pods come from other machines; without them nobody but this user does.
    listen: { host: address === undefined ? '127.0.0.1' : '0.0.0.0', port: options.port },
    ...(address === undefined ? {} : { advertise: { address } }),
    onFailure,
    clock,
    random,
    log,
  }
  if (options.kubeconfig === undefined) {
    const plane = shutdown.add('plane', await openPlane(planeOptions))
    return { plane, host: 'without a host' }
  }
  const { client, server, namespace } = await connectLocalHost(options, shutdown)
  const planeUid = await keptUid(dataDirectory, options.id, random)
  const synced = await openSyncedPlane(planeOptions, {
    client,
    namespace,
    planeUid,
    // Pods get no token of the host's, whatever their account may do.
    workloadServiceAccount: 'default',
    apiAddress: address === undefined ? undefined : { host: address, port: options.port },
  })
  shutdown.add('plane and sync', synced)
  const reach = address === undefined ? '; pods cannot reach this API without --advertise-address' : ''
  return { plane: synced.plane, host: `its pods in namespace ${namespace} of ${server}${reach}` }
}

/** Rejects with what is missing before anything is made. */
async function connectLocalHost({ kubeconfig, context, namespace: asked }: LocalOptions, shutdown: Shutdown) {
  const connection = await connectKubeconfig({ path: kubeconfig, context, userAgent: 'k3v' })
  shutdown.add('host client', connection.client)
  const namespace = asked ?? connection.namespace
  const missing = await missingAccess(connection.client, namespace, accessesOf(releaseRules()))
  if (missing.length > 0) {
    const what = describeAccesses(missing)
    throw new Error(`you may not sync to namespace ${namespace} of ${connection.server}: missing ${what}`)
  }
  return { ...connection, namespace }
}

// Label values hold 63 characters, a UUID 36.
const idMax = 26

/** Made once: host objects are found by it for as long as this data lives. */
async function keptUid(dataDirectory: string, id: string, random: Random): Promise<string> {
  const path = join(dataDirectory, 'plane-uid')
  const kept = await readFile(path, 'utf8').catch(() => '')
  if (kept !== '') return kept.trim()
  const readable = id
    .replaceAll(/[^A-Za-z0-9-]/g, '-')
    .replace(/^-+/, '')
    .slice(0, idMax)
  const uid = `${readable === '' ? '' : `${readable}-`}${random.uuid()}`
  await writeFile(path, `${uid}\n`, { mode: 0o600 })
  return uid
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
