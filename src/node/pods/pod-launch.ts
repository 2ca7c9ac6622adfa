// Makes the containers of one pod: folders, mounts, variables and a process, or a simulation of one.
// Their life is container-run.ts's; the pod's is pod-run.ts's.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Pod, Service } from '../../api/models.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Network } from '../network/network.ts'
import type { Mount } from '../preload/config.ts'
import { type RunningContainer, startContainer } from '../process/container.ts'
import { commandLine, isNodeImage } from '../process/image.ts'
import { readLog } from '../process/log-reader.ts'
import { forgetProcess, rememberProcess } from '../process/orphans.ts'
import { type Exit, startBareProcess } from '../process/process.ts'
import { mountsOf, type VolumeFolder } from '../volumes/mounts.ts'
import type { ConfigSource } from './config-source.ts'
import { environmentOf } from './environment.ts'
import { expand } from './expand.ts'
import { type Instance, simulate } from './instance.ts'
import { serviceVariables } from './service-links.ts'
import { isSidecar } from './status.ts'

export interface LaunchContext {
  /** The pod's own folder. */
  readonly directory: string
  readonly binDirectory: string
  readonly preloadUrl: string
  /** Where it is remembered which processes were started. */
  readonly processDirectory: string
  readonly podIP: string
  readonly network: Pick<Network, 'control' | 'networks'>
  readonly source: ConfigSource
  readonly allocatable: Readonly<Record<string, string>>
  readonly images: readonly string[]
  /** Empty namespace: none wanted. */
  readonly services: (namespace: string) => readonly Service[]
  readonly kubernetes: () => Service | undefined
  readonly volumes: () => ReadonlyMap<string, VolumeFolder>
  readonly clock: Clock
}

const wordsBytesMax = 4096
const logTailLines = 80
const logTailBytes = 2048

export class PodLauncher {
  readonly #context: LaunchContext

  constructor(context: LaunchContext) {
    this.#context = context
  }

  logPath(container: string, restartCount: number): string {
    return join(this.#folder(container), `${restartCount}.log`)
  }

  /** Throws ConfigError when the pod does not allow it. */
  async launch(pod: Pod, container: Container, restartCount: number): Promise<LaunchedInstance> {
    const { images } = this.#context
    if (!isNodeImage(container.image ?? '', images))
      return simulate({ endsAtOnce: endsAtOnce(pod, container) })
    const env = this.#environment(pod, container)
    const directory = this.#folder(container.name)
    await mkdir(join(directory, 'home'), { recursive: true, mode: 0o700 })
    const mounts = await mountsOf({ container, volumes: this.#context.volumes(), env, directory })
    const running = await this.#start(pod, container, {
      env,
      directory,
      restartCount,
      mounts: [...mounts, await this.#wordsFile(container)],
    })
    return this.#instanceOf(running)
  }

  /** What a program left in its file, or the end of its log when it may stand for it. */
  async lastWords(container: Container, restartCount: number, exit: Exit): Promise<string | undefined> {
    const words = await readFile(this.#wordsPath(container), 'utf8').catch(() => '')
    if (words !== '') return words.slice(0, wordsBytesMax)
    if (container.terminationMessagePolicy !== 'FallbackToLogsOnError' || exit.exitCode === 0)
      return undefined
    const log = await readLog(this.logPath(container.name, restartCount), { tail: logTailLines })
    return log.slice(-logTailBytes)
  }

  #folder(container: string): string {
    return join(this.#context.directory, 'containers', container)
  }

  #wordsPath({ name }: Container): string {
    return join(this.#folder(name), 'termination-log')
  }

  async #wordsFile(container: Container): Promise<Mount> {
    const source = this.#wordsPath(container)
    await writeFile(source, '')
    return { path: container.terminationMessagePath ?? '/dev/termination-log', source, isReadOnly: false }
  }

  #environment(pod: Pod, container: Container): Readonly<Record<string, string>> {
    const { source, allocatable, services, kubernetes } = this.#context
    const wantsLinks = pod.spec?.enableServiceLinks !== false
    const links = serviceVariables({
      services: wantsLinks ? services(pod.metadata.namespace ?? '') : [],
      kubernetes: kubernetes(),
    })
    return environmentOf({ pod, container, source, links, allocatable })
  }

  async #start(
    pod: Pod,
    container: Container,
    {
      env,
      directory,
      restartCount,
      mounts,
    }: {
      env: Readonly<Record<string, string>>
      directory: string
      restartCount: number
      mounts: readonly Mount[]
    },
  ): Promise<RunningContainer> {
    const { binDirectory, preloadUrl, podIP, network, clock, processDirectory } = this.#context
    const expanded = (words: readonly string[] = []): string[] => words.map((word) => expand(word, env))
    // The log of the run before is kept, older ones are not.
    await rm(this.logPath(container.name, restartCount - 2), { force: true })
    await rm(`${this.logPath(container.name, restartCount - 2)}.1`, { force: true })
    const running = await startContainer({
      directory,
      podDirectory: this.#context.directory,
      binDirectory,
      preloadUrl,
      mounts,
      commandLine: commandLine({ command: expanded(container.command), args: expanded(container.args) }),
      env,
      workingDirectory: container.workingDir,
      hostname: hostnameOf(pod),
      member: { podIP, pod: () => pod },
      network,
      logPath: this.logPath(container.name, restartCount),
      clock,
    })
    await rememberProcess(processDirectory, running.pid)
    return running
  }

  #instanceOf(running: RunningContainer): LaunchedInstance {
    const { processDirectory } = this.#context
    return {
      isSimulated: false,
      running,
      exited: running.exited.then(async (exit) => {
        await forgetProcess(processDirectory, running.pid)
        return exit
      }),
      signal: running.signal,
      exec: async (words, { signal }) => {
        const child = await startBareProcess(running.launch(words))
        const kill = (): void => child.signal('SIGKILL')
        signal.addEventListener('abort', kill, { once: true })
        if (signal.aborted) kill()
        const { exitCode } = await child.exited
        signal.removeEventListener('abort', kill)
        return exitCode
      },
    }
  }
}

export interface LaunchedInstance extends Instance {
  readonly running?: RunningContainer | undefined
}

/** What prepares a pod, and a Job's pod, must end for anything to go on. */
function endsAtOnce({ metadata, spec }: Pod, container: Container): boolean {
  const isInit = spec?.initContainers?.some(({ name }) => name === container.name) === true
  if (isInit) return !isSidecar(container)
  return (
    metadata.ownerReferences?.some(({ kind, controller }) => kind === 'Job' && controller === true) === true
  )
}

function hostnameOf({ metadata, spec }: Pod): string {
  if (spec?.hostnameOverride !== undefined) return spec.hostnameOverride
  const name = spec?.hostname ?? metadata.name ?? ''
  const short = name.slice(0, 63).replace(/[-.]+$/, '')
  const domain = spec?.subdomain
  return spec?.setHostnameAsFQDN === true && domain !== undefined
    ? `${short}.${domain}.${metadata.namespace}.svc.cluster.local`
    : short
}
