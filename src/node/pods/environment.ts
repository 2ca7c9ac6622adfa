// A container's variables: service links, envFrom, env, in the order and with the words of the kubelet.
// Upstream: pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables).

import type { Container, EnvVar, Pod } from '../../api/models.ts'
import { ConfigError, type ConfigSource, configMapData, namespaceOf, secretData } from './config-source.ts'
import { fieldValue, resourceValue } from './downward.ts'
import { expand } from './expand.ts'

export interface EnvironmentOptions {
  readonly pod: Pod
  readonly container: Container
  readonly source: ConfigSource
  /** Variables that tell services, service-links.ts's. */
  readonly links: Readonly<Record<string, string>>
  readonly allocatable: Readonly<Record<string, string>>
}

type Variables = Record<string, string>

/** Throws ConfigError when something that is not optional is missing. */
export function environmentOf(options: EnvironmentOptions): Readonly<Variables> {
  const { container, links } = options
  const result: Variables = {}
  const own: Variables = envFrom(options)
  const known: Variables = { ...links, ...own }
  for (const variable of container.env ?? []) {
    const value = textOf(variable, { ...options, known })
    if (value === undefined) continue
    own[variable.name] = value
    known[variable.name] = value
  }
  // The services' come first, so that the container's own win.
  return Object.assign(result, links, own)
}

function envFrom({ pod, container, source }: EnvironmentOptions): Variables {
  const result: Variables = {}
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const data =
      configMapRef !== undefined
        ? allOf('configmap', { reference: configMapRef, pod, source })
        : allOf('secret', { reference: secretRef ?? {}, pod, source })
    for (const [key, bytes] of data) result[prefix + key] = bytes.toString('utf8')
  }
  return result
}

interface Reference {
  readonly reference: { readonly name?: string | undefined; readonly optional?: boolean | undefined }
  readonly pod: Pod
  readonly source: ConfigSource
}

function allOf(kind: 'configmap' | 'secret', { reference, pod, source }: Reference): Map<string, Buffer> {
  const { name = '', optional = false } = reference
  const data = dataOf(kind, { name, pod, source })
  if (data !== undefined) return data
  if (optional) return new Map()
  throw new ConfigError(`${kind} ${JSON.stringify(name)} not found`)
}

function dataOf(
  kind: 'configmap' | 'secret',
  { name, pod, source }: { readonly name: string; readonly pod: Pod; readonly source: ConfigSource },
): Map<string, Buffer> | undefined {
  if (kind === 'configmap') {
    const found = source.configMap(namespaceOf(pod), name)
    return found === undefined ? undefined : configMapData(found)
  }
  const found = source.secret(namespaceOf(pod), name)
  return found === undefined ? undefined : secretData(found)
}

interface Valuing extends EnvironmentOptions {
  /** What stands before this variable: it may be named in its value. */
  readonly known: Readonly<Variables>
}

/** `undefined`: the variable is left out. */
function textOf(variable: EnvVar, options: Valuing): string | undefined {
  const { value, valueFrom } = variable
  const { pod, container, allocatable } = options
  if (valueFrom === undefined) return expand(value ?? '', options.known)
  if (valueFrom.fieldRef !== undefined) {
    const found = fieldValue(pod, valueFrom.fieldRef)
    if (found === undefined) throw new ConfigError(`unsupported fieldPath: ${valueFrom.fieldRef.fieldPath}`)
    return found
  }
  if (valueFrom.resourceFieldRef !== undefined) {
    return resourceValue(pod, { selector: valueFrom.resourceFieldRef, own: container, allocatable })
  }
  if (valueFrom.configMapKeyRef !== undefined) return keyOf('configmap', valueFrom.configMapKeyRef, options)
  if (valueFrom.secretKeyRef !== undefined) return keyOf('secret', valueFrom.secretKeyRef, options)
  throw new ConfigError(
    `the embedded host does not offer this source of the variable ${JSON.stringify(variable.name)}`,
  )
}

function keyOf(
  kind: 'configmap' | 'secret',
  {
    name = '',
    key,
    optional = false,
  }: { readonly name?: string | undefined; readonly key: string; readonly optional?: boolean | undefined },
  { pod, source }: EnvironmentOptions,
): string | undefined {
  const data = dataOf(kind, { name, pod, source })
  const bytes = data?.get(key)
  if (bytes !== undefined) return bytes.toString('utf8')
  if (optional) return undefined
  if (data === undefined) throw new ConfigError(`${kind} ${JSON.stringify(name)} not found`)
  const shown = kind === 'configmap' ? 'ConfigMap' : 'Secret'
  throw new ConfigError(`couldn't find key ${key} in ${shown} ${namespaceOf(pod)}/${name}`)
}
