// Starts one container of a Node image: its preload's configuration, its token, its log, its process.
// What it needs (mounts, environment) was prepared by others; what its end means, the pod decides.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../platform/clock.ts'
import type { Member, Network } from '../network/network.ts'
import { type Mount, type PreloadConfig, preloadSpecifier } from '../preload/config.ts'
import { PathMap } from '../preload/path-map.ts'
import { type Launch, launchOf } from './launch.ts'
import { LogFile } from './log-file.ts'
import { type RunningProcess, startProcess } from './process.ts'

export interface ContainerOptions {
  /** The container's own folder below the pod's. */
  readonly directory: string
  readonly podDirectory: string
  readonly binDirectory: string
  /** The URL of the preload, preload-files.ts's. */
  readonly preloadUrl: string
  readonly mounts: readonly Mount[]
  readonly commandLine: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDirectory: string | undefined
  readonly hostname: string
  readonly member: Member
  readonly network: Pick<Network, 'control' | 'networks'>
  readonly logPath: string
  readonly clock: Clock
}

export interface RunningContainer extends RunningProcess {
  readonly log: LogFile
  /** Starts another process as the container would: for exec, exec probes and hooks. */
  launch(commandLine: readonly string[]): Launch
}

/** Rejects when its program cannot be started. */
export async function startContainer(options: ContainerOptions): Promise<RunningContainer> {
  const { directory, podDirectory, mounts, member, network, hostname } = options
  const home = join(directory, 'home')
  await mkdir(home, { recursive: true, mode: 0o700 })
  const token = network.control.admit(member)
  const config: PreloadConfig = {
    control: { port: network.control.port, token },
    podDirectory,
    mounts,
    networks: network.networks,
    hostname,
    podIP: member.podIP,
  }
  const configPath = join(directory, 'preload.json')
  await writeFile(configPath, JSON.stringify(config), { mode: 0o600 })
  const paths = new PathMap(config)
  const launch = (commandLine: readonly string[]): Launch =>
    launchOf({
      ...options,
      commandLine,
      paths,
      home,
      preload: preloadSpecifier(options.preloadUrl, configPath),
    })
  const log = await LogFile.open({ path: options.logPath, clock: options.clock })
  const finish = async (): Promise<void> => {
    network.control.dismiss(token)
    await log[Symbol.asyncDispose]()
  }
  try {
    const running = await startProcess(launch(options.commandLine), log)
    const exited = running.exited.then(async (exit) => {
      await finish()
      return exit
    })
    return { ...running, exited, log, launch }
  } catch (error) {
    await finish()
    throw error
  }
}
