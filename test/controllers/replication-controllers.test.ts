// Replication controllers on a real plane: pods made, taken in, let go, and counted.

import { test } from 'tap'
import { pods, replicationControllers } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { simulatePods, until } from './simulate-pods.ts'

const old = `
apiVersion: v1
kind: ReplicationController
metadata: { name: old, namespace: default }
spec:
  replicas: 2
  selector: { app: old }
  template:
    metadata: { labels: { app: old } }
    spec: { containers: [{ name: old, image: old }] }
`

test('a replication controller keeps its pods, takes in orphans, and lets go what matches no more', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok, kubectl } = cluster
  await ok('run loner --image=old --labels=app=old')
  t.equal((await kubectl('apply -f -', old)).stderr, '')
  await until(client, replicationControllers, ([rc]) => rc?.status?.availableReplicas === 2)
  const owned = (await client.list(pods)).items
  t.equal(owned.length, 2)
  t.ok(owned.every(({ metadata }) => metadata.ownerReferences?.[0]?.kind === 'ReplicationController'))
  t.ok(owned.some(({ metadata }) => metadata.name === 'loner'))
  await ok('label pod loner app=new --overwrite')
  await until(client, pods, (all) => all.length === 3)
  t.equal(
    (await client.get(pods, { namespace: 'default', name: 'loner' }))?.metadata.ownerReferences,
    undefined,
  )
  await ok('scale rc/old --replicas=1')
  await until(client, replicationControllers, ([rc]) => rc?.status?.replicas === 1)
  await ok('delete rc old --timeout=20s')
  await until(client, pods, (all) => all.length === 1)
})
