// The files of a volume that is made from objects: ConfigMaps, Secrets, the downward API, tokens.
// Writing them is atomic.ts's; asking for tokens is tokens.ts's.

import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  ProjectedVolumeSource,
  SecretVolumeSource,
  ServiceAccountTokenProjection,
  Volume,
} from '../../api/models.ts'
import {
  type ConfigSource,
  configMapData,
  MountError,
  namespaceOf,
  secretData,
} from '../pods/config-source.ts'
import { fieldValue, resourceValue } from '../pods/downward.ts'
import type { Payload, PayloadFile } from './atomic.ts'

export interface PayloadOptions {
  readonly pod: Pod
  readonly source: ConfigSource
  readonly allocatable: Readonly<Record<string, string>>
  readonly token: (projection: ServiceAccountTokenProjection) => Promise<string>
}

const defaultMode = 0o644

/** `undefined`: not such a volume. Throws MountError when something that is not optional is missing. */
export async function payloadOf(volume: Volume, options: PayloadOptions): Promise<Payload | undefined> {
  const { configMap, secret, downwardAPI, projected } = volume
  const make = new Maker(volume.name, options)
  if (configMap !== undefined) return make.configMap(configMap, modeOf(configMap))
  if (secret !== undefined) return make.secret({ ...secret, name: secret.secretName }, modeOf(secret))
  if (downwardAPI !== undefined) return make.downward(downwardAPI.items ?? [], modeOf(downwardAPI))
  if (projected !== undefined) return await make.projected(projected)
  return undefined
}

const modeOf = (source: { readonly defaultMode?: number | undefined }): number =>
  source.defaultMode ?? defaultMode

interface Named {
  readonly name?: string | undefined
  readonly items?: readonly KeyToPath[] | undefined
  readonly optional?: boolean | undefined
}

class Maker {
  readonly #volume: string
  readonly #options: PayloadOptions

  constructor(volume: string, options: PayloadOptions) {
    this.#volume = volume
    this.#options = options
  }

  configMap(wanted: Pick<ConfigMapVolumeSource, 'items' | 'name' | 'optional'>, mode: number): Payload {
    const { pod, source } = this.#options
    const found = source.configMap(namespaceOf(pod), wanted.name ?? '')
    return this.#files('configmap', { wanted, mode, data: found && configMapData(found) })
  }

  secret(wanted: Named & Pick<SecretVolumeSource, 'optional'>, mode: number): Payload {
    const { pod, source } = this.#options
    const found = source.secret(namespaceOf(pod), wanted.name ?? '')
    return this.#files('secret', { wanted, mode, data: found && secretData(found) })
  }

  downward(items: readonly DownwardAPIVolumeFile[], mode: number): Payload {
    return new Map(items.map((item) => [item.path, this.#downwardFile(item, mode)]))
  }

  /** Later sources win, as files written one after the other would. */
  async projected({ sources = [], ...source }: ProjectedVolumeSource): Promise<Payload> {
    const mode = modeOf(source)
    const files = new Map<string, PayloadFile>()
    for (const { configMap, secret, downwardAPI, serviceAccountToken, ...others } of sources) {
      const [foreign] = Object.keys(others)
      if (foreign !== undefined)
        throw new MountError(this.#volume, `the embedded host does not offer ${foreign}`)
      const part =
        configMap !== undefined
          ? this.configMap(configMap, mode)
          : secret !== undefined
            ? this.secret(secret, mode)
            : downwardAPI !== undefined
              ? this.downward(downwardAPI.items ?? [], mode)
              : await this.#token(serviceAccountToken, mode)
      for (const [path, file] of part) files.set(path, file)
    }
    return files
  }

  async #token(projection: ServiceAccountTokenProjection | undefined, mode: number): Promise<Payload> {
    if (projection === undefined) return new Map()
    return new Map([[projection.path, { data: Buffer.from(await this.#options.token(projection)), mode }]])
  }

  #files(
    kind: 'configmap' | 'secret',
    { wanted, mode, data }: { wanted: Named; mode: number; data: Map<string, Buffer> | undefined },
  ): Payload {
    const { name = '', items, optional = false } = wanted
    if (data === undefined) {
      if (optional) return new Map()
      throw new MountError(this.#volume, `${kind} ${JSON.stringify(name)} not found`)
    }
    if (items === undefined || items.length === 0)
      return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode }]))
    const files = new Map<string, PayloadFile>()
    for (const item of items) {
      const bytes = data.get(item.key)
      if (bytes !== undefined) files.set(item.path, { data: bytes, mode: item.mode ?? mode })
      else if (!optional)
        throw new MountError(this.#volume, `references non-existent config key: ${item.key}`)
    }
    return files
  }

  #downwardFile(
    { path, fieldRef, resourceFieldRef, mode: own }: DownwardAPIVolumeFile,
    mode: number,
  ): PayloadFile {
    const { pod, allocatable } = this.#options
    const value =
      fieldRef === undefined
        ? resourceFieldRef && resourceValue(pod, { selector: resourceFieldRef, own: undefined, allocatable })
        : fieldValue(pod, fieldRef)
    if (value === undefined)
      throw new MountError(this.#volume, `there is nothing for the file ${JSON.stringify(path)}`)
    return { data: Buffer.from(value), mode: own ?? mode }
  }
}
