// Webhooks as their authors and kubectl's users meet them: over HTTPS, behind a Service.

import { test } from 'tap'
import { configuration, patch, type Review, startWebhookPlane } from './webhook-plane.ts'

test('kubectl sees what a validating webhook refuses, warns of and lets pass', async (t) => {
  const seen: Review[] = []
  await using cluster = await startWebhookPlane((_path, request) => {
    seen.push(request)
    if (request.object['data'] === undefined)
      return { allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no data' } }
    return { warnings: ['little data'] }
  })
  const { ok, kubectl, server } = cluster
  await ok('apply -f -', configuration('Validating', { name: 'data', caBundle: server.caBundle }))
  const refused = await kubectl('create configmap empty')
  t.equal(refused.code, 1)
  t.match(
    refused.stderr,
    'error: failed to create configmap: admission webhook "data.example.com" denied the request: no data',
  )
  const { code, stderr } = await kubectl('create configmap full --from-literal=a=b')
  t.equal(code, 0)
  t.match(stderr, 'Warning: little data')
  t.match(seen.at(-1), {
    kind: { group: '', version: 'v1', kind: 'ConfigMap' },
    resource: { group: '', version: 'v1', resource: 'configmaps' },
    name: 'full',
    namespace: 'default',
    operation: 'CREATE',
    oldObject: null,
    dryRun: false,
    options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-create' },
    userInfo: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] },
  })
  t.equal(server.dialled.at(-1), '10.244.3.4:8443')
  await ok('create configmap dry --from-literal=a=b --dry-run=server')
  t.equal(seen.at(-1)?.dryRun, true)
})

test('mutating webhooks run by name, see each other, and are asked again where they wish', async (t) => {
  const calls: string[] = []
  await using cluster = await startWebhookPlane((path, { object }) => {
    calls.push(`${path} ${Object.keys((object['data'] ?? {}) as object).join()}`)
    const data = (object['data'] ?? {}) as Record<string, string>
    if (path === '/first') return { allowed: true }
    return data['second'] === undefined ? patch({ op: 'add', path: '/data/second', value: '2' }) : {}
  })
  const { ok, server } = cluster
  const { caBundle } = server
  const first = { name: 'a-first', caBundle, path: '/first', more: 'reinvocationPolicy: IfNeeded' }
  await ok('apply -f -', configuration('Mutating', { name: 'b-second', caBundle, path: '/second' }))
  await ok('apply -f -', configuration('Mutating', first))
  await ok('create configmap one --from-literal=own=1')
  t.strictSame(calls, ['/first own', '/second own', '/first own,second'])
  t.equal(await ok('get configmap one -o jsonpath={.data.second}'), '2')
})

test('what a webhook adds is defaulted and validated like anything else', async (t) => {
  const pods = '[{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]'
  await using cluster = await startWebhookPlane((_path, { object }) =>
    object.metadata.name === 'bad'
      ? patch({ op: 'add', path: '/spec/containers/-', value: { name: 'Bad Name', image: 'x' } })
      : patch({ op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 'side:1' } }),
  )
  const { ok, kubectl, server } = cluster
  await ok('apply -f -', configuration('Mutating', { name: 'side', caBundle: server.caBundle, rules: pods }))
  await ok('run good --image=web:1')
  t.equal(
    await ok('get pod good -o jsonpath={.spec.containers[*].name},{.spec.containers[1].imagePullPolicy}'),
    'good side,IfNotPresent',
  )
  const { stderr } = await kubectl('run bad --image=web:1')
  t.match(stderr, /The Pod "bad" is invalid: spec.containers\[1\].name: Invalid value: "Bad Name"/)
})

test('failurePolicy decides what a webhook that cannot be used means', async (t) => {
  await using cluster = await startWebhookPlane((path) =>
    path === '/broken' ? 500 : { uid: 'of another request' },
  )
  const { ok, kubectl, server } = cluster
  const { caBundle } = server
  const cases = [
    [
      { name: 'broken', caBundle, path: '/broken' },
      'failed to call webhook: an error on the server ("unknown")',
    ],
    [{ name: 'wrong', caBundle }, 'received invalid webhook response: expected response.uid='],
    [
      { name: 'stranger', caBundle: Buffer.from('nonsense').toString('base64') },
      'failed to call webhook: Post "https://hook.hooks.svc:443/?timeout=10s": unable to load root certificates',
    ],
  ] as const
  for (const [wanted, text] of cases) {
    const name = `${wanted.name}.example.com`
    await ok('apply -f -', configuration('Validating', wanted))
    const { stderr } = await kubectl('create configmap one')
    t.match(stderr, `Internal error occurred: failed calling webhook "${name}": ${text}`)
    t.notMatch(stderr, 'a secret of the far end')
    await ok('apply -f -', configuration('Validating', { ...wanted, more: 'failurePolicy: Ignore' }))
    await ok('create configmap one')
    await ok('delete configmap one')
    await ok(`delete validatingwebhookconfiguration ${wanted.name}`)
  }
})

test('a service that leads nowhere is told by name', async (t) => {
  await using cluster = await startWebhookPlane(() => ({}))
  const { ok, kubectl, server } = cluster
  await ok('apply -f -', configuration('Validating', { name: 'lost', caBundle: server.caBundle }))
  await ok('delete endpointslice hook -n hooks')
  t.match((await kubectl('create configmap one')).stderr, /: no endpoints available for service "hook"/)
  await ok('delete service hook -n hooks')
  t.match((await kubectl('create configmap one')).stderr, /443\/\?timeout=10s": service "hook" not found/)
})

test('B18 endpoints that a tenant points at a metadata service are not dialled', async (t) => {
  await using cluster = await startWebhookPlane(() => ({}))
  const { ok, kubectl, server } = cluster
  const slice = '[{"op":"replace","path":"/endpoints/0/addresses","value":["100.100.100.200"]}]'
  await ok(`patch endpointslice hook -n hooks --type=json -p '${slice}'`)
  await ok('apply -f -', configuration('Validating', { name: 'evil', caBundle: server.caBundle }))
  const { stderr } = await kubectl('create configmap one')
  t.match(stderr, 'dial tcp 100.100.100.200:8443: this control plane does not connect to that address')
  t.strictSame(server.dialled, [])
})

test('B19 no webhook is asked about webhook configurations, so nobody is locked out', async (t) => {
  await using cluster = await startWebhookPlane(() => ({ allowed: false }))
  const { ok, kubectl, server } = cluster
  const rules = '[{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"] }]'
  await ok('apply -f -', configuration('Validating', { name: 'all', caBundle: server.caBundle, rules }))
  t.match(
    (await kubectl('create configmap one')).stderr,
    'admission webhook "all.example.com" denied the request without explanation',
  )
  await ok('delete validatingwebhookconfiguration all')
  await ok('create configmap one')
})

test('selectors, scope, subresources and operations say whom a webhook is asked about', async (t) => {
  const seen: string[] = []
  await using cluster = await startWebhookPlane((path, { operation, resource, subResource = '', name }) => {
    seen.push(`${path} ${operation} ${resource.resource}/${subResource} ${name}`)
    return {}
  })
  const { ok, server } = cluster
  const { caBundle } = server
  const labelled = 'namespaceSelector: { matchLabels: { hooked: "yes" } }'
  await ok(
    'apply -f -',
    configuration('Validating', { name: 'by-namespace', caBundle, path: '/ns', more: labelled }),
  )
  const object = 'objectSelector: { matchExpressions: [{ key: watched, operator: Exists }] }'
  await ok(
    'apply -f -',
    configuration('Validating', { name: 'by-object', caBundle, path: '/object', more: object }),
  )
  const cluster_ =
    '[{ apiGroups: ["*"], apiVersions: ["*"], operations: [DELETE], resources: ["*"], scope: Cluster }]'
  await ok(
    'apply -f -',
    configuration('Mutating', { name: 'by-scope', caBundle, path: '/scope', rules: cluster_ }),
  )
  const status =
    '[{ apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [services/status] }]'
  await ok(
    'apply -f -',
    configuration('Validating', { name: 'status', caBundle, path: '/status', rules: status }),
  )
  await ok('create namespace hooked')
  await ok('label namespace hooked hooked=yes')
  await ok('create configmap one -n hooked')
  await ok('create configmap two')
  await ok('label configmap two watched=1')
  await ok('delete configmap two')
  await ok('patch service kubernetes --subresource=status --type=merge -p {"status":{"loadBalancer":{}}}')
  await ok('create priorityclass brief --value=1')
  await ok('delete priorityclass brief')
  t.match(
    seen.filter((line) => line.startsWith('/ns')),
    [/^\/ns CREATE configmaps\/ (one|kube-root-ca.crt)$/],
  )
  t.strictSame(
    seen.filter((line) => !line.startsWith('/ns')),
    [
      '/object UPDATE configmaps/ two',
      '/status UPDATE services/status kubernetes',
      '/scope DELETE priorityclasses/ brief',
    ],
  )
})

test('a webhook with side effects is not asked in a dry run', async (t) => {
  await using cluster = await startWebhookPlane(() => ({}))
  const { kubectl, server } = cluster
  const document = configuration('Validating', { name: 'effects', caBundle: server.caBundle })
  const { stderr } = await kubectl('apply -f -', document.replace('None', 'Some'))
  t.match(
    stderr,
    /webhooks\[0\].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"/,
  )
})

test('match conditions say which requests a webhook is asked about', async (t) => {
  const seen: string[] = []
  await using cluster = await startWebhookPlane((_path, { name = '' }) => {
    seen.push(name)
    return {}
  })
  const { ok, kubectl, server } = cluster
  const { caBundle } = server
  const conditions = (expression: string): string =>
    `matchConditions: [{ name: one, expression: ${JSON.stringify(expression)} }]`
  const more = conditions(
    "request.userInfo.username == 'kubernetes-admin' && object.metadata.name.startsWith('asked')",
  )
  await ok('apply -f -', configuration('Validating', { name: 'some', caBundle, more }))
  await ok('create configmap asked')
  await ok('create configmap other')
  t.strictSame(seen, ['asked'])
  const broken = configuration('Validating', {
    name: 'some',
    caBundle,
    more: conditions('object.metadata.labels.a == 1'),
  })
  await ok('apply -f -', broken)
  t.match((await kubectl('create configmap third')).stderr, /configmaps "third" is forbidden: .*no such key/)
  const wrong = await kubectl(
    'apply -f -',
    configuration('Validating', { name: 'some', caBundle, more: conditions('1 +') }),
  )
  t.match(wrong.stderr, /webhooks\[0\].matchConditions\[0\].expression: Invalid value: "1 \+"/)
})
