import t from 'tap'
import type { Pod, Service, ServicePort } from '../../src/api/models.ts'
import { hostKey, hostName } from '../../src/sync/names.ts'
import { formatMap } from '../../src/sync/translators/downward.ts'
import { toHostPod, tokenSecretName } from '../../src/sync/translators/pod.ts'
import type { TranslationContext } from '../../src/sync/translators/translation.ts'

const owner = { planeUid: 'p', hostNamespace: 'tenant' }
const context: TranslationContext = {
  owner,
  policy: { podSecurity: 'baseline' },
  workloadServiceAccount: 'workload',
  api: { host: '10.0.0.1', port: 443 },
  dns: undefined,
  servicesOf: () => [],
}
const copyOf = (kind: string, name: string) =>
  hostName({ planeUid: 'p', group: '', kind, namespace: 'shop', name })
const pod = (spec: Partial<Pod['spec']> = {}, metadata: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name: 'web', namespace: 'shop', uid: 'u1', ...metadata },
  spec: { containers: [{ name: 'main', image: 'web:1' }], ...spec },
})
const hostSpec = (spec: Partial<Pod['spec']>, change: Partial<TranslationContext> = {}) =>
  toHostPod(pod(spec), { ...context, ...change }).host.spec

t.test('A17 every reference of a pod is renamed', async (t) => {
  const spec = hostSpec({
    imagePullSecrets: [{ name: 'pull' }],
    initContainers: [
      { name: 'init', image: 'x', envFrom: [{ configMapRef: { name: 'c1', optional: true } }] },
    ],
    containers: [
      {
        name: 'main',
        image: 'x',
        env: [{ name: 'S', valueFrom: { secretKeyRef: { name: 's1', key: 'k', optional: true } } }],
        envFrom: [{ prefix: 'P_', secretRef: { name: 's2' } }],
      },
    ],
    volumes: [
      {
        name: 'a',
        configMap: { name: 'c2', items: [{ key: 'k', path: 'p', mode: 0o400 }], defaultMode: 0o440 },
      },
      { name: 'b', secret: { secretName: 's3', optional: true } },
      { name: 'c', persistentVolumeClaim: { claimName: 'data', readOnly: true } },
      { name: 'd', projected: { sources: [{ secret: { name: 's4' } }, { configMap: { name: 'c3' } }] } },
    ],
  })
  t.strictSame(spec?.imagePullSecrets, [{ name: copyOf('Secret', 'pull') }])
  t.match(spec?.initContainers?.[0]?.envFrom, [
    { configMapRef: { name: copyOf('ConfigMap', 'c1'), optional: true } },
  ])
  t.match(spec?.containers[0], {
    envFrom: [{ prefix: 'P_', secretRef: { name: copyOf('Secret', 's2') } }],
  })
  t.match(spec?.containers[0]?.env?.find(({ name }) => name === 'S')?.valueFrom, {
    secretKeyRef: { name: copyOf('Secret', 's1'), key: 'k', optional: true },
  })
  t.match(spec?.volumes, [
    {
      configMap: {
        name: copyOf('ConfigMap', 'c2'),
        items: [{ key: 'k', path: 'p', mode: 0o400 }],
        defaultMode: 0o440,
      },
    },
    { secret: { secretName: copyOf('Secret', 's3'), optional: true } },
    { persistentVolumeClaim: { claimName: copyOf('PersistentVolumeClaim', 'data'), readOnly: true } },
    {
      projected: {
        sources: [
          { secret: { name: copyOf('Secret', 's4') } },
          { configMap: { name: copyOf('ConfigMap', 'c3') } },
        ],
      },
    },
  ])
})

t.test('A21 A22 tokens become files of a Secret of the plane, and no token is of the host', async (t) => {
  const asked = pod({
    serviceAccountName: 'cluster-admin',
    automountServiceAccountToken: true,
    volumes: [
      {
        name: 'token',
        projected: {
          defaultMode: 0o644,
          sources: [
            { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            {
              downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] },
            },
          ],
        },
      },
      { name: 'vault', projected: { sources: [{ serviceAccountToken: { path: 'v', audience: 'vault' } }] } },
    ],
  })
  const { host, tokens } = toHostPod(asked, context)
  const secret = tokenSecretName(asked, 'p')
  t.equal(host.spec?.serviceAccountName, 'workload')
  t.equal(host.spec?.automountServiceAccountToken, false)
  t.strictSame(tokens, [
    { key: 'token-0', audiences: [], expirationSeconds: 3607 },
    { key: 'token-1', audiences: ['vault'], expirationSeconds: 3600 },
  ])
  t.match(host.spec?.volumes?.[0]?.projected, {
    defaultMode: 0o644,
    sources: [
      { secret: { name: secret, items: [{ key: 'token-0', path: 'token' }] } },
      { configMap: { name: copyOf('ConfigMap', 'kube-root-ca.crt') } },
      {
        downwardAPI: {
          items: [
            { path: 'namespace', fieldRef: { fieldPath: "metadata.annotations['k3v.dev/namespace']" } },
          ],
        },
      },
    ],
  })
  t.equal(host.metadata.annotations?.['k3v.dev/namespace'], 'shop')
  t.match(host.spec?.volumes?.[1]?.projected?.sources, [
    { secret: { items: [{ key: 'token-1', path: 'v' }] } },
  ])
})

t.test('A14 the downward API tells who the tenant knows, whatever annotations say', async (t) => {
  const fields = [
    'metadata.name',
    'metadata.uid',
    'spec.serviceAccountName',
    "metadata.labels['app']",
    "metadata.annotations['note']",
    "metadata.labels['absent']",
    'status.podIP',
    'spec.nodeName',
  ]
  const asked = pod(
    {
      serviceAccountName: 'shopkeeper',
      containers: [
        {
          name: 'main',
          image: 'x',
          env: fields.map((fieldPath, index) => ({
            name: `F${index}`,
            valueFrom: { fieldRef: { fieldPath } },
          })),
        },
      ],
      volumes: [
        { name: 'v', downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      ],
    },
    {
      labels: { app: 'web', b: 'say "hi"' },
      annotations: { note: 'n', 'k3v.dev/name': 'forged', 'k3v.dev/pod-uid': 'forged' },
    },
  )
  const { host } = toHostPod(asked, context)
  const { annotations = {}, labels = {} } = host.metadata
  const answer = (fieldPath = ''): string | undefined => {
    const [, where, key = ''] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? []
    if (where === undefined) return fieldPath
    return (where === 'labels' ? labels : annotations)[key]
  }
  const own = host.spec?.containers[0]?.env?.filter(({ valueFrom }) => valueFrom !== undefined)
  t.strictSame(
    own?.map(({ valueFrom }) => answer(valueFrom?.fieldRef?.fieldPath)),
    ['web', 'u1', 'shopkeeper', 'web', 'n', '', 'status.podIP', 'spec.nodeName'],
  )
  const file = host.spec?.volumes?.[0]?.downwardAPI?.items?.[0]?.fieldRef?.fieldPath
  t.equal(answer(file), 'app="web"\nb="say \\"hi\\""')
})

t.test('formatMap() writes values as kubelets do', async (t) => {
  t.equal(
    formatMap({ b: 'two\nlines', a: 'ü "q" \\ \u0001 \u200b' }),
    'a="ü \\"q\\" \\\\ \\x01 \\u200b"\nb="two\\nlines"',
  )
})

t.test('a pod gets the variables of its own Services and of the API, and its own win', async (t) => {
  const service = (name: string, clusterIP: string, ports: readonly ServicePort[]): Service => ({
    metadata: { name, namespace: 'shop' },
    spec: { clusterIP, ports },
  })
  const servicesOf = (namespace: string) =>
    namespace === 'shop'
      ? [
          service('my-db', '10.0.0.7', [
            { name: 'sql', port: 5432, protocol: 'TCP' },
            { port: 53, protocol: 'UDP' },
          ]),
          service('headless', 'None', [{ port: 1 }]),
        ]
      : []
  const containers = [
    {
      name: 'main',
      image: 'x',
      env: [
        { name: 'MY_DB_SERVICE_HOST', value: 'mine' },
        { name: 'URL', value: '$(MY_DB_PORT)' },
      ],
    },
  ]
  const env = hostSpec({ containers }, { servicesOf })?.containers[0]?.env ?? []
  const value = (name: string) => env.find((one) => one.name === name)?.value
  t.equal(value('MY_DB_SERVICE_HOST'), 'mine')
  t.equal(value('MY_DB_SERVICE_PORT'), '5432')
  t.equal(value('MY_DB_SERVICE_PORT_SQL'), '5432')
  t.equal(value('MY_DB_PORT'), 'tcp://10.0.0.7:5432')
  t.equal(value('MY_DB_PORT_53_UDP'), 'udp://10.0.0.7:53')
  t.equal(value('MY_DB_PORT_53_UDP_PROTO'), 'udp')
  t.equal(value('KUBERNETES_SERVICE_HOST'), '10.0.0.1')
  t.equal(value('KUBERNETES_PORT_443_TCP_ADDR'), '10.0.0.1')
  t.notOk(env.some(({ name }) => name.startsWith('HEADLESS')))
  t.ok(env.findIndex(({ name }) => name === 'MY_DB_PORT') < env.findIndex(({ name }) => name === 'URL'))
  const without = hostSpec({ containers, enableServiceLinks: false }, { servicesOf })
  t.strictSame(
    without?.containers[0]?.env?.map(({ name }) => name).filter((name) => !name.startsWith('KUBERNETES_')),
    ['MY_DB_SERVICE_HOST', 'URL'],
  )
  t.equal(without?.enableServiceLinks, false)
})

t.test("A5 A6 A7 A8 what the operator decides is not the tenant's", async (t) => {
  const asked: Partial<Pod['spec']> = {
    nodeName: 'control-plane',
    nodeSelector: { a: 'b' },
    affinity: { nodeAffinity: {} },
    tolerations: [
      { operator: 'Exists' },
      { key: '', operator: 'Exists', effect: 'NoSchedule' },
      { key: 'node-role.kubernetes.io/control-plane' },
      {
        key: 'node.kubernetes.io/not-ready',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      },
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists' },
    ],
    priorityClassName: 'system-node-critical',
    priority: 2_000_000_000,
    preemptionPolicy: 'PreemptLowerPriority',
    runtimeClassName: 'unsafe',
    schedulerName: 'mine',
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'x', whenUnsatisfiable: 'DoNotSchedule' }],
  }
  const { host, ignored } = toHostPod(pod(asked), context)
  for (const field of [
    'nodeName',
    'nodeSelector',
    'affinity',
    'priorityClassName',
    'priority',
    'preemptionPolicy',
    'runtimeClassName',
    'schedulerName',
    'topologySpreadConstraints',
  ] as const)
    t.equal(host.spec?.[field], undefined, field)
  t.strictSame(host.spec?.tolerations, [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ])
  for (const field of [
    'nodeName',
    'nodeSelector',
    'affinity',
    'priorityClassName',
    'runtimeClassName',
    'schedulerName',
    'tolerations',
  ])
    t.ok(
      ignored.some((text) => text.startsWith(`spec.${field} `)),
      field,
    )
  const policy = {
    podSecurity: 'baseline',
    nodeSelector: { pool: 'tenants' },
    tolerations: [{ key: 'pool', operator: 'Exists' }],
    priorityClassName: 'low',
    runtimeClassName: 'gvisor',
  } as const
  t.match(hostSpec(asked, { policy }), {
    nodeSelector: { pool: 'tenants' },
    priorityClassName: 'low',
    runtimeClassName: 'gvisor',
  })
})

t.test('A2 volumes of other types keep the pod away from the host', async (t) => {
  const types = [
    'hostPath',
    'nfs',
    'csi',
    'iscsi',
    'rbd',
    'azureFile',
    'flexVolume',
    'gitRepo',
    'glusterfs',
    'cephfs',
  ]
  for (const type of types) {
    const volume = { name: 'v', [type]: { path: '/' } }
    const { refusals, host } = toHostPod(pod({ volumes: [volume] }), context)
    t.match(refusals, [new RegExp(`^spec\\.volumes\\[0\\]\\.${type}: `)], type)
    t.strictSame(host.spec?.volumes, [{ name: 'v' }], type)
  }
})

t.test('A4 no port of the node, no probe of other hosts', async (t) => {
  const { host, ignored, refusals } = toHostPod(
    pod({
      containers: [
        {
          name: 'main',
          image: 'x',
          ports: [{ containerPort: 80, hostPort: 80, hostIP: '0.0.0.0' }],
          livenessProbe: { httpGet: { host: '169.254.169.254', port: 80, path: '/latest' } },
          lifecycle: { preStop: { tcpSocket: { host: '10.0.0.1', port: 6443 } } },
        },
      ],
    }),
    context,
  )
  t.strictSame(host.spec?.containers[0]?.ports, [{ containerPort: 80 }])
  t.notMatch(JSON.stringify(host), /169\.254|"10\.0\.0\.1","port"/)
  t.equal(ignored.filter((text) => text.includes('host')).length, 2)
  t.match(refusals, [/livenessProbe\.httpGet\.host/, /preStop\.tcpSocket\.host/])
})

t.test("A12 A13 A26 A27 nothing of the tenant's metadata means anything to the host", async (t) => {
  const { host } = toHostPod(
    pod(
      {},
      {
        labels: { app: 'victim', 'k3v.dev/plane': 'other' },
        annotations: { 'k8s.v1.cni.cncf.io/networks': 'host', 'sidecar.istio.io/inject': 'true' },
        finalizers: ['example.com/stay'],
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'victim', uid: 'v' }],
        generateName: 'web-',
      },
    ),
    { ...context, owner: { ...owner, root: { name: 'release', uid: 'r' } } },
  )
  t.strictSame(host.metadata.labels, {
    [hostKey('app')]: 'victim',
    [hostKey('k3v.dev/plane')]: 'other',
    'k3v.dev/plane': 'p',
    'k3v.dev/namespace': 'shop',
  })
  t.strictSame(Object.keys(host.metadata.annotations ?? {}).sort(), ['k3v.dev/object', 'k3v.dev/uid'])
  t.equal(host.metadata.finalizers, undefined)
  t.equal(host.metadata.generateName, undefined)
  t.strictSame(host.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'ConfigMap', name: 'release', uid: 'r' },
  ])
})

t.test('annotations pass when the operator names them, marks never', async (t) => {
  const policy = { podSecurity: 'baseline', podAnnotations: ['example.com/a', 'k3v.dev/uid'] } as const
  const asked = pod(
    {},
    { annotations: { 'example.com/a': '1', 'example.com/b': '2', 'k3v.dev/uid': 'forged' } },
  )
  const { annotations } = toHostPod(asked, { ...context, policy }).host.metadata
  t.match(annotations, { 'example.com/a': '1', 'k3v.dev/uid': 'u1' })
  t.notOk(annotations?.['example.com/b'])
})

t.test(
  "cluster names are asked at the plane when it answers them, and the pod's own options stay",
  async (t) => {
    const dns = { nameservers: ['10.0.0.53'], domain: 'cluster.local' }
    t.strictSame(hostSpec({}, { dns })?.dnsConfig, {
      nameservers: ['10.0.0.53'],
      searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      options: [{ name: 'ndots', value: '5' }],
    })
    t.strictSame(
      hostSpec({ dnsConfig: { options: [{ name: 'ndots', value: '2' }] } }, { dns })?.dnsConfig?.options,
      [{ name: 'ndots', value: '2' }],
    )
    t.equal(hostSpec({ dnsPolicy: 'Default' }, { dns })?.dnsPolicy, 'Default')
    t.equal(hostSpec({}, {})?.dnsPolicy, 'Default')
    t.match(hostSpec({ dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } }, { dns }), {
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['1.1.1.1'] },
    })
  },
)
