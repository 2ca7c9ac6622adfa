import { test } from 'tap'
import type { EndpointSlice, Pod, Service } from '../../src/api/models.ts'
import { backendsOf } from '../../src/controllers/network/backends.ts'
import { endpointsOf } from '../../src/controllers/network/endpoints-plan.ts'
import { planSlices } from '../../src/controllers/network/slice-plan.ts'

const service = (spec: Partial<NonNullable<Service['spec']>> = {}): Service => ({
  metadata: { name: 'web', namespace: 'a', uid: 's', labels: { team: 'x' } },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ports: [{ name: 'http', port: 80, targetPort: 'http' }],
    ...spec,
  },
})

function pod(
  index: number,
  look: { isReady?: boolean; isDeleting?: boolean; port?: number; phase?: string } = {},
): Pod {
  const { isReady = true, isDeleting = false, port = 8080, phase = 'Running' } = look
  return {
    metadata: {
      name: `p${String(index).padStart(3, '0')}`,
      namespace: 'a',
      uid: `u${index}`,
      labels: { app: 'web' },
      ...(isDeleting ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'n1',
      hostname: `h${index}`,
      subdomain: 'web',
      containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }],
    },
    status: {
      phase,
      podIP: `10.1.${Math.floor(index / 250)}.${index % 250}`,
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }],
    },
  }
}

const slicesOf = (wanted: Service, pods: readonly Pod[], present: readonly EndpointSlice[] = []) =>
  planSlices({
    service: wanted,
    addressType: 'IPv4',
    backends: backendsOf(wanted, pods, 'IPv4'),
    zoneOf: () => 'z1',
    present,
  })

test('a slice tells address, conditions, names, node and zone, and the port that the pod has by that name', (t) => {
  const { create } = slicesOf(service(), [
    pod(1),
    pod(2, { isReady: false }),
    pod(3, { isDeleting: true }),
    pod(4, { phase: 'Succeeded' }),
  ])
  t.match(create, [
    {
      metadata: {
        generateName: 'web-',
        labels: {
          team: 'x',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Service', uid: 's', controller: true }],
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          hostname: 'h1',
          nodeName: 'n1',
          zone: 'z1',
          targetRef: { kind: 'Pod', uid: 'u1' },
        },
        { conditions: { ready: false, serving: false, terminating: false } },
        { conditions: { ready: false, serving: true, terminating: true } },
      ],
    },
  ])
  t.equal(create[0]?.endpoints?.length, 3)
  t.end()
})

test('pods whose named port differs stand in slices of their own', (t) => {
  const { create } = slicesOf(service(), [pod(1), pod(2, { port: 9090 })])
  t.same(
    create.map(({ ports }) => ports?.[0]?.port),
    [8080, 9090],
  )
  t.end()
})

test('a slice holds a hundred endpoints; more get another, and room is used first', (t) => {
  const pods = Array.from({ length: 150 }, (_, index) => pod(index))
  const { create } = slicesOf(service(), pods)
  t.same(
    create.map(({ endpoints }) => endpoints?.length),
    [100, 50],
  )
  const present = create.map((slice, index) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `web-${index}` },
  }))
  const more = slicesOf(service(), [...pods, pod(200)], present)
  t.same([more.create.length, more.remove.length], [0, 0])
  t.same(
    more.update.map(({ metadata, endpoints }) => [metadata.name, endpoints?.length]),
    [['web-1', 51]],
  )
  const same = slicesOf(service(), pods, present)
  t.same(same, { create: [], update: [], remove: [] })
  t.end()
})

test('a service without pods keeps one empty slice', (t) => {
  const { create } = slicesOf(service(), [])
  t.match(create, [{ endpoints: [], ports: [] }])
  t.same(slicesOf(service(), [], create), { create: [], update: [], remove: [] })
  t.end()
})

test('a doubled endpoint is written once and its emptied slice removed', (t) => {
  const { create } = slicesOf(service(), [pod(1)])
  const doubled = [0, 1].flatMap((index) =>
    create.map((slice) => ({ ...slice, metadata: { ...slice.metadata, name: `web-${index}` } })),
  )
  t.same(
    slicesOf(service(), [pod(1)], doubled).remove.map(({ metadata }) => metadata.name),
    ['web-1'],
  )
  t.end()
})

test('endpoints separate ready from not ready and leave out who goes away', (t) => {
  const pods = [pod(1), pod(2, { isReady: false }), pod(3, { isDeleting: true })]
  const made = endpointsOf(service(), backendsOf(service(), pods, 'IPv4'), undefined)
  t.match(made.subsets, [
    {
      addresses: [{ ip: '10.1.0.1' }],
      notReadyAddresses: [{ ip: '10.1.0.2' }],
      ports: [{ name: 'http', port: 8080 }],
    },
  ])
  const published = service({ publishNotReadyAddresses: true })
  const all = endpointsOf(published, backendsOf(published, pods, 'IPv4'), undefined)
  t.equal(all.subsets?.[0]?.addresses?.length, 3)
  t.equal(endpointsOf(service(), backendsOf(service(), pods, 'IPv4'), made), made)
  t.end()
})
