// Services: one name and address for pods that a selector finds.
// Addresses and node ports are reserved by the spine's allocator; endpoints are a controller's work.

import type { KubeObject } from '../../api/object.ts'
import { ageColumn, ageOf, labelsCell, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, itemsOf, numberOf, textOf, textsOf } from '../fields.ts'
import { drop, each, fill, fillZero, pipe, set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { carryOver, isExternal, syncClusterIps } from './service-carry.ts'
import { validateService, validateServiceChange, validateServiceStatus } from './service-validate.ts'

export const service: Kind = defineKind({
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  // Since 1.36 a name may start with a digit.
  nameRule: 'dns-label',
  allowsCreateOnUpdate: true,
  columns: [
    nameColumn,
    text('Type'),
    text('Cluster-IP'),
    text('External-IP'),
    text('Port(s)'),
    ageColumn,
    wide('Selector'),
  ],
  cells: (object, now) => {
    const spec = fieldsOf(object['spec'])
    return [
      nameOf(object),
      textOf(spec['type']),
      textsOf(spec['clusterIPs'])[0] ?? '<none>',
      externalCell(object),
      portsCell(itemsOf(spec['ports'])),
      ageOf(object, now),
      labelsCell(spec['selector']),
    ]
  },
  selectableFields: {
    'spec.clusterIP': (object) => textOf(at(object, 'spec', 'clusterIP')),
    'spec.type': (object) => textOf(at(object, 'spec', 'type')),
  },
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  prepareCreate: (object) => set(object, 'spec', syncClusterIps(fieldsOf(object['spec']), undefined)),
  prepareUpdate: carryOver,
  status: { initial: { loadBalancer: {} }, validate: validateServiceStatus },
  validate: validateService,
  validateChange: validateServiceChange,
  subresources: [
    {
      name: 'proxy',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
      speaks: { group: '', version: 'v1', kind: 'ServiceProxyOptions' },
    },
  ],
})

const affinitySeconds = 10_800

function defaultSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (one) => fill(one, { sessionAffinity: 'None', type: 'ClusterIP' }),
    defaultAffinity,
    (one) => each(one, 'ports', defaultPort),
    (one) => (isExternal(one) ? fill(one, { externalTrafficPolicy: 'Cluster' }) : one),
    (one) => (one['type'] === 'ExternalName' ? one : fill(one, { internalTrafficPolicy: 'Cluster' })),
    (one) => (one['type'] === 'LoadBalancer' ? fill(one, { allocateLoadBalancerNodePorts: true }) : one),
  )
}

function defaultAffinity(spec: Fields): Fields {
  if (spec['sessionAffinity'] === 'None') return drop(spec, 'sessionAffinityConfig')
  if (spec['sessionAffinity'] !== 'ClientIP') return spec
  if (at(spec, 'sessionAffinityConfig', 'clientIP', 'timeoutSeconds') !== undefined) return spec
  return set(spec, 'sessionAffinityConfig', { clientIP: { timeoutSeconds: affinitySeconds } })
}

function defaultPort(port: Fields): Fields {
  return fillZero(fill(port, { protocol: 'TCP' }), { targetPort: port['port'] })
}

function portsCell(ports: readonly Fields[]): string {
  if (ports.length === 0) return '<none>'
  return ports
    .map((port) => {
      const nodePort = numberOf(port['nodePort'])
      return `${numberOf(port['port'])}${nodePort > 0 ? `:${nodePort}` : ''}/${textOf(port['protocol'])}`
    })
    .join(',')
}

function externalCell(object: KubeObject): string {
  const spec = fieldsOf(object['spec'])
  const external = textsOf(spec['externalIPs'])
  switch (spec['type']) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || '<none>'
    case 'LoadBalancer': {
      const ingress = itemsOf(at(object, 'status', 'loadBalancer', 'ingress'))
      const addresses = ingress.map((one) => textOf(one['ip']) || textOf(one['hostname']))
      return [...new Set(addresses.filter((one) => one !== '').sort()), ...external].join(',') || '<pending>'
    }
    case 'ExternalName':
      return textOf(spec['externalName'])
    default:
      return '<unknown>'
  }
}
