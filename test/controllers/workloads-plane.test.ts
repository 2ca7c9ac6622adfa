// Deployments, stateful sets and garbage on a real plane, driven by the real kubectl; nodes are simulated.

import { test } from 'tap'
import {
  deployments,
  endpointSlices,
  endpoints,
  events,
  persistentVolumeClaims,
  pods,
  replicaSets,
  statefulSets,
} from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { simulatePods, until } from './simulate-pods.ts'

const web = (image: string, extra = '') => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: default }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: '${image}', ports: [{ name: http, containerPort: 8080 }] }] }
${extra}
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: http }] }
`

const database = (image: string) => `
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db, namespace: default }
spec:
  replicas: 2
  serviceName: db
  selector: { matchLabels: { app: db } }
  persistentVolumeClaimRetentionPolicy: { whenDeleted: Delete, whenScaled: Delete }
  template:
    metadata: { labels: { app: db } }
    spec: { containers: [{ name: db, image: '${image}' }] }
  volumeClaimTemplates:
    - metadata: { name: data }
      spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }
`

test('a deployment rolls out, is rolled back, paused, resumed and scaled by kubectl', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok } = cluster
  await ok('apply -f -', web('one'))
  t.match(await ok('rollout status deployment/web --timeout=20s'), /successfully rolled out/)
  await ok('apply -f -', web('two'))
  t.match(await ok('rollout status deployment/web --timeout=20s'), /successfully rolled out/)
  t.match(await ok('rollout history deployment/web'), /\n1 [^\n]*\n2 /)
  t.match(await ok('rollout undo deployment/web'), /rolled back/)
  await ok('rollout status deployment/web --timeout=20s')
  t.equal(await ok('get deployment web -o jsonpath={.spec.template.spec.containers[0].image}'), 'one')
  t.match(await ok('rollout history deployment/web'), /\n2 [^\n]*\n3 /)

  await ok('rollout pause deployment/web')
  await ok('set image deployment/web web=three')
  await ok('scale deployment/web --replicas=5')
  await until(client, deployments, ([found]) => found?.status?.readyReplicas === 5)
  t.equal((await client.list(replicaSets)).items.length, 2)
  await ok('rollout resume deployment/web')
  t.match(await ok('rollout status deployment/web --timeout=20s'), /successfully rolled out/)
  const images = (await client.list(pods)).items.map(({ spec }) => spec?.containers[0]?.image)
  t.same(images, Array(5).fill('three'))
  await until(client, events, (all) =>
    all.some(({ reason, involvedObject }) => reason === 'ScalingReplicaSet' && involvedObject.name === 'web'),
  )
})

test('a deployment whose pods do not come up says so, and shows its progress deadline', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client, ({ spec }) => spec?.containers[0]?.image !== 'bad')
  const { ok, kubectl } = cluster
  await ok('apply -f -', web('good', '  progressDeadlineSeconds: 1'))
  await ok('rollout status deployment/web --timeout=20s')
  await ok('apply -f -', web('bad', '  progressDeadlineSeconds: 1'))
  t.match(
    (await kubectl('rollout status deployment/web --timeout=20s')).stderr,
    /exceeded its progress deadline/,
  )
  const [found] = (await client.list(deployments)).items
  t.match(found?.status, { availableReplicas: 3, updatedReplicas: 1, unavailableReplicas: 1 })
  t.match(await ok('rollout undo deployment/web'), /rolled back/)
  t.match(await ok('rollout status deployment/web --timeout=20s'), /successfully rolled out/)
})

test('endpoints and slices follow the pods of a service', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  await cluster.ok('apply -f -', web('one'))
  const slices = await until(client, endpointSlices, (all) =>
    all.some(
      ({ metadata, endpoints: listed = [] }) =>
        metadata.generateName === 'web-' && listed.filter(({ conditions }) => conditions?.ready).length === 3,
    ),
  )
  const ofWeb = slices.filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'web')
  t.equal(ofWeb.length, 1)
  t.match(ofWeb[0]?.ports, [{ port: 8080, protocol: 'TCP' }])
  await until(client, endpoints, (all) =>
    all.some(({ metadata, subsets }) => metadata.name === 'web' && subsets?.[0]?.addresses?.length === 3),
  )
  await cluster.ok('delete service web')
  await until(client, endpoints, (all) => all.every(({ metadata }) => metadata.name !== 'web'))
  await until(client, endpointSlices, (all) => all.every(({ metadata }) => metadata.generateName !== 'web-'))
})

test('deleting a deployment takes its sets and pods along, unless they are to be orphaned', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok } = cluster
  await ok('apply -f -', web('one'))
  await ok('rollout status deployment/web --timeout=20s')
  await ok('delete deployment web --cascade=orphan --timeout=20s')
  const [orphan] = (await client.list(replicaSets)).items
  t.same(orphan?.metadata.ownerReferences ?? [], [])
  await ok('apply -f -', web('one'))
  await ok('rollout status deployment/web --timeout=20s')
  const [adopted, ...others] = (await client.list(replicaSets)).items
  t.equal(adopted?.metadata.uid, orphan?.metadata.uid)
  t.equal(others.length, 0)
  await ok('delete deployment web --cascade=foreground --timeout=20s')
  t.equal((await client.list(pods)).items.length, 0)
  await ok('apply -f -', web('one'))
  await ok('rollout status deployment/web --timeout=20s')
  await ok('delete deployment web --timeout=20s')
  await until(client, pods, (all) => all.length === 0)
  await until(client, replicaSets, (all) => all.length === 0)
})

test('a stateful set counts its pods up and down, keeps its history, and its claims end as the policy says', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok } = cluster
  await ok('apply -f -', database('one'))
  t.match(
    await ok('rollout status statefulset/db --timeout=20s'),
    /partitioned roll out complete|rolling update complete/,
  )
  t.same((await client.list(pods)).items.map(({ metadata }) => metadata.name).sort(), ['db-0', 'db-1'])
  await ok('apply -f -', database('two'))
  await ok('rollout status statefulset/db --timeout=20s')
  t.match(await ok('rollout history statefulset/db'), /\n1 [^\n]*\n2 /)
  await ok('rollout undo statefulset/db')
  await ok('rollout status statefulset/db --timeout=20s')
  t.same(
    (await client.list(pods)).items.map(({ spec }) => spec?.containers[0]?.image),
    ['one', 'one'],
  )
  await ok('scale statefulset/db --replicas=1')
  await until(client, persistentVolumeClaims, (all) => all.length === 1)
  await ok('delete statefulset db --timeout=20s')
  await until(client, persistentVolumeClaims, (all) => all.length === 0)
  await until(client, statefulSets, (all) => all.length === 0)
})
