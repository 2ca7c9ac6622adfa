import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { service } from '../../src/kinds/core/service.ts'
import { fieldsOf } from '../../src/kinds/fields.ts'
import { changed, created, createErrors, errorTexts } from './errors.ts'

const ports = [{ port: 80 }]
const errorsOf = (spec: object) => createErrors(service, { spec: { ports, ...spec } })
const given = {
  clusterIP: '10.0.0.1',
  clusterIPs: ['10.0.0.1'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
}
const specOf = (spec: object) => fieldsOf(created(service, { spec: { ports, ...spec } })['spec'])

test('a service gets what upstream fills in', async (t) => {
  t.same(specOf({}), {
    ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    sessionAffinity: 'None',
    type: 'ClusterIP',
    internalTrafficPolicy: 'Cluster',
  })
  t.match(specOf({ type: 'LoadBalancer' }), {
    externalTrafficPolicy: 'Cluster',
    allocateLoadBalancerNodePorts: true,
  })
  t.match(specOf({ sessionAffinity: 'ClientIP' }), {
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
  })
})

test('a headless service lists None', async (t) => {
  t.same(specOf({ clusterIP: 'None' })['clusterIPs'], ['None'])
})

const table: readonly (readonly [string, object, readonly string[]])[] = [
  ['no ports', { ports: [] }, ['spec.ports: Required value']],
  ['no ports but headless', { ports: [], clusterIP: 'None' }, []],
  [
    'two ports without names',
    { ports: [{ port: 80 }, { port: 81 }] },
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    'one port twice',
    {
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 80 },
      ],
    },
    ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
  ],
  ['a name for another host', { type: 'ExternalName', externalName: 'example.com.' }, []],
  ['no name for another host', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  [
    'an unknown type',
    { type: 'Magic' },
    [
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    'a node port of its own',
    { ports: [{ port: 80, nodePort: 30_000 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'an address that is none',
    { clusterIP: 'x' },
    ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ],
  [
    'outside traffic that cannot come',
    { externalTrafficPolicy: 'Local' },
    [
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
    ],
  ],
  [
    'the balancer’s class without one',
    { loadBalancerClass: 'example.com/a' },
    ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    'None with a balancer',
    { type: 'LoadBalancer', clusterIP: 'None' },
    ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services'],
  ],
]

for (const [what, spec, expected] of table) {
  test(`a service with ${what} is judged`, async (t) => {
    t.same(errorsOf(spec), expected)
  })
}

test('an update that leaves out what was given keeps it', async (t) => {
  const old = created(service, {
    spec: { type: 'NodePort', ports: [{ name: 'web', port: 80, nodePort: 30_001 }], ...given },
  })
  const next = changed(service, old, { spec: { type: 'NodePort', ports: [{ name: 'web', port: 81 }] } })
  t.match(next['spec'], { ...given, ports: [{ port: 81, nodePort: 30_001 }] })
  t.same(errorTexts(service.validateUpdate(next, old)), [])
})

test('an address does not change', async (t) => {
  const old = created(service, { spec: { ports, ...given } })
  const next = changed(service, old, {
    spec: { ports, ...given, clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] },
  })
  t.same(errorTexts(service.validateUpdate(next, old)), [
    'spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set',
  ])
})

test('a service that becomes a name gives its address back', async (t) => {
  const old = created(service, { spec: { ports, ...given } })
  const next = changed(service, old, {
    spec: { ...fieldsOf(old['spec']), type: 'ExternalName', externalName: 'a.b' },
  })
  t.notOk('clusterIP' in fieldsOf(next['spec']))
  t.same(errorTexts(service.validateUpdate(next, old)), [])
})

test('a service that is no balancer any more loses the balancer’s address', async (t) => {
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }
  const old: KubeObject = { ...created(service, { spec: { type: 'LoadBalancer', ports, ...given } }), status }
  const next = changed(service, old, { spec: { ...fieldsOf(old['spec']), type: 'ClusterIP' } })
  t.same(next['status'], { loadBalancer: {} })
  t.same(errorTexts(service.validateUpdate(next, old)), [])
})

test('the row of a service names its address and its ports', async (t) => {
  const object = created(service, {
    spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 30_000 }], selector: { app: 'a' }, ...given },
  })
  t.same(service.cells(object, 0), [
    'a',
    'NodePort',
    '10.0.0.1',
    '<none>',
    '80:30000/TCP',
    '<unknown>',
    'app=a',
  ])
})
