// What a tenant is told when the host does less than was asked, or nothing; claims and services besides.

import t from 'tap'
import type { Pod } from '../../src/api/models.ts'
import { events, persistentVolumeClaims, pods, services } from '../../src/client/resources.ts'
import { copyName, hostNamespace, hostPodOf, startTwoWorlds, until, untilAll } from './two-worlds.ts'

const inDefault = (name: string) => ({ namespace: 'default', name })
const onHost = (name: string) => ({ namespace: hostNamespace, name })
const podNamed = (name: string, spec: Partial<Pod['spec']> = {}, labels = {}): Pod => ({
  metadata: { name, namespace: 'default', labels },
  spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
})

t.test('A1 A3 a pod that must not run says why, and never reaches the host', async (t) => {
  // Admission lets everything through here: sync judges by itself what it writes.
  await using worlds = await startTwoWorlds(t, { plane: { podSecurity: 'privileged' } })
  const { host, virtual } = worlds
  await virtual.create(
    pods,
    podNamed('root', {
      containers: [{ name: 'main', image: 'x', securityContext: { privileged: true } }],
    }),
  )
  await virtual.create(pods, podNamed('network', { hostNetwork: true }))
  const condition = (pod: Pod | undefined) =>
    pod?.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  const root = await until(virtual, pods, inDefault('root'), (one) => condition(one) !== undefined)
  t.match(condition(root)?.message, /violates PodSecurity "baseline:latest": privileged \(container "main"/)
  const network = await until(virtual, pods, inDefault('network'), (one) => condition(one) !== undefined)
  t.match(condition(network)?.message, /spec\.hostNetwork/)
  await untilAll(
    virtual,
    events,
    'default',
    (all) => all.filter(({ reason }) => reason === 'RefusedOnHost').length === 2,
  )
  t.equal(host.proxy.count('create', 'pods'), 0)
})

t.test('what has no effect on the host is told once', async (t) => {
  await using worlds = await startTwoWorlds(t, { plane: { podSecurity: 'privileged' } })
  const { host, virtual } = worlds
  await virtual.create(
    pods,
    podNamed('picky', {
      nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'main', image: 'x', ports: [{ containerPort: 80, hostPort: 80 }] }],
    }),
  )
  const copy = await hostPodOf(host, 'picky')
  t.equal(copy.spec?.nodeSelector, undefined)
  t.equal(copy.spec?.containers[0]?.ports?.[0]?.hostPort, undefined)
  t.notOk(copy.spec?.tolerations?.some(({ key }) => key === undefined))
  const told = await untilAll(virtual, events, 'default', (all) =>
    all.some(({ reason }) => reason === 'NotEnforcedOnHost'),
  )
  const message = told.find(({ reason }) => reason === 'NotEnforcedOnHost')?.message
  t.match(message, /spec\.nodeSelector .*spec\.containers\[0\]\.ports\[0\]\.hostPort .*spec\.tolerations/s)
})

t.test('claims get volumes of the host, and say when they are bound', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(persistentVolumeClaims, {
    metadata: inDefault('data'),
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'of-the-tenant',
      volumeName: 'victim',
      resources: { requests: { storage: '1Gi' } },
    },
  })
  const name = copyName('PersistentVolumeClaim', 'data')
  const copy = await until(host.admin, persistentVolumeClaims, onHost(name), (one) => one !== undefined)
  t.equal(copy.spec?.storageClassName, undefined)
  t.equal(copy.spec?.volumeName, undefined)
  await host.admin.patchStatus(persistentVolumeClaims, onHost(name), {
    type: 'merge',
    body: { status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } } },
  })
  const bound = await until(
    virtual,
    persistentVolumeClaims,
    inDefault('data'),
    (one) => one?.status?.phase === 'Bound',
  )
  t.strictSame(bound.status?.capacity, { storage: '2Gi' })
})

t.test('a service has the address that the host gave it, and selects the copies', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const service = await virtual.create(services, {
    metadata: inDefault('web'),
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }], type: 'NodePort' },
  })
  const copy = await host.admin.get(services, onHost(copyName('Service', 'web')))
  t.equal(service.spec?.clusterIP, copy?.spec?.clusterIP)
  t.equal(copy?.spec?.type, 'ClusterIP')
  await virtual.create(pods, podNamed('web', {}, { app: 'web' }))
  const pod = await hostPodOf(host, 'web')
  for (const [key, value] of Object.entries(copy?.spec?.selector ?? {}))
    t.equal(pod.metadata.labels?.[key], value, key)
  const told = await untilAll(virtual, events, 'default', (all) =>
    all.some(({ reason }) => reason === 'NotEnforcedOnHost'),
  )
  t.match(told[0]?.message, /NodePort/)
  await virtual.patch(services, inDefault('web'), {
    type: 'merge',
    body: { spec: { ports: [{ port: 81, targetPort: 1 }] } },
  })
  await until(
    host.admin,
    services,
    onHost(copyName('Service', 'web')),
    (one) => one?.spec?.ports?.[0]?.port === 81,
  )
  await virtual.delete(services, inDefault('web'))
  await until(host.admin, services, onHost(copyName('Service', 'web')), (one) => one === undefined)
})
