// Daemon sets on a real plane with nodes of its own, driven by the real kubectl.

import { test } from 'tap'
import { daemonSets, events, pods } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { simulatePods, until } from './simulate-pods.ts'

const agent = (image: string, more = '') => `
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: default }
spec:
  selector: { matchLabels: { app: agent } }
${more}
  template:
    metadata: { labels: { app: agent } }
    spec: { containers: [{ name: agent, image: '${image}' }] }
`
const node = (name: string, labels = '') => `
apiVersion: v1
kind: Node
metadata: { name: ${name}, labels: { ${labels} } }
---`

test('a daemon set follows the nodes, rolls out, and is rolled back by kubectl', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok, kubectl } = cluster
  await ok('apply -f -', node('one') + node('two'))
  t.equal((await kubectl('apply -f -', agent('v1'))).stderr, '')
  t.match(await ok('rollout status daemonset/agent --timeout=20s'), /successfully rolled out/)
  await ok('apply -f -', node('three'))
  await until(client, daemonSets, ([found]) => found?.status?.numberAvailable === 3)
  await ok('taint node three special=true:NoExecute')
  await until(client, pods, (all) => all.length === 2)
  await ok('taint node three special=true:NoExecute-')
  await until(client, pods, (all) => all.length === 3)
  t.match(await ok('get ds agent'), /agent\s+3\s+3\s+/)

  await ok('set image ds/agent agent=v2')
  t.match(await ok('rollout status daemonset/agent --timeout=20s'), /successfully rolled out/)
  const images = async () => (await client.list(pods)).items.map(({ spec }) => spec?.containers[0]?.image)
  t.same(await images(), ['v2', 'v2', 'v2'])
  t.match(await ok('rollout history ds/agent'), /\n1 [^\n]*\n2 /)
  await ok('rollout undo ds/agent')
  await ok('rollout status daemonset/agent --timeout=20s')
  t.same(await images(), ['v1', 'v1', 'v1'])
  await ok('delete ds agent --timeout=20s')
  await until(client, pods, (all) => all.length === 0)
})

test('OnDelete leaves old pods alone; nodes that stand for a host are told of', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok } = cluster
  await ok('apply -f -', node('k3v-node', "k3v.dev/virtual-node: 'true'"))
  const strategy = '  updateStrategy: { type: OnDelete }'
  await ok('apply -f -', agent('v1', strategy))
  await until(client, daemonSets, ([found]) => found?.status?.numberReady === 1)
  await ok('apply -f -', agent('v2', strategy))
  const [updated] = await until(
    client,
    daemonSets,
    ([found]) => found?.status?.observedGeneration === 2 && (found.status.updatedNumberScheduled ?? 0) === 0,
  )
  t.match(updated?.status?.conditions, [{ type: 'NotPerNode', status: 'True' }])
  await ok('delete pod -l app=agent')
  await until(client, daemonSets, ([found]) => found?.status?.updatedNumberScheduled === 1)
  await until(client, events, (all) => all.some(({ reason }) => reason === 'NotPerNode'))
})
