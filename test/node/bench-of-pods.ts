// A bench for containers without an API: processes with the preload, a network between them, and a view made by hand.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EndpointSlice, Pod, Service } from '../../src/api/models.ts'
import type { ClusterView } from '../../src/node/network/cluster-view.ts'
import { isHeadless } from '../../src/node/network/cluster-view.ts'
import { type Network, startNetwork } from '../../src/node/network/network.ts'
import type { Mount } from '../../src/node/preload/config.ts'
import { startContainer } from '../../src/node/process/container.ts'
import { readLog } from '../../src/node/process/log-reader.ts'
import { preparePreload } from '../../src/node/process/preload-files.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

export interface Bench extends AsyncDisposable {
  readonly directory: string
  readonly network: Network
  readonly services: Service[]
  readonly slices: EndpointSlice[]
  /** Starts `source` as a module below the mount /app of a pod; ends with the bench. */
  run(options: RunOptions): Promise<Running>
}

export interface RunOptions {
  readonly podIP: string
  readonly source: string
  readonly name?: string
  readonly mounts?: readonly Mount[]
  readonly env?: Readonly<Record<string, string>>
  readonly spec?: Partial<Pod['spec']>
  readonly commandLine?: readonly string[]
}

export interface Running {
  readonly pid: number
  readonly exited: Promise<{ readonly exitCode: number }>
  signal(name: NodeJS.Signals): void
  log(): Promise<string>
  /** Waits until the log holds this. */
  logged(text: string): Promise<void>
}

export async function startBench(): Promise<Bench> {
  const directory = await mkdtemp(join(tmpdir(), 'k3v-node-'))
  const services: Service[] = []
  const slices: EndpointSlice[] = []
  const network = await startNetwork({
    view: viewOf(services, slices),
    networks: [
      { network: '10.244.0.0', prefix: 16 },
      { network: '10.96.0.0', prefix: 16 },
      { network: '10.240.0.1', prefix: 32 },
    ],
    api: undefined,
    nodeAddress: '10.240.0.1',
    random: systemRandom,
    log: silentLogger,
  })
  const running: Running[] = []
  return {
    directory,
    network,
    services,
    slices,
    run: async (options) => {
      const one = await startOne(options, { directory: join(directory, `${running.length}`), network })
      running.push(one)
      return one
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of running) one.signal('SIGKILL')
      await Promise.all(running.map((one) => one.exited))
      await network[Symbol.asyncDispose]()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function viewOf(services: Service[], slices: EndpointSlice[]): ClusterView {
  return {
    service: (namespace, name) =>
      services.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
    serviceAt: (address) => services.find((one) => !isHeadless(one) && one.spec?.clusterIP === address),
    services: (namespace) => services.filter(({ metadata }) => metadata.namespace === namespace),
    slicesOf: ({ metadata }) =>
      slices.filter((slice) => slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name),
    pod: () => undefined,
  }
}

async function startOne(
  options: RunOptions,
  { directory, network }: { directory: string; network: Network },
): Promise<Running> {
  const app = join(directory, 'app')
  await mkdir(app, { recursive: true })
  await writeFile(join(app, 'main.mjs'), options.source)
  const pod: Pod = {
    metadata: { name: options.name ?? 'pod', namespace: 'default' },
    spec: { containers: [], ...options.spec },
    status: { podIP: options.podIP },
  }
  const mounts = [{ path: '/app', source: app, isReadOnly: false }, ...(options.mounts ?? [])]
  const container = await startContainer({
    directory: join(directory, 'container'),
    podDirectory: directory,
    binDirectory: join(directory, 'bin'),
    preloadUrl: await preparePreload(join(directory, 'preload')),
    mounts,
    commandLine: options.commandLine ?? ['node', '/app/main.mjs'],
    env: options.env ?? {},
    workingDirectory: undefined,
    hostname: options.name ?? 'pod',
    member: { podIP: options.podIP, pod: () => pod },
    network,
    logPath: join(directory, 'log'),
    clock: systemClock,
  })
  const log = (): Promise<string> => readLog(join(directory, 'log'))
  return {
    ...container,
    log,
    logged: async (text) => {
      const changed = container.log
      for (;;) {
        const wake = Promise.withResolvers<void>()
        const end = changed.onChange(wake.resolve)
        const seen = await log()
        if (seen.includes(text)) return end()
        if (changed.isClosed) throw new Error(`it ended and never logged ${text}: ${seen}`)
        await wake.promise
        end()
      }
    },
  }
}
