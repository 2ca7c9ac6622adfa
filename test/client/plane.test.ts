// The HTTP client against a real plane, signed in by its kubeconfig.

import { test } from 'tap'
import { createInformer } from '../../src/client/informer.ts'
import { connectKubeconfig } from '../../src/client/kubeconfig.ts'
import { configMaps, namespaces } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'

const map = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})

test('a client signed in by a kubeconfig reads, writes and is refused as others are', async (t) => {
  await using cluster = await startTestPlane({ runsControllers: false })
  const { client } = await connectKubeconfig({ path: cluster.kubeconfig })
  await using _closing = client
  t.equal(await client.get(configMaps, { namespace: 'default', name: 'one' }), undefined)
  const made = await client.create(configMaps, map('one', { a: '1' }))
  t.match(made, { kind: 'ConfigMap', metadata: { name: 'one', resourceVersion: /\d+/ } })
  await t.rejects(client.create(configMaps, map('one')), { code: 409, status: { reason: 'AlreadyExists' } })
  const changed = await client.update(configMaps, { ...made, data: { a: '2' } })
  await t.rejects(client.update(configMaps, made), { code: 409, status: { reason: 'Conflict' } })
  t.same((await client.apply(configMaps, map('one', { b: '3' }), { fieldManager: 'test' })).data, {
    a: '2',
    b: '3',
  })
  t.match(await client.list(namespaces, { limit: 2 }), { items: { length: 2 }, continue: /./ })
  await client.delete(
    configMaps,
    { namespace: 'default', name: 'one' },
    { preconditions: { uid: changed.metadata.uid } },
  )
  await t.rejects(client.delete(configMaps, { namespace: 'default', name: 'one' }), { code: 404 })
  t.match(JSON.parse((await client.raw({ method: 'GET', path: '/version' })).text), { major: '1' })
  await t.rejects(client.raw({ method: 'GET', path: '/nothing' }), { code: 404 })
})

test('an informer over HTTP follows a plane, with whole objects or with their metadata only', async (t) => {
  await using cluster = await startTestPlane({ runsControllers: false })
  const { client } = await connectKubeconfig({ path: cluster.kubeconfig })
  await using _closing = client
  const inside = cluster.plane.clientFor()
  await inside.create(configMaps, map('first', { a: '1' }))
  await using whole = createInformer({ client, resource: configMaps, namespace: 'default' })
  await using metadata = createInformer({ client, resource: configMaps, isMetadataOnly: true })
  await Promise.all([whole.synced, metadata.synced])
  const seen = (informer: typeof whole, name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    informer.on(({ current }) => current?.header.name === name && resolve())
    return promise
  }
  await inside.create(configMaps, map('second', { b: '2' }))
  await Promise.all([seen(whole, 'second'), seen(metadata, 'second')])
  t.same(
    whole.list().map(({ kind, data }) => [kind, data]),
    [
      ['ConfigMap', { a: '1' }],
      ['ConfigMap', { b: '2' }],
    ],
  )
  t.same(
    metadata.list('default').map(({ metadata: { name }, data }) => [name, data]),
    [
      ['first', undefined],
      ['second', undefined],
    ],
  )
})
