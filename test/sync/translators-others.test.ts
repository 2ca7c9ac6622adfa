// Translators of all that is no pod, the restricted level, and texts.

import t from 'tap'
import type { Pod, Service } from '../../src/api/models.ts'
import { hostKey, hostName } from '../../src/sync/names.ts'
import { createScrub } from '../../src/sync/scrub.ts'
import { toHostClaim } from '../../src/sync/translators/claim.ts'
import { toHostPod } from '../../src/sync/translators/pod.ts'
import { toHostSecret } from '../../src/sync/translators/secret.ts'
import { isSyncedService, toHostService } from '../../src/sync/translators/service.ts'
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

t.test('the restricted level fills what has one answer and leaves what was said', async (t) => {
  const policy = { podSecurity: 'restricted' } as const
  const spec = hostSpec(
    {
      containers: [
        { name: 'a', image: 'x' },
        {
          name: 'b',
          image: 'x',
          securityContext: { allowPrivilegeEscalation: true, capabilities: { add: ['X'] } },
        },
      ],
    },
    { policy },
  )
  t.match(spec?.securityContext, { seccompProfile: { type: 'RuntimeDefault' } })
  t.match(spec?.containers[0]?.securityContext, {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
  })
  t.match(spec?.containers[1]?.securityContext, {
    allowPrivilegeEscalation: true,
    capabilities: { add: ['X'], drop: ['ALL'] },
  })
})

t.test('A19 A20 secrets keep no type that the host acts upon', async (t) => {
  const typeOf = (type: string) =>
    toHostSecret(
      {
        metadata: {
          name: 's',
          namespace: 'shop',
          uid: 'u',
          annotations: { 'kubernetes.io/service-account.name': 'default' },
        },
        type,
        data: { a: 'Yg==' },
      },
      context,
    ).host
  for (const type of [
    'kubernetes.io/service-account-token',
    'bootstrap.kubernetes.io/token',
    'kubernetes.io/tls',
    'Opaque',
    'custom',
  ])
    t.equal(typeOf(type).type, 'Opaque', type)
  t.equal(typeOf('kubernetes.io/dockerconfigjson').type, 'kubernetes.io/dockerconfigjson')
  t.notOk(
    typeOf('kubernetes.io/service-account-token').metadata.annotations?.[
      'kubernetes.io/service-account.name'
    ],
  )
})

t.test('A9 A10 services lead to pods of the plane, and nowhere else', async (t) => {
  const spec: Service['spec'] = {
    type: 'LoadBalancer',
    clusterIP: '10.0.0.8',
    clusterIPs: ['10.0.0.8'],
    externalIPs: ['1.2.3.4'],
    loadBalancerIP: '1.2.3.5',
    loadBalancerSourceRanges: ['0.0.0.0/0'],
    loadBalancerClass: 'x',
    healthCheckNodePort: 30001,
    externalTrafficPolicy: 'Local',
    allocateLoadBalancerNodePorts: true,
    ports: [{ name: 'http', port: 80, targetPort: 'web', nodePort: 30002, protocol: 'TCP' }],
    selector: { app: 'victim' },
    sessionAffinity: 'None',
  }
  const service: Service = { metadata: { name: 'web', namespace: 'shop', uid: 'u' }, spec }
  const { host, ignored } = toHostService(service, context)
  t.strictSame(host.spec, {
    type: 'ClusterIP',
    clusterIP: '10.0.0.8',
    sessionAffinity: 'None',
    ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }],
    selector: { [hostKey('app')]: 'victim', 'k3v.dev/plane': 'p', 'k3v.dev/namespace': 'shop' },
  })
  t.match(ignored.join('\n'), /externalIPs[\s\S]*loadBalancerIP[\s\S]*LoadBalancer/)
  t.notOk(isSyncedService({ ...service, spec: { type: 'ExternalName', externalName: '169.254.169.254' } }))
  t.notOk(isSyncedService({ metadata: { name: 'kubernetes', namespace: 'default' }, spec }))
  const bare = toHostService({ ...service, spec: { ports: [], clusterIP: '10.0.0.9' } }, context)
  t.equal(bare.host.spec?.selector, undefined)
  t.match(bare.ignored, [/endpoints without a selector/])
})

t.test('A29 claims get new volumes of a class that the operator allows', async (t) => {
  const claim = (storageClassName: string | undefined) => ({
    metadata: {
      name: 'data',
      namespace: 'shop',
      uid: 'u',
      annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
    },
    spec: {
      storageClassName,
      volumeName: 'victim',
      selector: { matchLabels: { a: 'b' } },
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi', other: '5' } },
    },
  })
  const classOf = (asked: string | undefined, policy: object = {}) =>
    toHostClaim(claim(asked), { ...context, policy: { podSecurity: 'baseline', ...policy } }).host.spec
      ?.storageClassName
  t.equal(classOf('any'), undefined)
  t.equal(classOf(''), undefined)
  t.equal(classOf('fast', { storageClasses: ['fast'] }), 'fast')
  t.equal(classOf('any', { defaultStorageClass: 'slow' }), 'slow')
  const { host } = toHostClaim(claim(undefined), context)
  t.strictSame(host.spec, { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } })
  const cloned = {
    ...claim(undefined),
    spec: { dataSource: { kind: 'PersistentVolumeClaim', name: 'victim' } },
  }
  t.match(toHostClaim(cloned, context).refusals, [/dataSource/])
})

t.test('texts lose the names of the host', async (t) => {
  const scrub = createScrub(owner, 'shop', [{ kind: 'Pod', name: 'web' }])
  const [web, other] = [copyOf('Pod', 'web'), copyOf('Secret', 'else')]
  t.equal(
    scrub(
      `pods "${web}" is forbidden: exceeded quota: tenant-quota in namespace tenant, see "tenant/${other}"`,
    ),
    'pods "web" is forbidden: exceeded quota: tenant-quota in namespace shop, see "shop/else"',
  )
})

t.test('a pod is called by its own name', async (t) => {
  t.equal(toHostPod(pod({}, { name: 'a.b' }), context).host.spec?.hostname, 'a-b')
  t.equal(hostSpec({ hostname: 'db-0', subdomain: 'db' })?.hostname, 'db-0')
  t.equal(hostSpec({ hostname: 'db-0', subdomain: 'db' })?.subdomain, undefined)
})
