// What kubectl sees of resource quotas: refusals at once, usage in the status soon after.

import { test } from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

const quota = (hard: string, more = ''): string =>
  `apiVersion: v1\nkind: ResourceQuota\nmetadata: { name: limits }\nspec: { hard: { ${hard} }${more} }\n`

const pod = (name: string, resources: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: { containers: [{ name: main, image: x, resources: ${resources} }] }\n`

test('a quota counts objects, refuses one too many, and shows what is used', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  const { code, stderr } = await kubectl(
    'apply -f -',
    quota('count/configmaps: 3, secrets: 1, services.nodeports: 1'),
  )
  t.equal(code, 0)
  t.equal(stderr, '')
  await ok('create configmap one')
  await ok('create configmap two')
  const refused = await kubectl('create configmap three')
  t.match(
    refused.stderr,
    'configmaps "three" is forbidden: exceeded quota: limits, requested: count/configmaps=1, used: count/configmaps=3, limited: count/configmaps=3',
    'kube-root-ca.crt counts too',
  )
  await ok('delete configmap two')
  await ok('create configmap three')
  await ok('create secret generic one')
  t.match(
    (await kubectl('create secret generic two')).stderr,
    'requested: secrets=1, used: secrets=1, limited: secrets=1',
  )
  await ok('create service nodeport first --tcp=80')
  t.match(
    (await kubectl('create service nodeport second --tcp=80')).stderr,
    'exceeded quota: limits, requested: services.nodeports=1',
  )
  await ok('create service clusterip second --tcp=80')
  await ok("wait --for=jsonpath={.status.used['count/configmaps']}=3 quota/limits --timeout=20s")
  await ok('delete configmap three')
  await ok("wait --for=jsonpath={.status.used['count/configmaps']}=2 quota/limits --timeout=20s")
})

test('a quota over processors and memory wants pods to say what they need', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  await ok('apply -f -', quota('requests.cpu: "1", limits.memory: 1Gi, pods: 2'))
  t.match(
    (await kubectl('run silent --image=x')).stderr,
    'pods "silent" is forbidden: failed quota: limits: must specify limits.memory for: silent; requests.cpu for: silent',
  )
  await ok('apply -f -', pod('first', '{ requests: { cpu: 600m }, limits: { memory: 512Mi } }'))
  t.match(
    (await kubectl('apply -f -', pod('second', '{ requests: { cpu: 600m }, limits: { memory: 1Gi } }')))
      .stderr,
    'exceeded quota: limits, requested: limits.memory=1Gi,requests.cpu=600m, used: limits.memory=512Mi,requests.cpu=600m, limited: limits.memory=1Gi,requests.cpu=1',
  )
  await ok('wait --for=jsonpath={.status.used.pods}=1 quota/limits --timeout=20s')
  t.match(
    await ok('get quota limits'),
    /limits +pods: 1\/2, requests.cpu: 600m\/1 +limits.memory: 512Mi\/1Gi/,
  )
})

test('a quota with a scope counts only the pods in it', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  await ok('apply -f -', quota('pods: 1', ', scopes: [BestEffort]'))
  await ok('run first --image=x')
  await ok('apply -f -', pod('asking', '{ requests: { cpu: 1m } }'))
  t.match(
    (await kubectl('run second --image=x')).stderr,
    'exceeded quota: limits, requested: pods=1, used: pods=1, limited: pods=1',
  )
})

test('writers at the same moment do not get past a quota together', async (t) => {
  await using cluster = await startTestPlane()
  await cluster.ok('apply -f -', quota('secrets: 5'))
  const client = cluster.plane.clientFor()
  const secrets = { group: '', version: 'v1', resource: 'secrets', isNamespaced: true }
  const made = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      client.create(secrets, { metadata: { name: `s${index}`, namespace: 'default' } }),
    ),
  )
  t.equal(made.filter(({ status }) => status === 'fulfilled').length, 5)
})
