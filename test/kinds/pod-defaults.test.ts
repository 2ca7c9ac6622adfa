import { test } from 'tap'
import { at, fieldsOf, itemsOf } from '../../src/kinds/fields.ts'
import { isLatest } from '../../src/kinds/pods/image.ts'
import { pod } from '../../src/kinds/pods/pod.ts'
import { created } from './errors.ts'

const withContainer = (container: object, spec: object = {}) =>
  created(pod, { spec: { containers: [{ name: 'a', image: 'nginx:1', ...container }], ...spec } })
const firstContainer = (object: unknown) => fieldsOf(itemsOf(at(object, 'spec', 'containers'))[0])

test('a pod of one container gets what upstream fills in', async (t) => {
  const object = withContainer({})
  t.same(object['spec'], {
    containers: [
      {
        name: 'a',
        image: 'nginx:1',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    enableServiceLinks: true,
  })
  t.same(object['status'], { phase: 'Pending', qosClass: 'BestEffort' })
})

test('the pull policy follows the tag of the image', async (t) => {
  const latest = ['nginx', 'nginx:latest', 'registry:5000/a/nginx', 'ghcr.io/a/b:latest']
  const fixed = ['nginx:1.27', `nginx@sha256:${'a'.repeat(64)}`, 'registry:5000/nginx:1', 'Not/An/Image', '']
  for (const image of latest) t.ok(isLatest(image), image)
  for (const image of fixed) t.notOk(isLatest(image), image)
})

test('a probe gets its numbers and its path', async (t) => {
  const object = withContainer({ livenessProbe: { httpGet: { port: 80 }, periodSeconds: 3 } })
  t.same(firstContainer(object)['livenessProbe'], {
    httpGet: { port: 80, path: '/', scheme: 'HTTP' },
    periodSeconds: 3,
    timeoutSeconds: 1,
    successThreshold: 1,
    failureThreshold: 3,
  })
})

test('limits without requests are requests too', async (t) => {
  const object = withContainer({
    resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } },
  })
  t.same(at(firstContainer(object), 'resources', 'requests'), { cpu: '100m', memory: '1Gi' })
})

test('requests of the whole pod are what its containers ask for, or its limits', async (t) => {
  const object = created(pod, {
    spec: {
      resources: { limits: { cpu: '2', memory: '1Gi' } },
      containers: [
        { name: 'a', image: 'x:1', resources: { requests: { cpu: '100m' } } },
        { name: 'b', image: 'x:1', resources: { requests: { cpu: '200m' } } },
      ],
    },
  })
  t.same(at(object, 'spec', 'resources', 'requests'), { cpu: '300m', memory: '1Gi' })
})

test('ports get a protocol, and on the host’s network a host port', async (t) => {
  const ports = [{ containerPort: 80 }]
  t.same(firstContainer(withContainer({ ports }))['ports'], [{ containerPort: 80, protocol: 'TCP' }])
  t.same(firstContainer(withContainer({ ports }, { hostNetwork: true }))['ports'], [
    { containerPort: 80, protocol: 'TCP', hostPort: 80 },
  ])
})

test('volumes get their modes, and a volume without a source is an empty directory', async (t) => {
  const object = withContainer(
    {},
    {
      volumes: [
        { name: 'none' },
        { name: 'secret', secret: { secretName: 's' } },
        { name: 'config', configMap: { name: 'c', defaultMode: 0 } },
        { name: 'host', hostPath: { path: '/tmp' } },
        { name: 'projected', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
        { name: 'down', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ],
    },
  )
  t.same(at(object, 'spec', 'volumes'), [
    { name: 'none', emptyDir: {} },
    { name: 'secret', secret: { secretName: 's', defaultMode: 420 } },
    { name: 'config', configMap: { name: 'c', defaultMode: 0 } },
    { name: 'host', hostPath: { path: '/tmp', type: '' } },
    {
      name: 'projected',
      projected: {
        sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3600 } }],
        defaultMode: 420,
      },
    },
    {
      name: 'down',
      downwardAPI: {
        items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels', apiVersion: 'v1' } }],
        defaultMode: 420,
      },
    },
  ])
})

test('the old name of the service account is kept beside the new one', async (t) => {
  const object = withContainer({}, { serviceAccount: 'robot' })
  t.equal(at(object, 'spec', 'serviceAccountName'), 'robot')
  t.equal(at(object, 'spec', 'serviceAccount'), 'robot')
})

test('a gated pod says why it is not scheduled', async (t) => {
  const object = withContainer({}, { schedulingGates: [{ name: 'example.com/gate' }] })
  t.match(at(object, 'status', 'conditions'), [{ type: 'PodScheduled', reason: 'SchedulingGated' }])
})

test('matchLabelKeys become terms with the pod’s own values, once', async (t) => {
  const spread = {
    maxSkew: 1,
    topologyKey: 'zone',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'a' } },
    matchLabelKeys: ['hash', 'absent'],
  }
  const object = created(pod, {
    metadata: { labels: { app: 'a', hash: '1' } },
    spec: { containers: [{ name: 'a', image: 'x:1' }], topologySpreadConstraints: [spread] },
  })
  const expressions = [{ key: 'hash', operator: 'In', values: ['1'] }]
  const selectorOf = (one: unknown) =>
    at(itemsOf(at(one, 'spec', 'topologySpreadConstraints'))[0], 'labelSelector', 'matchExpressions')
  t.same(selectorOf(object), expressions)
  t.same(selectorOf(pod.prepareCreate(object)), expressions)
})

test('the class of service follows requests and limits', async (t) => {
  const both = { cpu: '1', memory: '1Gi' }
  const table = [
    ['BestEffort', {}],
    ['Burstable', { requests: { cpu: '1' } }],
    ['Burstable', { limits: both, requests: { cpu: '500m', memory: '1Gi' } }],
    ['Guaranteed', { limits: both }],
    ['Guaranteed', { limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }],
  ] as const
  for (const [expected, resources] of table) {
    t.equal(at(withContainer({ resources }), 'status', 'qosClass'), expected, JSON.stringify(resources))
  }
})

test('a pod’s grace is what was asked for, or its own, and nothing where no kubelet would end it', async (t) => {
  const bound = withContainer({}, { nodeName: 'node' })
  t.equal(pod.gracePeriod?.(bound, undefined), 30)
  t.equal(pod.gracePeriod?.(bound, 5), 5)
  t.equal(pod.gracePeriod?.(bound, -1), 1)
  t.equal(pod.gracePeriod?.(withContainer({}), 5), 0)
  t.equal(pod.gracePeriod?.({ ...bound, status: { phase: 'Succeeded' } }, undefined), 0)
})
