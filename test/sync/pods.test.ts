import t from 'tap'
import type { Pod } from '../../src/api/models.ts'
import { configMaps, nodes, pods, secrets, services } from '../../src/client/resources.ts'
import { findHostPod } from '../../src/sync/host-pod.ts'
import { exposeLabel } from '../../src/sync/names.ts'
import {
  copyName,
  hostNamespace,
  hostPodOf,
  planeUid,
  runOnHost,
  setHostStatus,
  startTwoWorlds,
  until,
  untilAll,
} from './two-worlds.ts'

const inDefault = (name: string) => ({ namespace: 'default', name })
const onHost = (name: string) => ({ namespace: hostNamespace, name })
const podNamed = (name: string, spec: Partial<Pod['spec']> = {}, labels = {}): Pod => ({
  metadata: { name, namespace: 'default', labels },
  spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
})

t.test('a pod reaches the host with what it reads, runs there, and its status comes back', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  host.proxy.canaries.add('hunter2')
  await virtual.create(configMaps, { metadata: inDefault('settings'), data: { colour: 'blue' } })
  await virtual.create(secrets, {
    metadata: inDefault('password'),
    data: { password: Buffer.from('hunter2').toString('base64') },
  })
  await virtual.create(configMaps, { metadata: inDefault('unread'), data: { a: 'b' } })
  await virtual.create(
    pods,
    podNamed('web', {
      containers: [
        {
          name: 'main',
          image: 'web:1',
          env: [
            { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
            { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          envFrom: [{ secretRef: { name: 'password' } }],
        },
      ],
    }),
  )
  const copy = await hostPodOf(host, 'web')
  const settings = await host.admin.get(configMaps, onHost(copyName('ConfigMap', 'settings')))
  t.strictSame(settings?.data, { colour: 'blue' })
  t.ok(await host.admin.get(secrets, onHost(copyName('Secret', 'password'))))
  t.equal(await host.admin.get(configMaps, onHost(copyName('ConfigMap', 'unread'))), undefined)
  const [container] = copy.spec?.containers ?? []
  const ownVariables = container?.env?.filter(({ valueFrom }) => valueFrom !== undefined)
  t.match(ownVariables, [
    { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: copyName('ConfigMap', 'settings') } } },
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['k3v.dev/name']" } } },
  ])
  t.match(copy.metadata.ownerReferences, [{ kind: 'ConfigMap', name: 'release', uid: host.root.uid }])

  await runOnHost(host, copy)
  const pod = await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  t.match(pod, {
    spec: { nodeName: 'k3v-node' },
    status: { podIP: '10.244.1.9', hostIP: '192.168.7.7', qosClass: 'BestEffort' },
  })
  t.match(pod.status?.conditions?.map(({ type, status }) => `${type}=${status}`).sort(), [
    'ContainersReady=True',
    'Initialized=True',
    'PodScheduled=True',
    'Ready=True',
  ])
  t.ok(await virtual.get(nodes, { name: 'k3v-node' }))

  await virtual.patch(configMaps, inDefault('settings'), { type: 'merge', body: { data: { colour: 'red' } } })
  await until(
    host.admin,
    configMaps,
    onHost(copyName('ConfigMap', 'settings')),
    (one) => one?.data?.['colour'] === 'red',
  )
})

t.test(
  'a pod that is deleted ends on the host first, with its grace, and takes its copies along',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    await virtual.create(configMaps, { metadata: inDefault('settings'), data: {} })
    await virtual.create(pods, podNamed('web', { volumes: [{ name: 'v', configMap: { name: 'settings' } }] }))
    const copy = await hostPodOf(host, 'web')
    await runOnHost(host, copy)
    await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
    await virtual.delete(pods, inDefault('web'), { gracePeriodSeconds: 7 })
    const ending = await until(
      host.admin,
      pods,
      onHost(copyName('Pod', 'web')),
      (one) => one?.metadata.deletionTimestamp !== undefined,
    )
    t.equal(ending.metadata.deletionGracePeriodSeconds, 7)
    t.ok(await virtual.get(pods, inDefault('web')), 'it is there until the host says that it is gone')
    await host.admin.delete(pods, onHost(copyName('Pod', 'web')), { gracePeriodSeconds: 0 })
    await untilAll(virtual, pods, 'default', (all) => all.length === 0)
    await untilAll(host.admin, secrets, hostNamespace, (all) => all.length === 0)
    await until(host.admin, configMaps, onHost(copyName('ConfigMap', 'settings')), (one) => one === undefined)
  },
)

t.test('a pod that vanishes from the host is not made there again', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('web'))
  const copy = await hostPodOf(host, 'web')
  await runOnHost(host, copy)
  await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  await host.admin.delete(pods, onHost(copyName('Pod', 'web')), { gracePeriodSeconds: 0 })
  await untilAll(virtual, pods, 'default', (all) => all.length === 0)
  t.equal(host.proxy.count('create', 'pods'), 1)
})

t.test('a pod that the host ends is ending in the plane too', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('web'))
  await runOnHost(host, await hostPodOf(host, 'web'))
  await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  await host.admin.delete(pods, onHost(copyName('Pod', 'web')), { gracePeriodSeconds: 9 })
  const ending = await until(
    virtual,
    pods,
    inDefault('web'),
    (one) => one?.metadata.deletionTimestamp !== undefined,
  )
  t.equal(ending.metadata.deletionGracePeriodSeconds, 9)
})

t.test('a pod of the same name gets its own copy when the old one is gone', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const first = await virtual.create(pods, podNamed('web'))
  const copy = await hostPodOf(host, 'web')
  await runOnHost(host, copy)
  await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  await virtual.delete(pods, inDefault('web'), { gracePeriodSeconds: 0 })
  await untilAll(virtual, pods, 'default', (all) => all.length === 0)
  const second = await virtual.create(pods, podNamed('web'))
  await until(
    host.admin,
    pods,
    onHost(copyName('Pod', 'web')),
    (one) => one?.metadata.deletionTimestamp !== undefined,
  )
  await host.admin.delete(pods, onHost(copyName('Pod', 'web')), { gracePeriodSeconds: 0 })
  const next = await until(
    host.admin,
    pods,
    onHost(copyName('Pod', 'web')),
    (one) => one !== undefined && one.metadata.uid !== copy.metadata.uid,
  )
  t.not(first.metadata.uid, second.metadata.uid)
  t.equal(next.metadata.annotations?.['k3v.dev/uid'], second.metadata.uid)
  t.ok(await virtual.get(pods, inDefault('web')), 'the new pod did not suffer for the old one')
})

t.test(
  'labels, images and the deadline of a running pod follow; containers that the host put in stay hidden',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    await virtual.create(pods, podNamed('web', {}, { app: 'web' }))
    const copy = await hostPodOf(host, 'web')
    await runOnHost(host, copy, {
      containerStatuses: ['main', 'injected'].map((name) => ({
        name,
        image: 'x',
        imageID: 'x',
        ready: true,
        restartCount: 0,
      })),
    })
    const pod = await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
    t.strictSame(
      pod.status?.containerStatuses?.map(({ name }) => name),
      ['main'],
    )
    await virtual.patch(pods, inDefault('web'), {
      type: 'strategic',
      body: {
        metadata: { labels: { tier: 'front' } },
        spec: { activeDeadlineSeconds: 600, containers: [{ name: 'main', image: 'web:2' }] },
      },
    })
    const changed = await until(
      host.admin,
      pods,
      onHost(copyName('Pod', 'web')),
      (one) => one?.spec?.containers[0]?.image === 'web:2',
    )
    t.equal(changed.spec?.activeDeadlineSeconds, 600)
    t.equal(Object.values(changed.metadata.labels ?? {}).includes('front'), true)
  },
)

t.test('messages of the host lose its names on their way', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('web', { volumes: [{ name: 'v', configMap: { name: 'settings' } }] }))
  const copy = await hostPodOf(host, 'web')
  const missing = copyName('ConfigMap', 'settings')
  await runOnHost(host, copy, {
    phase: 'Pending',
    containerStatuses: [
      {
        name: 'main',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: {
          waiting: {
            reason: 'CreateContainerConfigError',
            message: `configmap "${missing}" not found for pod "${copy.metadata.name}" in "${hostNamespace}"`,
          },
        },
      },
    ],
  })
  const pod = await until(
    virtual,
    pods,
    inDefault('web'),
    (one) => one?.status?.containerStatuses !== undefined,
  )
  t.equal(
    pod.status?.containerStatuses?.[0]?.state?.waiting?.message,
    'configmap "settings" not found for pod "web" in "default"',
  )
})

t.test('readiness gates are judged in the plane', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('web', { readinessGates: [{ conditionType: 'example.com/ready' }] }))
  const copy = await hostPodOf(host, 'web')
  t.equal(copy.spec?.readinessGates, undefined)
  await runOnHost(host, copy)
  const readiness = (pod: Pod | undefined) => pod?.status?.conditions?.find(({ type }) => type === 'Ready')
  const waiting = await until(virtual, pods, inDefault('web'), (one) => readiness(one)?.status === 'False')
  t.equal(readiness(waiting)?.reason, 'ReadinessGatesNotReady')
  await virtual.patchStatus(pods, inDefault('web'), {
    type: 'strategic',
    body: { status: { conditions: [{ type: 'example.com/ready', status: 'True' }] } },
  })
  await until(virtual, pods, inDefault('web'), (one) => readiness(one)?.status === 'True')
})

t.test('a gated pod waits in the plane until its gates are gone', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('gated', { schedulingGates: [{ name: 'example.com/wait' }] }))
  await virtual.create(pods, podNamed('free'))
  await hostPodOf(host, 'free')
  t.equal(await host.admin.get(pods, onHost(copyName('Pod', 'gated'))), undefined)
  await virtual.patch(pods, inDefault('gated'), { type: 'merge', body: { spec: { schedulingGates: null } } })
  await hostPodOf(host, 'gated')
})

t.test('status follows while a pod ends, and a finished pod stays until it is deleted', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('job', { restartPolicy: 'Never' }))
  const copy = await hostPodOf(host, 'job')
  await runOnHost(host, copy)
  await setHostStatus(host, copy, { phase: 'Succeeded' })
  await until(virtual, pods, inDefault('job'), (one) => one?.status?.phase === 'Succeeded')
  await virtual.delete(pods, inDefault('job'))
  await untilAll(host.admin, pods, hostNamespace, (all) =>
    all.every(({ metadata }) => metadata.deletionTimestamp !== undefined),
  )
})

t.test('pods behind an exposed Service carry its mark, and lose it with their label', async (t) => {
  const exposed = [{ namespace: 'default', service: 'web', name: 'guestbook' }]
  await using worlds = await startTwoWorlds(t, { host: { exposed: () => exposed } })
  const { host, virtual } = worlds
  await virtual.create(pods, podNamed('web', {}, { app: 'web' }))
  await virtual.create(pods, podNamed('other', {}, { app: 'other' }))
  await hostPodOf(host, 'web')
  await virtual.create(services, {
    metadata: inDefault('web'),
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  })
  const mark = exposeLabel('guestbook')
  const isMarked = (pod: Pod | undefined) => pod?.metadata.labels?.[mark] === 'true'
  await until(host.admin, pods, onHost(copyName('Pod', 'web')), isMarked)
  t.notOk(isMarked(await hostPodOf(host, 'other')))
  await virtual.patch(pods, inDefault('web'), {
    type: 'merge',
    body: { metadata: { labels: { app: null } } },
  })
  await until(host.admin, pods, onHost(copyName('Pod', 'web')), (pod) => pod !== undefined && !isMarked(pod))
})

t.test('A23 findHostPod() answers the copy of this very pod and no other', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const pod = await virtual.create(pods, podNamed('web'))
  const copy = await hostPodOf(host, 'web')
  const options = { host: host.client, hostNamespace, planeUid }
  t.equal((await findHostPod(pod, options))?.metadata.uid, copy.metadata.uid)
  t.equal(await findHostPod({ ...pod, metadata: { ...pod.metadata, uid: 'other' } }, options), undefined)
  t.equal(await findHostPod(podNamed('release'), options), undefined)
})

t.test(
  'a pod starts with the config map that is there now, not with one of that name before it',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    const volumes = [{ name: 'v', configMap: { name: 'settings' } }]
    await virtual.create(configMaps, { metadata: inDefault('settings'), data: { round: 'old' } })
    await virtual.create(pods, podNamed('first', { volumes }))
    await hostPodOf(host, 'first')
    await virtual.delete(configMaps, inDefault('settings'))
    await virtual.create(configMaps, { metadata: inDefault('settings'), data: { round: 'new' } })
    await virtual.create(pods, podNamed('second', { volumes }))
    await hostPodOf(host, 'second')
    const copy = await host.admin.get(configMaps, onHost(copyName('ConfigMap', 'settings')))
    t.strictSame(copy?.data, { round: 'new' })
  },
)
