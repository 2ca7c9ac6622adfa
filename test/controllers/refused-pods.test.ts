// A replica set whose pods are refused: each refusal once named another pod, each status woke the controller again,
// and the process did nothing else until its memory was full.

import { test } from 'tap'
import { configMaps, deployments, replicaSets } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { until } from './simulate-pods.ts'

const namespace = 'default'

test('a replica set whose pods are refused says so once and tries again with patience', async (t) => {
  await using plane = await openPlane()
  const client = plane.clientFor()
  await client.create(deployments, {
    metadata: { name: 'refused', namespace },
    spec: {
      selector: { matchLabels: { app: 'refused' } },
      template: {
        metadata: { labels: { app: 'refused' } },
        spec: { serviceAccountName: 'nobody', containers: [{ name: 'web', image: 'web' }] },
      },
    },
  })
  const [set] = await until(client, replicaSets, (all) => all[0]?.status?.conditions?.length === 1)
  const condition = set?.status?.conditions?.[0]
  t.match(condition, { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate' })
  t.match(
    condition?.message,
    /^pods "refused-[a-z0-9]+-" is forbidden: error looking up service account default\/nobody/,
    'the prefix of the name, which no pod has yet',
  )

  const before = await client.create(configMaps, { metadata: { name: 'before', namespace } })
  for (let round = 0; round < 100; round += 1) await client.list(replicaSets, { namespace })
  const after = await client.create(configMaps, { metadata: { name: 'after', namespace } })
  const writes = Number(after.metadata.resourceVersion) - Number(before.metadata.resourceVersion)
  t.ok(writes < 20, `${writes} writes between two writes`)
})
