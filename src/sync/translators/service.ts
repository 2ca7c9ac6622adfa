// Services on the host: an address inside the cluster for the tenant's own pods, and nothing that leads outside.

import type { Service, ServicePort, ServiceSpec } from '../../api/models.ts'
import { hostKey } from '../names.ts'
import { namespaceLabel, type Owner, ownedMetadata, planeLabel } from '../owner.ts'
import {
  copyNamed,
  type FieldRules,
  Findings,
  type Translation,
  type TranslationContext,
} from './translation.ts'

const outside = 'Services are reached from inside the cluster only'

export const serviceSpecRules: FieldRules<ServiceSpec> = {
  copied: [
    'internalTrafficPolicy',
    'publishNotReadyAddresses',
    'sessionAffinity',
    'sessionAffinityConfig',
    'trafficDistribution',
  ],
  rewritten: ['clusterIP', 'ports', 'selector', 'type'],
  dropped: {
    allocateLoadBalancerNodePorts: outside,
    clusterIPs: 'the host gives them',
    externalName: 'answered by the plane',
    externalTrafficPolicy: outside,
    healthCheckNodePort: outside,
    ipFamilies: 'the host gives them',
    ipFamilyPolicy: 'the host gives them',
    loadBalancerClass: outside,
  },
  ignored: {
    externalIPs: outside,
    loadBalancerIP: outside,
    loadBalancerSourceRanges: outside,
  },
}

export const servicePortRules: FieldRules<ServicePort> = {
  copied: ['appProtocol', 'name', 'port', 'protocol', 'targetPort'],
  rewritten: [],
  dropped: { nodePort: outside },
}

/** The API's own Service was made by whoever deployed the plane, and names without an address need no host. */
export function isSyncedService({ metadata, spec }: Service): boolean {
  if (metadata.namespace === 'default' && metadata.name === 'kubernetes') return false
  return spec?.type !== 'ExternalName'
}

export function toHostService(service: Service, { owner }: TranslationContext): Translation<Service> {
  const findings = new Findings()
  const { namespace = '', name = '', uid = '' } = service.metadata
  const { spec = {} } = service
  findings.note(spec, serviceSpecRules, 'spec')
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer')
    findings.ignored.push(`spec.type ${spec.type} (${outside})`)
  const hasSelector = Object.keys(spec.selector ?? {}).length > 0
  if (!hasSelector && spec.clusterIP !== 'None')
    findings.ignored.push('endpoints without a selector (the host knows only the pods of this plane)')
  const address = spec.clusterIP
  const host: Service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(owner, { group: '', kind: 'Service', namespace, name, uid }),
    spec: {
      ...copyNamed(spec, serviceSpecRules),
      type: 'ClusterIP',
      ...(address === undefined || address === '' ? {} : { clusterIP: address }),
      ports: (spec.ports ?? []).map((port) => ({ ...copyNamed(port, servicePortRules), port: port.port })),
      ...(hasSelector ? { selector: toHostSelector(spec.selector ?? {}, { owner, namespace }) } : {}),
    },
  }
  return { host, ignored: findings.ignored, refusals: findings.refusals }
}

/** Selects among the pods of this plane and namespace only. */
export function toHostSelector(
  selector: Readonly<Record<string, string>>,
  { owner, namespace }: { readonly owner: Owner; readonly namespace: string },
): Readonly<Record<string, string>> {
  return {
    ...toHostLabels(selector),
    [planeLabel]: owner.planeUid,
    [namespaceLabel]: namespace,
  }
}

/** The tenant's labels under keys that nothing on the host selects by. */
export function toHostLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [hostKey(key), value]))
}
