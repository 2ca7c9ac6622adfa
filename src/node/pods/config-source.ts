// Where ConfigMaps and Secrets come from, for environments and volumes alike, and how their absence is told.

import type { ConfigMap, Pod, Secret } from '../../api/models.ts'

export interface ConfigSource {
  configMap(namespace: string, name: string): ConfigMap | undefined
  secret(namespace: string, name: string): Secret | undefined
}

/** A container cannot be made from what the pod says; the message is shown in its status. */
export class ConfigError extends Error {
  readonly reason: 'CreateContainerConfigError' | 'CreateContainerError' | 'ErrImageNeverPull'
  constructor(message: string, reason: ConfigError['reason'] = 'CreateContainerConfigError') {
    super(message)
    this.name = 'ConfigError'
    this.reason = reason
  }
}

/** A volume cannot be filled yet; it is tried again, and told as an event. */
export class MountError extends Error {
  readonly volume: string
  constructor(volume: string, message: string) {
    super(`MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${message}`)
    this.name = 'MountError'
    this.volume = volume
  }
}

/** Keys and bytes of a ConfigMap, binary ones too. */
export function configMapData({ data = {}, binaryData = {} }: ConfigMap): Map<string, Buffer> {
  return new Map([
    ...Object.entries(data).map(([key, text]): [string, Buffer] => [key, Buffer.from(text, 'utf8')]),
    ...decoded(binaryData),
  ])
}

export const secretData = ({ data = {} }: Secret): Map<string, Buffer> => new Map(decoded(data))

const decoded = (data: Readonly<Record<string, unknown>>): [string, Buffer][] =>
  Object.entries(data).map(([key, text]) => [key, Buffer.from(String(text), 'base64')])

export const namespaceOf = ({ metadata }: Pod): string => metadata.namespace ?? 'default'
