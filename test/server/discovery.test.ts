import t from 'tap'
import { builtInKinds } from '../../src/kinds/index.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { compareVersions, groupsOf } from '../../src/server/discovery/groups.ts'
import { startTestEdge } from './start-edge.ts'

const configMap = builtInKinds.find(({ kind }) => kind === 'ConfigMap') as Kind
const kindOf = (group: string, version: string, kind: string, more: Partial<Kind> = {}): Kind => ({
  ...configMap,
  ...{
    group,
    version,
    kind,
    listKind: `${kind}List`,
    plural: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
  },
  ...more,
})

const scale = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
const kinds: readonly Kind[] = [
  kindOf('example.com', 'v1beta1', 'Thing', { isCustom: true }),
  kindOf('example.com', 'v1', 'Thing', { isCustom: true }),
  kindOf('apps', 'v1', 'Deployment', {
    shortNames: ['deploy'],
    categories: ['all'],
    subresources: [
      { name: 'status', verbs: ['get', 'patch', 'update'] },
      { name: 'scale', verbs: ['get', 'patch', 'update'], speaks: scale },
    ],
  }),
  configMap,
]

const aggregated =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'

t.test('the old lists tell groups, versions and resources', async (t) => {
  await using edge = await startTestEdge({ kinds })
  t.match((await edge.h2('/api')).json(), { kind: 'APIVersions', versions: ['v1'] })
  const { groups } = (await edge.h2('/apis')).json() as {
    groups: { name: string; preferredVersion: object }[]
  }
  t.same(
    groups.map(({ name }) => name),
    ['apps', 'example.com'],
  )
  t.same(groups[1]?.preferredVersion, { groupVersion: 'example.com/v1', version: 'v1' })
  t.match((await edge.h2('/apis/example.com')).json(), {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'example.com',
  })
  t.match((await edge.h2('/api/v1/')).json(), { kind: 'APIResourceList', groupVersion: 'v1' })
  const apps = (await edge.h2('/apis/apps/v1')).json() as { resources: object[] }
  t.match(apps.resources, [
    {
      name: 'deployments',
      singularName: 'deployment',
      namespaced: true,
      kind: 'Deployment',
      shortNames: ['deploy'],
    },
    {
      name: 'deployments/scale',
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    },
    { name: 'deployments/status', kind: 'Deployment' },
  ])
  for (const path of ['/apis/nobody', '/apis/apps/v2', '/api/v2', '/apis/apps/v1beta1']) {
    t.equal((await edge.h2(path)).status, 404, path)
  }
})

t.test(
  'the aggregated form holds core under /api and all else under /apis, and is cached by its tag',
  async (t) => {
    await using edge = await startTestEdge({ kinds })
    const headers = { accept: aggregated }
    const core = await edge.h2('/api', { headers })
    t.equal(
      core.headers['content-type'],
      'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
    )
    t.equal(core.headers['cache-control'], 'public')
    t.equal(core.headers.vary, 'Accept')
    t.match(core.json(), {
      kind: 'APIGroupDiscoveryList',
      items: [{ versions: [{ version: 'v1', freshness: 'Current' }] }],
    })
    const rest = await edge.h2('/apis', { headers })
    t.match(rest.json(), { items: [{ metadata: { name: 'apps' } }, { metadata: { name: 'example.com' } }] })
    const [apps] = rest.json()['items'] as { versions: { resources: object[] }[] }[]
    t.match(apps?.versions[0]?.resources[0], {
      resource: 'deployments',
      responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      scope: 'Namespaced',
      subresources: [{ subresource: 'scale', responseKind: scale }, { subresource: 'status' }],
    })
    const etag = String(rest.headers.etag)
    const same = await edge.h2('/apis', { headers: { ...headers, 'if-none-match': etag } })
    t.equal(same.status, 304)
    t.equal(same.text, '')
  },
)

t.test('old clients that know the aggregated beta only get the old lists', async (t) => {
  await using edge = await startTestEdge({ kinds })
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
  t.equal((await edge.h2('/apis', { headers: { accept } })).json()['kind'], 'APIGroupList')
  t.equal(
    (await edge.h2('/apis', { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).status,
    406,
  )
})

t.test('what is served later is told at once', async (t) => {
  await using edge = await startTestEdge({ kinds })
  const before = await edge.h2('/apis', { headers: { accept: aggregated } })
  edge.catalog.serveCustom('x.late.io', [kindOf('late.io', 'v1', 'Late', { isCustom: true })])
  const after = await edge.h2('/apis', {
    headers: { accept: aggregated, 'if-none-match': String(before.headers.etag) },
  })
  t.equal(after.status, 200)
  t.match(after.text, /late\.io/)
  t.equal((await edge.h2('/apis/late.io/v1')).status, 200)
  edge.catalog.serveCustom('x.late.io', [])
  t.equal((await edge.h2('/apis/late.io/v1')).status, 404)
})

t.test('versions are sorted as Kubernetes does', async (t) => {
  const versions = [
    'foo1',
    'v1alpha1',
    'v2',
    'v11beta2',
    'v10',
    'v1',
    'v10beta3',
    'v12alpha1',
    'foo10',
    'v3beta1',
  ]
  t.same([...versions].sort(compareVersions), [
    ...['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v1alpha1', 'foo1', 'foo10'],
  ])
  const order = groupsOf(
    ['zeta.io', 'policy', 'batch', '', 'alpha.io'].map((group) => kindOf(group, 'v1', 'Thing')),
  )
  t.same(
    order.map(({ group }) => group),
    ['', 'batch', 'policy', 'alpha.io', 'zeta.io'],
  )
})

t.test('OpenAPI version 3 is told by hash, and a wrong hash leads to the right one', async (t) => {
  await using edge = await startTestEdge({ kinds })
  const { paths } = (await edge.h2('/openapi/v3')).json() as {
    paths: Record<string, { serverRelativeURL: string }>
  }
  t.same(Object.keys(paths), ['api/v1', 'apis/apps/v1', 'apis/example.com/v1', 'apis/example.com/v1beta1'])
  const url = paths['api/v1']?.serverRelativeURL ?? ''
  const document = await edge.h2(url)
  t.match(document.headers['cache-control'], /immutable/)
  const wrong = await edge.h2('/openapi/v3/api/v1?hash=OLD')
  t.equal(wrong.status, 301)
  t.equal(wrong.headers.location, url)
  t.equal((await edge.h2('/openapi/v3/apis/nobody/v1')).status, 404)
  const gvk = { group: '', kind: 'ConfigMap', version: 'v1' }
  const { paths: operations, components } = document.json() as {
    paths: Record<string, Record<string, Record<string, unknown>>>
    components: { schemas: Record<string, object> }
  }
  const patch = operations['/api/v1/namespaces/{namespace}/configmaps/{name}']?.['patch']
  t.same(patch?.['x-kubernetes-group-version-kind'], gvk)
  const parameters = (patch?.['parameters'] as { name: string }[] | undefined)?.map(({ name }) => name)
  t.same(parameters, ['dryRun', 'fieldManager', 'fieldValidation', 'force'])
  t.match(components.schemas['io.k8s.api.core.v1.ConfigMap'], {
    'x-kubernetes-group-version-kind': [gvk],
    properties: { data: { additionalProperties: { type: 'string' } } },
  })
})

t.test('every pointer in an OpenAPI document leads somewhere', async (t) => {
  await using edge = await startTestEdge()
  const { paths } = (await edge.h2('/openapi/v3')).json() as {
    paths: Record<string, { serverRelativeURL: string }>
  }
  for (const { serverRelativeURL } of [...Object.values(paths), { serverRelativeURL: '/openapi/v2' }]) {
    const { text } = await edge.h2(serverRelativeURL)
    const document = JSON.parse(text)
    const names = new Set(Object.keys(document.components?.schemas ?? document.definitions))
    const pointers = [...text.matchAll(/"\$ref":"#\/(?:components\/schemas|definitions)\/([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    t.same(
      [...new Set(pointers)].filter((name) => !names.has(name)),
      [],
      serverRelativeURL,
    )
  }
})

t.test('a custom kind is described as its definition says, with whole metadata', async (t) => {
  const thing = kindOf('example.com', 'v1', 'Thing', {
    isCustom: true,
    schema: {
      type: 'object',
      properties: new Map([
        [
          'spec',
          {
            type: 'object' as const,
            description: 'What is wanted.',
            required: ['size'],
            properties: new Map([
              [
                'size',
                { type: 'integer' as const, constraints: { minimum: 1, oneOf: [{ type: 'any' as const }] } },
              ],
              ['free', { type: 'object' as const, preserveUnknownFields: true }],
              ['port', { type: 'any' as const, intOrString: true, nullable: true }],
            ]),
          },
        ],
      ]),
    },
  })
  await using edge = await startTestEdge({ kinds: [...builtInKinds, thing] })
  const { components } = (await edge.h2('/openapi/v3/apis/example.com/v1')).json() as {
    components: { schemas: Record<string, { properties: Record<string, object> }> }
  }
  const schema = components.schemas['com.example.v1.Thing']
  t.match(schema?.properties, {
    metadata: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' },
    spec: {
      description: 'What is wanted.',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, oneOf: [{}] },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true, nullable: true },
      },
    },
  })
  const old = (await edge.h2('/openapi/v2')).json() as { definitions: Record<string, object> }
  const size = JSON.stringify(old.definitions['com.example.v1.Thing'])
  t.match(size, /"minimum":1/)
  t.notMatch(size, /oneOf|nullable/)
  const protobuf = { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' }
  const gnostic = await edge.h2('/openapi/v2', { headers: protobuf })
  t.equal(gnostic.status, 200)
  t.equal(gnostic.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf')
  t.match(gnostic.text, /com.example.v1.Thing/)
  const ofVersion3 = { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' }
  t.equal((await edge.h2('/openapi/v3', { headers: ofVersion3 })).status, 406)
})
