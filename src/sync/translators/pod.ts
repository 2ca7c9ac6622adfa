// A virtual pod as the host gets to see it: built from nothing, named field by named field.
// The way back is pod-status.ts's; which fields there are is fields.ts's.

import type { HostAlias, Pod, PodDNSConfig, PodSpec, Toleration } from '../../api/models.ts'
import { fillRestricted } from '../../podsecurity/fill.ts'
import { exposeLabel, hostName } from '../names.ts'
import { ownedMetadata } from '../owner.ts'
import { toHostContainer, toHostResources } from './container.ts'
import { DownwardFields } from './downward.ts'
import { serviceEnvironment } from './environment.ts'
import { podSecurityRules, podSpecRules } from './fields.ts'
import { toHostLabels } from './service.ts'
import { copyNamed, Findings, type Translation, type TranslationContext } from './translation.ts'
import { type TokenWish, toHostVolume } from './volumes.ts'

export interface PodTranslation extends Translation<Pod> {
  /** What the pod's token Secret has to hold; empty when it mounts none. */
  readonly tokens: readonly TokenWish[]
}

type Renamed = 'ConfigMap' | 'PersistentVolumeClaim' | 'Secret'

export function toHostPod(pod: Pod, context: TranslationContext): PodTranslation {
  const { namespace = '', name = '', uid = '', labels = {} } = pod.metadata
  const { owner, policy } = context
  const { planeUid } = owner
  const findings = new Findings()
  const downward = new DownwardFields(pod)
  const tokens: TokenWish[] = []
  const rename = (kind: Renamed, referred: string): string =>
    hostName({ planeUid, group: '', kind, namespace, name: referred })
  const spec = pod.spec ?? { containers: [] }
  findings.note(spec, podSpecRules, 'spec')
  const isOtherScheduler = !['', 'default-scheduler'].includes(spec.schedulerName ?? '')
  if (isOtherScheduler) findings.ignored.push("spec.schedulerName (the host's operator decides)")
  const parts = { findings, downward, rename, serviceEnvironment: serviceEnvironment(pod, context) }
  const containers = (field: 'containers' | 'initContainers') =>
    spec[field]?.map((one, index) => toHostContainer(one, `spec.${field}[${index}]`, parts))
  const tokenSecret = tokenSecretName(pod, planeUid)
  const hostSpec: PodSpec = {
    ...copyNamed(spec, podSpecRules),
    ...fixedSpec(context),
    containers: containers('containers') ?? [],
    initContainers: containers('initContainers'),
    volumes: spec.volumes?.map((volume, index) =>
      toHostVolume(volume, `spec.volumes[${index}]`, { ...parts, context, tokenSecret, tokens }),
    ),
    imagePullSecrets: spec.imagePullSecrets?.map((one) => ({ name: rename('Secret', one.name ?? '') })),
    resources: toHostResources(spec.resources, 'spec.resources', findings),
    securityContext:
      spec.securityContext === undefined ? undefined : copyNamed(spec.securityContext, podSecurityRules),
    hostname: hostnameOf(pod),
    hostAliases: hostAliases(spec, context),
    tolerations: tolerations(spec, context, findings),
    ...dns(pod, spec, context),
  }
  const host: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: ownedMetadata(
      owner,
      { group: '', kind: 'Pod', namespace, name, uid },
      {
        labels: { ...toHostLabels(labels), ...exposeLabels(pod, context) },
        annotations: { ...allowed(pod, context), ...downward.annotations },
      },
    ),
    spec: policy.podSecurity === 'restricted' ? fillRestricted(hostSpec) : hostSpec,
  }
  return { host, ignored: findings.ignored, refusals: findings.refusals, tokens }
}

/** The Secret on the host with the tokens of one pod. */
export function tokenSecretName(pod: Pod, planeUid: string): string {
  const { namespace = '', name = '' } = pod.metadata
  return hostName({ planeUid, group: 'k3v.dev', kind: 'PodTokens', namespace, name })
}

/** Marks a pod for the host Services that publish the Services which select it. */
function exposeLabels({ metadata }: Pod, context: TranslationContext): Readonly<Record<string, string>> {
  const { namespace = '', labels = {} } = metadata
  const inNamespace = (context.exposed ?? []).filter((exposed) => exposed.namespace === namespace)
  if (inNamespace.length === 0) return {}
  const services = context.servicesOf(namespace)
  const isBehind = (name: string): boolean => {
    const selector = Object.entries(services.find((one) => one.metadata.name === name)?.spec?.selector ?? {})
    return selector.length > 0 && selector.every(([key, value]) => labels[key] === value)
  }
  return Object.fromEntries(
    inNamespace.filter(({ service }) => isBehind(service)).map(({ name }) => [exposeLabel(name), 'true']),
  )
}

/** What the operator and the plane decide. */
function fixedSpec({ policy, workloadServiceAccount }: TranslationContext): Partial<PodSpec> {
  const { nodeSelector, priorityClassName, runtimeClassName } = policy
  return {
    serviceAccountName: workloadServiceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
  }
}

/** The tenant's annotations that the operator lets through. */
function allowed(pod: Pod, { policy }: TranslationContext): Readonly<Record<string, string>> {
  const keys = policy.podAnnotations ?? []
  return Object.fromEntries(
    Object.entries(pod.metadata.annotations ?? {}).filter(
      ([key]) => keys.includes(key) && !/(^|\.)k3v\.dev\//.test(key),
    ),
  )
}

/** A pod calls itself by its own name, not by that of its copy. Upstream: GeneratePodHostNameAndDomain. */
function hostnameOf({ metadata, spec }: Pod): string {
  const { hostname = '' } = spec ?? {}
  if (hostname !== '') return hostname
  return (metadata.name ?? '').replaceAll('.', '-').slice(0, 63).replace(/-+$/, '')
}

const apiNames = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

function hostAliases(spec: PodSpec, { api }: TranslationContext): readonly HostAlias[] | undefined {
  const own = spec.hostAliases?.map(({ ip, hostnames }) => ({ ip, hostnames })) ?? []
  const isAddress = api !== undefined && /^[0-9.]+$|:/.test(api.host)
  const all = isAddress ? [...own, { ip: api.host, hostnames: apiNames }] : own
  return all.length === 0 ? undefined : all
}

// The host's admission gives these two to every pod; a tenant may say how long it stays on a node that is away.
const nodeConditions = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

function tolerations(
  spec: PodSpec,
  { policy }: TranslationContext,
  findings: Findings,
): readonly Toleration[] | undefined {
  const asked = spec.tolerations ?? []
  const isHarmless = ({ key = '', effect, operator = 'Equal' }: Toleration): boolean =>
    nodeConditions.includes(key) && effect === 'NoExecute' && operator === 'Exists'
  if (asked.some((one) => !isHarmless(one)))
    findings.ignored.push("spec.tolerations (the host's operator decides)")
  const kept = asked.filter(isHarmless).map(({ key, operator, effect, tolerationSeconds }) => ({
    key,
    operator,
    effect,
    tolerationSeconds,
  }))
  const all = [...kept, ...(policy.tolerations ?? [])]
  return all.length === 0 ? undefined : all
}

/** Cluster names are the plane's to answer; without its DNS the host's resolver of the node is left. */
function dns(
  pod: Pod,
  spec: PodSpec,
  context: TranslationContext,
): { dnsPolicy: string; dnsConfig?: PodDNSConfig } {
  const { nameservers = [], searches = [], options = [] } = spec.dnsConfig ?? {}
  const config: PodDNSConfig = { nameservers, searches, options }
  const policy = spec.dnsPolicy ?? 'ClusterFirst'
  if (policy === 'None') return { dnsPolicy: 'None', dnsConfig: config }
  const hasOwn = nameservers.length + searches.length + options.length > 0
  if (policy === 'Default' || context.dns === undefined)
    return hasOwn ? { dnsPolicy: 'Default', dnsConfig: config } : { dnsPolicy: 'Default' }
  const { domain } = context.dns
  const namespace = pod.metadata.namespace ?? ''
  const hasNdots = options.some(({ name }) => name === 'ndots')
  return {
    dnsPolicy: 'None',
    dnsConfig: {
      nameservers: [...context.dns.nameservers, ...nameservers],
      searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...searches],
      options: hasNdots ? options : [{ name: 'ndots', value: '5' }, ...options],
    },
  }
}
