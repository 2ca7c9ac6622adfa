// Every field of what is translated is judged: when an upgrade of Kubernetes brings a new one, these tests fail.

import t from 'tap'
import { schemaOf } from '../../src/kinds/facts/schema.ts'
import { claimSpecRules } from '../../src/sync/translators/claim.ts'
import { configMapRules } from '../../src/sync/translators/config-map.ts'
import {
  containerRules,
  envSourceRules,
  handlerRules,
  httpGetRules,
  lifecycleRules,
  mountRules,
  podSecurityRules,
  podSpecRules,
  portRules,
  probeRules,
  projectionRules,
  resourcesRules,
  securityRules,
  tcpSocketRules,
  volumeRules,
} from '../../src/sync/translators/fields.ts'
import { secretRules } from '../../src/sync/translators/secret.ts'
import { servicePortRules, serviceSpecRules } from '../../src/sync/translators/service.ts'

interface Rules {
  readonly copied: readonly string[]
  readonly rewritten: readonly string[]
  readonly dropped?: object
  readonly ignored?: object
  readonly refused?: object
}

const judged: Readonly<Record<string, Rules>> = {
  ConfigMap: configMapRules,
  Container: containerRules,
  ContainerPort: portRules,
  EnvVarSource: envSourceRules,
  HTTPGetAction: httpGetRules,
  Lifecycle: lifecycleRules,
  LifecycleHandler: handlerRules,
  PersistentVolumeClaimSpec: claimSpecRules,
  PodSecurityContext: podSecurityRules,
  PodSpec: podSpecRules,
  Probe: probeRules,
  ResourceRequirements: resourcesRules,
  Secret: secretRules,
  SecurityContext: securityRules,
  ServicePort: servicePortRules,
  ServiceSpec: serviceSpecRules,
  TCPSocketAction: tcpSocketRules,
  Volume: volumeRules,
  VolumeMount: mountRules,
  VolumeProjection: projectionRules,
}

const fieldsOf = (type: string): readonly string[] =>
  [...(schemaOf(`io.k8s.api.core.v1.${type}`).properties?.keys() ?? [])].sort()

for (const [type, rules] of Object.entries(judged)) {
  t.test(
    `each field of ${type} is copied, rewritten, dropped, ignored or refused, and only one of them`,
    async (t) => {
      const { copied, rewritten, dropped = {}, ignored = {}, refused = {} } = rules
      const named = [
        ...copied,
        ...rewritten,
        ...Object.keys(dropped),
        ...Object.keys(ignored),
        ...Object.keys(refused),
      ].sort()
      t.strictSame(named, fieldsOf(type))
    },
  )
}

// Copied with all that is in them: what is in them today was looked at.
const copiedWhole: Readonly<Record<string, readonly string[]>> = {
  AppArmorProfile: ['localhostProfile', 'type'],
  Capabilities: ['add', 'drop'],
  ClientIPConfig: ['timeoutSeconds'],
  ContainerResizePolicy: ['resourceName', 'restartPolicy'],
  ContainerRestartRule: ['action', 'exitCodes'],
  ContainerRestartRuleOnExitCodes: ['operator', 'values'],
  EmptyDirVolumeSource: ['medium', 'sizeLimit'],
  ExecAction: ['command'],
  FileKeySelector: ['key', 'optional', 'path', 'volumeName'],
  GRPCAction: ['port', 'service'],
  HTTPHeader: ['name', 'value'],
  ImageVolumeSource: ['pullPolicy', 'reference'],
  PodOS: ['name'],
  ResourceFieldSelector: ['containerName', 'divisor', 'resource'],
  SELinuxOptions: ['level', 'role', 'type', 'user'],
  SeccompProfile: ['localhostProfile', 'type'],
  SessionAffinityConfig: ['clientIP'],
  SleepAction: ['seconds'],
  Sysctl: ['name', 'value'],
  VolumeDevice: ['devicePath', 'name'],
  WindowsSecurityContextOptions: [
    'gmsaCredentialSpec',
    'gmsaCredentialSpecName',
    'hostProcess',
    'runAsUserName',
  ],
  // Built field by field in code.
  ConfigMapKeySelector: ['key', 'name', 'optional'],
  ConfigMapEnvSource: ['name', 'optional'],
  ConfigMapProjection: ['items', 'name', 'optional'],
  ConfigMapVolumeSource: ['defaultMode', 'items', 'name', 'optional'],
  DownwardAPIProjection: ['items'],
  DownwardAPIVolumeFile: ['fieldRef', 'mode', 'path', 'resourceFieldRef'],
  DownwardAPIVolumeSource: ['defaultMode', 'items'],
  EnvFromSource: ['configMapRef', 'prefix', 'secretRef'],
  EnvVar: ['name', 'value', 'valueFrom'],
  EphemeralVolumeSource: ['volumeClaimTemplate'],
  HostAlias: ['hostnames', 'ip'],
  KeyToPath: ['key', 'mode', 'path'],
  LocalObjectReference: ['name'],
  ObjectFieldSelector: ['apiVersion', 'fieldPath'],
  PersistentVolumeClaimVolumeSource: ['claimName', 'readOnly'],
  PodDNSConfigOption: ['name', 'value'],
  PodDNSConfig: ['nameservers', 'options', 'searches'],
  ProjectedVolumeSource: ['defaultMode', 'sources'],
  SecretKeySelector: ['key', 'name', 'optional'],
  SecretEnvSource: ['name', 'optional'],
  SecretProjection: ['items', 'name', 'optional'],
  SecretVolumeSource: ['defaultMode', 'items', 'optional', 'secretName'],
  ServiceAccountTokenProjection: ['audience', 'expirationSeconds', 'path'],
  Toleration: ['effect', 'key', 'operator', 'tolerationSeconds', 'value'],
}

t.test('A17 what is copied whole has no field that nobody looked at', async (t) => {
  for (const [type, fields] of Object.entries(copiedWhole)) t.strictSame(fieldsOf(type), fields, type)
})

t.test('A17 no type below a pod was forgotten', async (t) => {
  const known = new Set([...Object.keys(judged), ...Object.keys(copiedWhole)])
  // Below fields that never reach the host.
  const refusedTypes = new Set(
    [
      ...Object.keys(volumeRules.refused ?? {}),
      'affinity',
      'topologySpreadConstraints',
      'ephemeralContainers',
    ].concat(
      ['resourceClaims', 'schedulingGates', 'schedulingGroup', 'readinessGates', 'claims'],
      ['clusterTrustBundle', 'podCertificate', 'volumeClaimTemplate'],
    ),
  )
  const unknown = new Set<string>()
  const seen = new Set<string>()
  const walk = (type: string): void => {
    if (seen.has(type)) return
    seen.add(type)
    for (const [field, schema] of schemaOf(type).properties ?? []) {
      if (refusedTypes.has(field)) continue
      const inner = schema.name ?? schema.items?.name
      if (inner === undefined || !inner.startsWith('io.k8s.api.core.v1.')) continue
      if (!known.has(inner.slice('io.k8s.api.core.v1.'.length))) unknown.add(inner)
      walk(inner)
    }
  }
  walk('io.k8s.api.core.v1.PodSpec')
  t.strictSame([...unknown], [])
})
