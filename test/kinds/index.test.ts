import { test } from 'tap'
import { builtInKinds } from '../../src/kinds/index.ts'
import { objectVerbs } from '../../src/kinds/kind.ts'

const upstream = builtInKinds.filter((kind) => kind.group !== 'k3v.dev')

test('every kind has a schema', async (t) => {
  for (const kind of builtInKinds) t.ok(kind.schema.properties?.has('metadata'), kind.plural)
})

test('no two kinds share a resource name in a version of a group', async (t) => {
  const names = builtInKinds.map((kind) => `${kind.group}/${kind.version}/${kind.plural}`)
  t.equal(new Set(names).size, names.length)
})

test('no two kinds share a short name', async (t) => {
  const stored = builtInKinds.filter((kind) => kind.storedAs === undefined)
  const names = stored.flatMap((kind) => kind.shortNames)
  t.equal(new Set(names).size, names.length)
})

test('a kind answers one cell for each column, even of an empty object', async (t) => {
  for (const kind of builtInKinds) {
    t.equal(kind.cells({ metadata: {} }, 0).length, kind.columns.length, kind.plural)
  }
})

test('filling in defaults twice changes nothing more', async (t) => {
  for (const kind of builtInKinds) {
    const object = kind.defaults({ kind: kind.kind, metadata: { name: 'a' }, spec: {} })
    t.same(kind.defaults(object), object, kind.plural)
  }
})

test('preparing a new object twice changes nothing more', async (t) => {
  for (const kind of builtInKinds) {
    const object = kind.prepareCreate(kind.defaults({ kind: kind.kind, metadata: { name: 'a' }, spec: {} }))
    t.same(kind.prepareCreate(object), object, kind.plural)
  }
})

test('short names and categories are those of Kubernetes', async (t) => {
  const known = {
    certificatesigningrequests: 'csr',
    configmaps: 'cm',
    cronjobs: 'cj all',
    customresourcedefinitions: 'crd crds api-extensions',
    daemonsets: 'ds all',
    deployments: 'deploy all',
    endpoints: 'ep',
    events: 'ev',
    horizontalpodautoscalers: 'hpa all',
    ingresses: 'ing',
    jobs: 'all',
    limitranges: 'limits',
    namespaces: 'ns',
    mutatingwebhookconfigurations: 'api-extensions',
    networkpolicies: 'netpol',
    nodes: 'no',
    persistentvolumeclaims: 'pvc',
    persistentvolumes: 'pv',
    poddisruptionbudgets: 'pdb',
    pods: 'po all',
    priorityclasses: 'pc',
    replicasets: 'rs all',
    replicationcontrollers: 'rc all',
    resourcequotas: 'quota',
    serviceaccounts: 'sa',
    services: 'svc all',
    statefulsets: 'sts all',
    storageclasses: 'sc',
    validatingwebhookconfigurations: 'api-extensions',
  }
  const ours = Object.fromEntries(
    upstream
      .map((kind) => [kind.plural, [...kind.shortNames, ...kind.categories].join(' ')])
      .filter(([, names]) => names !== ''),
  )
  t.same(ours, known)
})

test('reviews can be created and nothing else', async (t) => {
  const reviews = upstream.filter((kind) => kind.kind.endsWith('Review'))
  t.equal(reviews.length, 6)
  for (const kind of reviews) t.same(kind.verbs, ['create'], kind.kind)
})

test('namespaces cannot be deleted as a collection, the rest can', async (t) => {
  const without = upstream.filter((kind) => kind.verbs.length > 1 && kind.verbs.length < objectVerbs.length)
  t.same(
    without.map((kind) => kind.plural),
    ['namespaces'],
  )
})

test('the storage version hash is the one that clients know from Kubernetes', async (t) => {
  const hashes = Object.fromEntries(upstream.map((kind) => [kind.plural, kind.storageVersionHash]))
  t.equal(hashes['pods'], 'xPOwRZ+Yhw8=')
  t.equal(hashes['deployments'], '8aSe+NMegvE=')
  t.equal(hashes['tokenreviews'], undefined)
})

test('who makes something that has no effect is told, once', async (t) => {
  const telling = upstream.filter(
    (kind) => kind.warnings?.({ metadata: { name: 'a' } }, undefined).length === 1,
  )
  t.ok(telling.some((kind) => kind.plural === 'networkpolicies'))
  for (const kind of telling) {
    const [warning] = kind.warnings?.({ metadata: { name: 'a' } }, undefined) ?? []
    t.match(warning, `NotEnforcedOnHost: ${kind.plural} are stored, but `)
    t.same(kind.warnings?.({ metadata: { name: 'a' } }, { metadata: { name: 'a' } }), [])
  }
})
