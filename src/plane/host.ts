// The embedded host: a plane on loopback and a node actor that runs its pods as processes of this machine.
// For trying and testing. What a pod is here, node/ knows; the command that starts it only reads flags.

import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { UserInfo } from '../api/contracts.ts'
import type { Client } from '../client/client.ts'
import { type KubeconfigContent, writeKubeconfig } from '../client/kubeconfig-file.ts'
import { pods } from '../client/resources.ts'
import { type NodeActor, nodeAddress, startNodeActor } from '../node/actor.ts'
import { type Clock, systemClock } from '../platform/clock.ts'
import { createLogger, type Logger, silentLogger } from '../platform/log.ts'
import { type Random, systemRandom } from '../platform/random.ts'
import { Shutdown } from '../platform/shutdown.ts'
import { answerHostLogs } from './host-logs.ts'
import { answerHostUpgrades } from './host-upgrades.ts'
import { type KubeconfigOptions, openPlane, type Plane } from './plane.ts'

const hostUser: UserInfo = { name: 'system:k3v-host', groups: ['system:masters', 'system:authenticated'] }

export interface EmbeddedHostOptions {
  readonly dataDirectory: string
  /** 0, the default, takes any free port of loopback. */
  readonly port?: number | undefined
  /** Keep the API's objects from one start to the next, below `dataDirectory`; in memory only when false. */
  readonly isKept?: boolean | undefined
  /** Repositories whose images are run as processes; those of Node unless given. */
  readonly images?: readonly string[] | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
  readonly log?: Logger | undefined
}

export interface EmbeddedHost extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly plane: Plane
  readonly actor: NodeActor
  /** In this process, as an administrator. */
  readonly client: Client
  /** With a client certificate for this user; an administrator unless said. */
  kubeconfig(options?: KubeconfigOptions): KubeconfigContent
  /** Stops every process that it started. */
  close(): Promise<void>
}

/** Resolves when pods can run; when it rejects, nothing is left running. */
export async function startEmbeddedHost(options: EmbeddedHostOptions): Promise<EmbeddedHost> {
  const { clock = systemClock, random = systemRandom, log = silentLogger } = options
  const shutdown = new Shutdown({ clock, log, stopTimeoutMs: 30_000 })
  const dataDirectory = resolve(options.dataDirectory)
  try {
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 })
    let actor: NodeActor | undefined
    const plane: Plane = await openPlane({
      ...(options.isKept === false ? {} : { dataDirectory: join(dataDirectory, 'plane') }),
      listen: { host: '127.0.0.1', port: options.port ?? 0 },
      advertise: { address: nodeAddress },
      connect: answerHostLogs({ actor: () => actor, clock }),
      upgrade: answerHostUpgrades({
        actor: () => actor,
        pod: (target) => plane.clientFor(hostUser, 'k3v-host').get(pods, target),
      }),
      egress: {
        dial: async ({ host, port }, { signal }) => {
          if (actor === undefined) throw new Error('the node has not started yet')
          return actor.dial({ address: host, port }, { signal })
        },
      },
      clock,
      random,
      log,
    })
    shutdown.add('plane', plane)
    const node = await startNodeActor({
      client: plane.clientFor(hostUser, 'k3v-host'),
      dataDirectory: join(dataDirectory, 'node'),
      api: { host: '127.0.0.1', port: plane.port },
      images: options.images,
      clock,
      random,
      log,
    })
    shutdown.add('node', node)
    actor = node
    const close = (): Promise<void> => shutdown.stop()
    return {
      url: plane.url,
      port: plane.port,
      plane,
      actor: node,
      client: plane.clientFor(hostUser, 'k3v'),
      kubeconfig: (wanted) => plane.kubeconfig({ name: 'k3v-host', ...wanted }),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await shutdown.stop()
    throw error
  }
}

export interface HostCommandOptions {
  readonly dataDirectory: string
  readonly port: number
  readonly kubeconfigFile: string
  readonly isVerbose: boolean
}

export interface HostCommand {
  readonly url: string
  readonly kubeconfigFile: string
  readonly readyLine: string
  /** Resolves after a signal, when everything has stopped. */
  readonly ended: Promise<unknown>
}

/** As `k3v host` wants it: kept in a folder, its kubeconfig in a file, until a signal comes. */
export async function runEmbeddedHost(options: HostCommandOptions): Promise<HostCommand> {
  const clock = systemClock
  const log = createLogger({ level: options.isVerbose ? 'debug' : 'warn' })
  const shutdown = new Shutdown({ clock, log, stopTimeoutMs: 60_000 })
  const started = clock.monotonic()
  const host = shutdown.add('host', await startEmbeddedHost({ ...options, log }))
  const kubeconfigFile = resolve(options.kubeconfigFile)
  try {
    await writeKubeconfig({ path: kubeconfigFile, content: host.kubeconfig() })
  } catch (error) {
    await shutdown.stop()
    throw error
  }
  const seconds = ((clock.monotonic() - started) / 1_000).toFixed(2)
  const readyLine = `the embedded host is ready at ${host.url} in ${seconds} s; export KUBECONFIG=${kubeconfigFile}`
  return { url: host.url, kubeconfigFile, readyLine, ended: shutdown.untilSignal() }
}
