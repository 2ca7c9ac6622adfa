// A stateful set that waits for its pods before it goes: its controller once made its revision anew as fast as the
// garbage collector took it, for as long as a pod needed to end.

import { test } from 'tap'
import { configMaps, controllerRevisions, pods, statefulSets } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { until } from './simulate-pods.ts'

const namespace = 'default'

test('a stateful set deleted in the foreground makes no revisions while a pod holds it', async (t) => {
  await using plane = await openPlane()
  const client = plane.clientFor()
  await client.create(statefulSets, {
    metadata: { name: 'db', namespace },
    spec: {
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: {
        metadata: { labels: { app: 'db' }, finalizers: ['example.com/hold'] },
        spec: { containers: [{ name: 'db', image: 'db' }] },
      },
    },
  })
  await until(client, pods, (all) => all.length === 1)
  await client.delete(statefulSets, { namespace, name: 'db' }, { propagationPolicy: 'Foreground' })
  await until(client, controllerRevisions, (all) => all.length === 0)
  const pod = await client.get(pods, { namespace, name: 'db-0' })
  t.not(pod?.metadata.deletionTimestamp, undefined)

  const before = await client.create(configMaps, { metadata: { name: 'before', namespace } })
  for (let round = 0; round < 20; round += 1) await client.list(controllerRevisions, { namespace })
  const after = await client.create(configMaps, { metadata: { name: 'after', namespace } })
  const writes = Number(after.metadata.resourceVersion) - Number(before.metadata.resourceVersion)
  t.ok(writes <= 3, `${writes} writes between two writes`)
  t.same((await client.list(controllerRevisions, { namespace })).items, [])

  await client.patch(
    pods,
    { namespace, name: 'db-0' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  )
  await until(client, statefulSets, (all) => all.length === 0)
})
