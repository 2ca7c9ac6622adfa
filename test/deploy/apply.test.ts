import t from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { type AnyObject, type Client, subresourceOf } from '../../src/client/client.ts'
import { configMaps, deployments, namespaces } from '../../src/client/resources.ts'
import { type ApplyPackageOptions, applyPackage } from '../../src/deploy/apply/apply.ts'
import { releaseLabel } from '../../src/deploy/apply/attempt.ts'
import { configMapInventory, describeKey } from '../../src/deploy/apply/inventory.ts'
import { planPrune } from '../../src/deploy/apply/prune.ts'
import { findIn } from '../../src/deploy/apply/served.ts'
import { loadYaml } from '../../src/packages/yaml/load.ts'
import { openPlane, type Plane } from '../../src/plane/plane.ts'

const objectsIn = (text: string) => loadYaml(text, 'test.yaml') as KubeObject[]

const map = (name: string, more = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name}, namespace: shop${more} }\ndata: { a: b }\n`
const shop = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n'
const together = (...texts: string[]) => objectsIn(texts.join('---\n'))

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: books.test.dev }
spec:
  group: test.dev
  scope: Namespaced
  names: { kind: Book, plural: books, singular: book, listKind: BookList }
  versions:
    - name: v1
      served: true
      storage: true
      schema: { openAPIV3Schema: { type: object, properties: { spec: { type: object, properties: { title: { type: string } } } } } }
`
const book =
  'apiVersion: test.dev/v1\nkind: Book\nmetadata: { name: a, namespace: shop }\nspec: { title: x }\n'

async function withPlane(run: (plane: Plane, client: Client, apply: Apply) => Promise<void>): Promise<void> {
  await using plane = await openPlane()
  const client = plane.clientFor()
  const apply: Apply = (objects, more = {}) => {
    const release = more.release ?? 'one'
    const inventory = configMapInventory(client, release)
    return applyPackage({
      client,
      findResource: findIn(plane.served),
      objects,
      inventory,
      timeoutMs: 10_000,
      ...more,
      release,
    })
  }
  await run(plane, client, apply)
}

type Apply = (
  objects: readonly KubeObject[],
  more?: Partial<ApplyPackageOptions>,
) => ReturnType<typeof applyPackage>

t.test('objects are applied in an order that works, whatever order they come in', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    const report = await apply(together(book, map('a'), definition, shop))
    t.equal(report.state, 'ready')
    t.same(report.applied.map(describeKey), [
      'Namespace shop',
      'CustomResourceDefinition books.test.dev',
      'ConfigMap shop/a',
      'Book shop/a',
    ])
    const applied = await client.get(configMaps, { namespace: 'shop', name: 'a' })
    t.equal(applied?.metadata.labels?.[releaseLabel], 'one')
    t.equal(applied?.metadata.managedFields?.[0]?.manager, 'k3v')
  })
})

t.test('applying the same again changes nothing', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    const objects = together(shop, map('a'))
    await apply(objects)
    const before = await client.get(configMaps, { namespace: 'shop', name: 'a' })
    t.equal((await apply(objects)).state, 'ready')
    const after = await client.get(configMaps, { namespace: 'shop', name: 'a' })
    t.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion)
  })
})

t.test(
  'what a package drops is removed, but no namespace, no definition and nothing that asks to stay',
  async (t) => {
    await withPlane(async (_plane, client, apply) => {
      const keeps = map('kept', ', annotations: { k3v.dev/prune: disabled }')
      await apply(together(shop, definition, book, map('a'), map('b'), keeps))
      await client.create(configMaps, { metadata: { name: 'foreign', namespace: 'shop' } } as AnyObject)
      const report = await apply(objectsIn(map('b')))
      t.same(report.pruned.removed.map(describeKey), ['Book shop/a', 'ConfigMap shop/a'])
      t.same(report.pruned.kept.map(describeKey), [
        'ConfigMap shop/kept',
        'CustomResourceDefinition books.test.dev',
        'Namespace shop',
      ])
      const names = (await client.list(configMaps, { namespace: 'shop' })).items.map(
        ({ metadata }) => metadata.name,
      )
      t.same(
        names.filter((name) => name !== 'kube-root-ca.crt'),
        ['b', 'foreign', 'kept'],
      )
      t.ok(await client.get(namespaces, { name: 'shop' }))
    })
  },
)

t.test('an object that lost the release’s label is no longer its to remove', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('a'), map('b')))
    const body = { metadata: { labels: { [releaseLabel]: null } } }
    await client.patch(configMaps, { namespace: 'shop', name: 'a' }, { type: 'merge', body })
    const report = await apply(together(shop, map('b')))
    t.same(report.pruned.kept.map(describeKey), ['ConfigMap shop/a'])
    t.ok(await client.get(configMaps, { namespace: 'shop', name: 'a' }))
  })
})

t.test('an empty package is refused, and removes nothing', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('a')))
    await t.rejects(apply([]), { message: /without objects/ })
    t.ok(await client.get(configMaps, { namespace: 'shop', name: 'a' }))
  })
})

t.test('C10: an object of another release is refused, not taken over', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('a')))
    const report = await apply(objectsIn(map('a')), { release: 'two' })
    t.equal(report.state, 'refused')
    t.match(report.refused, [{ message: 'ConfigMap shop/a belongs to the release one' }])
    t.equal(
      (await client.get(configMaps, { namespace: 'shop', name: 'a' }))?.metadata.labels?.[releaseLabel],
      'one',
    )
  })
})

t.test('refusals come in the API’s words, with their field, and nothing is pruned', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('old')))
    const bad = `apiVersion: v1\nkind: Service\nmetadata: { name: s, namespace: shop }\nspec: { ports: [{ port: 99999 }] }\n`
    const strange = 'apiVersion: none/v1\nkind: Foo\nmetadata: { name: x }\n'
    const lost = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x, namespace: nowhere }\n'
    const unknown = `${map('u')}spec: {}\n`
    const report = await apply(together(shop, bad, strange, lost, unknown))
    t.equal(report.state, 'refused')
    const messages = report.refused.map(
      ({ key, message, field }) => `${key.name} ${field ?? '-'}: ${message}`,
    )
    t.equal(messages.length, 4)
    t.match(
      messages.find((text) => text.startsWith('s ')),
      /^s spec\.ports\[0\]\.port: Service "s" is invalid: /,
    )
    t.ok(messages.some((text) => text.includes('no matches for kind "Foo" in version "none/v1"')))
    t.ok(messages.some((text) => text.includes('namespaces "nowhere" not found')))
    t.match(
      messages.find((text) => text.startsWith('u ')),
      /spec/,
    )
    t.ok(await client.get(configMaps, { namespace: 'shop', name: 'old' }))
  })
})

t.test('what is not ready in time is told with its reason, and nothing is pruned', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('old')))
    const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { a: b } }
  template: { metadata: { labels: { a: b } }, spec: { containers: [{ name: c, image: i }] } }
`
    const phases: string[] = []
    const report = await apply(together(shop, deployment), {
      timeoutMs: 300,
      onProgress: ({ phase }) => void phases.push(phase),
    })
    t.equal(report.state, 'not-ready')
    t.match(report.notReady, [{ key: { name: 'web' }, verdict: { status: 'InProgress' } }])
    t.ok(phases.includes('apply') && phases.includes('wait') && !phases.includes('prune'))
    t.ok(await client.get(configMaps, { namespace: 'shop', name: 'old' }))
    t.ok(await client.get(deployments, { namespace: 'shop', name: 'web' }))
  })
})

t.test('an interrupted run is caught up by the next, which still knows what to remove', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    await apply(together(shop, map('a')))
    const stop = new AbortController()
    const stopAtFirst = () => stop.abort(new Error('stopped'))
    await t.rejects(
      apply(together(shop, map('b'), map('c')), { signal: stop.signal, onProgress: stopAtFirst }),
      { message: 'stopped' },
    )
    const report = await apply(together(shop, map('c')))
    t.same(report.pruned.removed.map(describeKey), ['ConfigMap shop/a'])
    const names = (await client.list(configMaps, { namespace: 'shop' })).items.map(
      ({ metadata }) => metadata.name,
    )
    t.same(
      names.filter((name) => name !== 'kube-root-ca.crt'),
      ['c'],
    )
  })
})

t.test('drift is corrected', async (t) => {
  await withPlane(async (_plane, client, apply) => {
    const objects = together(shop, map('a'))
    await apply(objects)
    const body = { data: { a: 'changed', extra: 'stays' } }
    await client.patch(
      configMaps,
      { namespace: 'shop', name: 'a' },
      { type: 'merge', body, fieldManager: 'kubectl' },
    )
    await apply(objects)
    t.same((await client.get(configMaps, { namespace: 'shop', name: 'a' }))?.data, { a: 'b', extra: 'stays' })
  })
})

t.test(
  'planPrune() does not take a moved version or a spelled-out namespace for another object',
  async (t) => {
    const key = (apiVersion: string, namespace: string) => ({
      apiVersion,
      kind: 'Ingress',
      namespace,
      name: 'a',
    })
    t.same(planPrune([key('networking.k8s.io/v1beta1', '')], [key('networking.k8s.io/v1', 'default')]), [])
    t.same(planPrune([key('v1', 'x')], [key('v1', 'y')]), [key('v1', 'x')])
  },
)

t.test('subresources are never taken for kinds', async (t) => {
  t.equal(subresourceOf(deployments, 'scale').subresource, 'scale')
  const find = findIn(() => [
    { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments', isNamespaced: true },
  ])
  t.match(find('apps/v1', 'Deployment'), { resource: 'deployments', isNamespaced: true })
  t.equal(find('apps/v1beta1', 'Deployment'), undefined)
  t.equal(find('apps/v1', 'Scale'), undefined)
})
