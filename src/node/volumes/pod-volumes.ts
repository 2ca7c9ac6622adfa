// The volumes of one pod on this machine: made before its containers start, kept up to date while they run.
// The files of each are payload.ts's; folders of claims are claims.ts's.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod, Volume } from '../../api/models.ts'
import type { Client } from '../../client/client.ts'
import type { Clock } from '../../platform/clock.ts'
import { ConfigError, type ConfigSource, MountError, namespaceOf } from '../pods/config-source.ts'
import { writeAtomically } from './atomic.ts'
import type { VolumeFolder } from './mounts.ts'
import { payloadOf } from './payload.ts'
import { PodTokens } from './tokens.ts'

export interface PodVolumesOptions {
  /** The pod's `volumes` folder. */
  readonly directory: string
  readonly source: ConfigSource
  /** The folder of a bound claim; undefined while it is not bound. */
  readonly claimFolder: (namespace: string, name: string) => string | undefined
  readonly allocatable: Readonly<Record<string, string>>
  readonly client: Client
  readonly clock: Clock
}

export class PodVolumes {
  readonly #options: PodVolumesOptions
  readonly #tokens: PodTokens
  #stamps = 0

  constructor(options: PodVolumesOptions) {
    this.#options = options
    this.#tokens = new PodTokens(options)
  }

  /** When to look again although nothing changed: a token nears its end. */
  get renewAtMs(): number | undefined {
    return this.#tokens.renewAtMs
  }

  /** Makes what is missing, renews what is old. Throws MountError or ConfigError. */
  async prepare(pod: Pod, signal?: AbortSignal): Promise<ReadonlyMap<string, VolumeFolder>> {
    const folders = new Map<string, VolumeFolder>()
    for (const volume of pod.spec?.volumes ?? [])
      folders.set(volume.name, await this.#prepareOne(pod, volume, signal))
    return folders
  }

  async #prepareOne(pod: Pod, volume: Volume, signal: AbortSignal | undefined): Promise<VolumeFolder> {
    const { source, allocatable, clock } = this.#options
    const path = join(this.#options.directory, volume.name)
    if (volume.persistentVolumeClaim !== undefined) return this.#claim(pod, volume)
    if (volume.emptyDir !== undefined) {
      await mkdir(path, { recursive: true })
      return { path, isReadOnly: false, isAtomic: false }
    }
    const payload = await payloadOf(volume, {
      pod,
      source,
      allocatable,
      token: (projection) => this.#tokens.get(pod, projection, signal),
    })
    if (payload === undefined) throw new ConfigError(refusal(volume))
    this.#stamps += 1
    const stamp = `${new Date(clock.now()).toISOString().replaceAll(/[-:.TZ]/g, '_')}${this.#stamps}`
    await writeAtomically(path, payload, stamp)
    return { path, isReadOnly: true, isAtomic: true }
  }

  #claim(pod: Pod, { name, persistentVolumeClaim }: Volume): VolumeFolder {
    const { claimName = '', readOnly = false } = persistentVolumeClaim ?? {}
    const path = this.#options.claimFolder(namespaceOf(pod), claimName)
    if (path === undefined)
      throw new MountError(name, `persistentvolumeclaim ${JSON.stringify(claimName)} is not bound`)
    return { path, isReadOnly: readOnly, isAtomic: false }
  }
}

function refusal(volume: Volume): string {
  const source = Object.keys(volume).find((field) => field !== 'name') ?? 'its source'
  return `volume ${JSON.stringify(volume.name)}: the embedded host does not offer ${source} volumes`
}
