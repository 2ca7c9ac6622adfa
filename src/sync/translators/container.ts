// A container on the host: named fields, references renamed, probes of the pod itself only.
// Which fields there are is fields.ts's.

import type {
  Container,
  EnvVar,
  EnvVarSource,
  Lifecycle,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
} from '../../api/models.ts'
import type { DownwardFields } from './downward.ts'
import {
  containerRules,
  envSourceRules,
  handlerRules,
  httpGetRules,
  lifecycleRules,
  mountRules,
  portRules,
  probeRules,
  resourcesRules,
  securityRules,
  tcpSocketRules,
} from './fields.ts'
import { copyNamed, type Findings } from './translation.ts'

export interface ContainerContext {
  readonly findings: Findings
  readonly downward: DownwardFields
  /** Host names of the pod's config maps and secrets. */
  readonly rename: (kind: 'ConfigMap' | 'Secret', name: string) => string
  /** Comes before the container's own variables, which win. */
  readonly serviceEnvironment: readonly EnvVar[]
}

export function toHostContainer(container: Container, path: string, context: ContainerContext): Container {
  const { findings } = context
  findings.note(container, containerRules, path)
  for (const [index, port] of (container.ports ?? []).entries())
    findings.note(port, portRules, `${path}.ports[${index}]`)
  return withoutUndefined({
    ...copyNamed(container, containerRules),
    name: container.name,
    env: environment(container, context),
    envFrom: container.envFrom?.map(({ prefix, configMapRef, secretRef }) => ({
      prefix,
      configMapRef: renamed(configMapRef, (name) => context.rename('ConfigMap', name)),
      secretRef: renamed(secretRef, (name) => context.rename('Secret', name)),
    })),
    ports: container.ports?.map((port) => ({
      ...copyNamed(port, portRules),
      containerPort: port.containerPort,
    })),
    resources: toHostResources(container.resources, `${path}.resources`, findings),
    securityContext:
      container.securityContext === undefined
        ? undefined
        : copyNamed(container.securityContext, securityRules),
    volumeMounts: container.volumeMounts?.map((mount) => ({
      ...copyNamed(mount, mountRules),
      name: mount.name,
      mountPath: mount.mountPath,
    })),
    livenessProbe: toHostProbe(container.livenessProbe, `${path}.livenessProbe`, findings),
    readinessProbe: toHostProbe(container.readinessProbe, `${path}.readinessProbe`, findings),
    startupProbe: toHostProbe(container.startupProbe, `${path}.startupProbe`, findings),
    lifecycle: toHostLifecycle(container.lifecycle, `${path}.lifecycle`, findings),
  })
}

function environment(container: Container, context: ContainerContext): readonly EnvVar[] {
  const own = container.env ?? []
  const names = new Set(own.map(({ name }) => name))
  return [
    ...context.serviceEnvironment.filter(({ name }) => !names.has(name)),
    ...own.map(({ name, value, valueFrom }) =>
      withoutUndefined({
        name,
        value,
        valueFrom: valueFrom === undefined ? undefined : toHostSource(valueFrom, context),
      }),
    ),
  ]
}

function toHostSource(source: EnvVarSource, { downward, rename }: ContainerContext): EnvVarSource {
  return withoutUndefined({
    ...copyNamed(source, envSourceRules),
    fieldRef: source.fieldRef === undefined ? undefined : downward.rewrite(source.fieldRef),
    configMapKeyRef:
      source.configMapKeyRef === undefined
        ? undefined
        : renamed(source.configMapKeyRef, (name) => rename('ConfigMap', name)),
    secretKeyRef:
      source.secretKeyRef === undefined
        ? undefined
        : renamed(source.secretKeyRef, (name) => rename('Secret', name)),
  })
}

export function toHostResources(
  resources: ResourceRequirements | undefined,
  path: string,
  findings: Findings,
): ResourceRequirements | undefined {
  if (resources === undefined) return undefined
  findings.note(resources, resourcesRules, path)
  return copyNamed(resources, resourcesRules)
}

function toHostProbe(probe: Probe | undefined, path: string, findings: Findings): Probe | undefined {
  if (probe === undefined) return undefined
  return withoutUndefined({
    ...copyNamed(probe, probeRules),
    ...toHostCheck(probe, path, findings),
  })
}

function toHostLifecycle(
  lifecycle: Lifecycle | undefined,
  path: string,
  findings: Findings,
): Lifecycle | undefined {
  if (lifecycle === undefined) return undefined
  const toHostHandler = (handler: LifecycleHandler | undefined, field: string) =>
    handler === undefined
      ? undefined
      : withoutUndefined({
          ...copyNamed(handler, handlerRules),
          ...toHostCheck(handler, `${path}.${field}`, findings),
        })
  return withoutUndefined({
    ...copyNamed(lifecycle, lifecycleRules),
    postStart: toHostHandler(lifecycle.postStart, 'postStart'),
    preStop: toHostHandler(lifecycle.preStop, 'preStop'),
  })
}

function toHostCheck(
  { httpGet, tcpSocket }: Pick<Probe, 'httpGet' | 'tcpSocket'>,
  path: string,
  findings: Findings,
): Pick<Probe, 'httpGet' | 'tcpSocket'> {
  if (httpGet !== undefined) findings.note(httpGet, httpGetRules, `${path}.httpGet`)
  if (tcpSocket !== undefined) findings.note(tcpSocket, tcpSocketRules, `${path}.tcpSocket`)
  return {
    httpGet: httpGet === undefined ? undefined : { ...copyNamed(httpGet, httpGetRules), port: httpGet.port },
    tcpSocket: tcpSocket === undefined ? undefined : { port: tcpSocket.port },
  }
}

/** A reference under its host name, with what else it says (key, optional). An empty name refers to nothing. */
function renamed<T extends { readonly name?: string | undefined } | undefined>(
  reference: T,
  rename: (name: string) => string,
): T {
  if (reference?.name === undefined || reference.name === '') return reference
  return { ...reference, name: rename(reference.name) }
}

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
