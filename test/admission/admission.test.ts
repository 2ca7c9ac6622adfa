// The plugins of every plane: what they fill in, what they refuse, in upstream's words.

import t from 'tap'
import { createAdmission } from '../../src/admission/admission.ts'
import { defaultPlugins } from '../../src/admission/plugins.ts'
import { systemPriorityClasses } from '../../src/admission/priority.ts'
import type { AdmissionRequest } from '../../src/api/contracts.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { deepFreeze } from '../../src/api/stored.ts'
import { createRbacAuthorizer } from '../../src/authz/rbac.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { binding, FakeReader, role } from '../authz/fake-reader.ts'

const make = (kind: string, fullName: string, rest: object = {}, apiVersion = 'v1'): KubeObject => {
  const [first = '', second] = fullName.split('/')
  const metadata = second === undefined ? { name: first } : { namespace: first, name: second }
  return { apiVersion, kind, metadata, ...rest }
}

const namespace = make('Namespace', 'shop', { status: { phase: 'Active' } })
const account = make('ServiceAccount', 'shop/default')

function start(objects: readonly KubeObject[] = [namespace, account]) {
  const reader = new FakeReader(objects)
  const clock = new FakeClock()
  const authorizer = createRbacAuthorizer({ reader })
  const admission = createAdmission({
    plugins: defaultPlugins({ reader, authorizer, clock, random: seededRandom(3) }),
  })
  return { reader, clock, admission }
}

const resources: Readonly<Record<string, string>> = {
  Ingress: 'ingresses',
  PriorityClass: 'priorityclasses',
  LocalSubjectAccessReview: 'localsubjectaccessreviews',
}

function request(object: KubeObject, change: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const [group = '', version = ''] = (object.apiVersion ?? '').includes('/')
    ? (object.apiVersion ?? '').split('/')
    : ['', 'v1']
  const kind = object.kind ?? ''
  return deepFreeze({
    user: { name: 'jane', groups: ['dev', 'system:authenticated'] },
    operation: 'CREATE',
    kind: { group, version, kind },
    resource: { group, version, resource: resources[kind] ?? `${kind.toLowerCase()}s` },
    subresource: '',
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
    object,
    old: undefined,
    isDryRun: false,
    warn: () => {},
    ...change,
  })
}

const pod = (spec: object = {}) => make('Pod', 'shop/web', { spec: { containers: [{ name: 'a' }], ...spec } })
interface Mounting {
  readonly volumeMounts?: readonly { readonly name: string }[]
}
interface Spec {
  readonly serviceAccountName?: string
  readonly serviceAccount?: string
  readonly storageClassName?: string
  readonly volumes?: readonly { readonly name: string; readonly projected?: unknown }[]
  readonly containers?: readonly Mounting[]
  readonly initContainers?: readonly Mounting[]
  readonly imagePullSecrets?: readonly unknown[]
  readonly tolerations?: readonly unknown[]
}
const specOf = (object: KubeObject): Spec => object['spec'] as Spec

t.test('nothing is made in a namespace that is missing or going away', async (t) => {
  const { admission, reader } = start()
  const config = make('ConfigMap', 'gone/a')
  await t.rejects(admission.mutate(request(config)), { code: 404, message: 'namespaces "gone" not found' })
  await t.rejects(admission.validate(request(config)), { code: 404 })
  for (const going of [
    { ...namespace, status: { phase: 'Terminating' } },
    { ...namespace, metadata: { ...namespace.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } },
  ]) {
    reader.put(going)
    await t.rejects(admission.mutate(request(make('ConfigMap', 'shop/a'))), {
      code: 403,
      message:
        'configmaps "a" is forbidden: unable to create new content in namespace shop because it is being terminated',
      status: {
        details: {
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: 'namespace shop is being terminated',
              field: 'metadata.namespace',
            },
          ],
        },
      },
    })
    const old = make('ConfigMap', 'shop/a')
    await t.resolves(admission.mutate(request(old, { operation: 'UPDATE', old })))
    await t.resolves(admission.validate(request(old, { operation: 'DELETE', object: undefined, old })))
  }
})

t.test('an access review does not tell whether its namespace is there', async (t) => {
  const { admission } = start()
  const review = make('LocalSubjectAccessReview', 'gone/', {}, 'authorization.k8s.io/v1')
  await t.resolves(admission.mutate(request(review)))
})

t.test('three namespaces may not be deleted', async (t) => {
  const { admission } = start()
  const remove = (name: string) =>
    admission.validate(request(make('Namespace', name), { operation: 'DELETE', object: undefined }))
  for (const name of ['default', 'kube-system', 'kube-public']) {
    await t.rejects(remove(name), {
      code: 403,
      message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
    })
  }
  await t.resolves(remove('shop'))
})

t.test('a pod gets the default account and its token volume', async (t) => {
  const { admission } = start()
  const mutated = await admission.mutate(
    request(pod({ initContainers: [{ name: 'i', volumeMounts: [{ name: 'x', mountPath: '/x' }] }] })),
  )
  const spec = specOf(mutated)
  t.equal(spec.serviceAccountName, 'default')
  t.equal(spec.serviceAccount, 'default')
  const volume = spec.volumes?.[0] ?? { name: '' }
  t.match(volume.name, /^kube-api-access-[a-z0-9]{5}$/)
  t.same(volume.projected, {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      {
        downwardAPI: {
          items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
        },
      },
    ],
  })
  const mount = {
    name: volume.name,
    readOnly: true,
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  }
  t.same(spec.containers?.[0]?.volumeMounts, [mount])
  t.same(spec.initContainers?.[0]?.volumeMounts?.[1], mount)
  await t.resolves(admission.validate(request(mutated)))
})

t.test('a pod may do without the token, or bring its own', async (t) => {
  const { admission, reader } = start()
  t.equal(
    specOf(await admission.mutate(request(pod({ automountServiceAccountToken: false })))).volumes,
    undefined,
  )
  const own = { name: 'mine', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }
  const kept = await admission.mutate(request(pod({ containers: [{ name: 'a', volumeMounts: [own] }] })))
  t.same(specOf(kept).containers?.[0]?.volumeMounts, [own])
  t.equal(specOf(kept).volumes, undefined)
  const existing = { name: 'kube-api-access-abcde', emptyDir: {} }
  const reused = specOf(await admission.mutate(request(pod({ volumes: [existing] }))))
  t.same(reused.volumes, [existing])
  t.equal(reused.containers?.[0]?.volumeMounts?.[0]?.name, existing.name)
  reader.put({ ...account, automountServiceAccountToken: false })
  t.equal(specOf(await admission.mutate(request(pod()))).volumes, undefined)
  t.ok(specOf(await admission.mutate(request(pod({ automountServiceAccountToken: true })))).volumes)
})

t.test('a pod gets the pull secrets of its account unless it has some', async (t) => {
  const { admission, reader } = start()
  reader.put({ ...account, imagePullSecrets: [{ name: 'registry' }] })
  t.same(specOf(await admission.mutate(request(pod()))).imagePullSecrets, [{ name: 'registry' }])
  const own = [{ name: 'own' }]
  t.same(specOf(await admission.mutate(request(pod({ imagePullSecrets: own })))).imagePullSecrets, own)
})

t.test('a pod whose account is missing is refused', async (t) => {
  const { admission } = start()
  await t.rejects(admission.mutate(request(pod({ serviceAccountName: 'robot' }))), {
    code: 403,
    message:
      'pods "web" is forbidden: error looking up service account shop/robot: serviceaccount "robot" not found',
  })
  const generated = {
    ...pod({ serviceAccountName: 'robot' }),
    metadata: { namespace: 'shop', generateName: 'web-' },
  }
  await t.rejects(admission.mutate(request(generated)), {
    message: /^pods "web-" is forbidden: error looking up/,
  })
})

t.test('a pod waits a moment for the default account of a fresh namespace', async (t) => {
  const { admission, reader, clock } = start([namespace])
  const admitted = admission.mutate(request(pod()))
  await clock.advance(50)
  reader.put(account)
  await clock.advance(200)
  t.equal(specOf(await admitted).serviceAccountName, 'default')
  reader.remove(account)
  const refused = t.rejects(admission.mutate(request(pod())), { code: 403 })
  await clock.advance(5_000)
  await refused
  t.equal(clock.pendingTimers, 0)
})

t.test('an account may limit its pods to its own secrets', async (t) => {
  const { admission, reader } = start()
  const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' }
  reader.put({ ...account, metadata: { ...account.metadata, annotations }, secrets: [{ name: 'mine' }] })
  const using = (secretName: string) =>
    admission.validate(
      request(pod({ serviceAccountName: 'default', volumes: [{ name: 'v', secret: { secretName } }] })),
    )
  await t.resolves(using('mine'))
  await t.rejects(using('other'), {
    message:
      'pods "web" is forbidden: volume with secret.secretName="other" is not allowed because service account default does not reference that secret',
  })
})

t.test('a pod stays five minutes on a node that is lost, unless it says otherwise', async (t) => {
  const { admission } = start()
  const tolerations = async (given?: object[]) =>
    specOf(await admission.mutate(request(pod(given === undefined ? {} : { tolerations: given }))))
      .tolerations
  const added = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })
  const [notReady, unreachable] = [
    added('node.kubernetes.io/not-ready'),
    added('node.kubernetes.io/unreachable'),
  ]
  t.same(await tolerations(), [notReady, unreachable])
  const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists' }
  t.same(await tolerations([own]), [own, unreachable])
  t.same(await tolerations([{ operator: 'Exists' }]), [{ operator: 'Exists' }])
})

t.test('a pod’s priority is its class’s', async (t) => {
  const high = make(
    'PriorityClass',
    'high',
    { value: 100, preemptionPolicy: 'Never' },
    'scheduling.k8s.io/v1',
  )
  const { admission, reader } = start([namespace, account, high])
  const admit = async (spec: object = {}) => specOf(await admission.mutate(request(pod(spec))))
  t.match(await admit(), {
    priority: 0,
    preemptionPolicy: 'PreemptLowerPriority',
    priorityClassName: undefined,
  })
  t.match(await admit({ priorityClassName: 'high' }), { priority: 100, preemptionPolicy: 'Never' })
  t.match(await admit({ priorityClassName: 'system-node-critical' }), { priority: 2_000_001_000 })
  await t.rejects(admit({ priorityClassName: 'low' }), {
    message: 'pods "web" is forbidden: no PriorityClass with name low was found',
  })
  await t.rejects(admit({ priority: 5 }), {
    message:
      'pods "web" is forbidden: the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  })
  reader.put({ ...high, globalDefault: true })
  t.match(await admit(), { priority: 100, priorityClassName: 'high' })
  const second = make('PriorityClass', 'next', { value: 1, globalDefault: true }, 'scheduling.k8s.io/v1')
  await t.rejects(admission.validate(request(second)), {
    message:
      'priorityclasses.scheduling.k8s.io "next" is forbidden: PriorityClass high is already marked as default. Only one default can exist',
  })
  t.equal(systemPriorityClasses().length, 2)
})

t.test('a claim without a class gets the newest default, an empty class stays empty', async (t) => {
  const storage = (name: string, creationTimestamp: string): KubeObject => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      creationTimestamp,
      annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
    },
  })
  const { admission, reader } = start()
  const claim = (spec: object) => make('PersistentVolumeClaim', 'shop/data', { spec })
  const admit = async (spec: object) => specOf(await admission.mutate(request(claim(spec)))).storageClassName
  t.equal(await admit({}), undefined)
  reader.put(storage('old', '2026-01-01T00:00:00Z'))
  reader.put(storage('new', '2026-02-01T00:00:00Z'))
  t.equal(await admit({}), 'new')
  t.equal(await admit({ storageClassName: '' }), '')
})

t.test('approving and signing a request need a right over its signer', async (t) => {
  const { admission, reader } = start()
  const old = make(
    'CertificateSigningRequest',
    'a',
    { spec: { signerName: 'example.com/one' } },
    'certificates.k8s.io/v1',
  )
  const signed = { ...old, status: { certificate: 'YQ==' } }
  const approve = request(old, { operation: 'UPDATE', subresource: 'approval', old })
  const sign = request(signed, { operation: 'UPDATE', subresource: 'status', old })
  await t.rejects(admission.validate(approve), {
    code: 403,
    message: /user not permitted to approve requests with signerName "example\.com\/one"/,
  })
  await t.rejects(admission.validate(sign), { code: 403, message: /not permitted to sign/ })
  const rule = {
    apiGroups: ['certificates.k8s.io'],
    resources: ['signers'],
    resourceNames: ['example.com/*'],
  }
  reader.put(role('signer', [{ ...rule, verbs: ['approve', 'sign'] }]))
  reader.put(binding('signers', 'ClusterRole/signer', 'User/jane'))
  await t.resolves(admission.validate(approve))
  await t.resolves(admission.validate(sign))
})

t.test('nobody asks for a certificate of the administrators', async (t) => {
  const reader = new FakeReader()
  const plugins = defaultPlugins({
    reader,
    authorizer: createRbacAuthorizer({ reader }),
    clock: new FakeClock(),
    random: seededRandom(4),
    requestGroups: (pem) => pem.split(' '),
  })
  const admission = createAdmission({ plugins })
  const ask = (groups: string, signerName: string) =>
    admission.validate(
      request(
        make(
          'CertificateSigningRequest',
          'a',
          { spec: { signerName, username: 'jane', request: Buffer.from(groups).toString('base64') } },
          'certificates.k8s.io/v1',
        ),
      ),
    )
  await t.rejects(ask('dev system:masters', 'kubernetes.io/kube-apiserver-client'), {
    code: 403,
    message: /use of kubernetes\.io\/kube-apiserver-client signer with system:masters group is not allowed/,
  })
  await t.resolves(ask('dev', 'kubernetes.io/kube-apiserver-client'))
  await t.resolves(ask('system:masters', 'example.com/own'))
})
