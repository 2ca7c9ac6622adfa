// Namespaces, accounts and roles on a real plane.

import { test } from 'tap'
import { clusterRoles, configMaps, namespaces, serviceAccounts } from '../../src/client/resources.ts'
import { startTestPlane } from '../plane/start-plane.ts'
import { simulatePods, until } from './simulate-pods.ts'

test('a new namespace gets its account and the root CA, and gets them back', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const inDemo = { metadata: { namespace: 'demo' } }
  await cluster.ok('create namespace demo')
  const [account] = (
    await until(client, serviceAccounts, (all) => all.some(({ metadata }) => metadata.namespace === 'demo'))
  ).filter(({ metadata }) => metadata.namespace === 'demo')
  t.match(account, { metadata: { ...inDemo.metadata, name: 'default' } })
  const maps = await until(client, configMaps, (all) =>
    all.some(({ metadata }) => metadata.namespace === 'demo'),
  )
  t.match(maps.find(({ metadata }) => metadata.namespace === 'demo')?.data?.['ca.crt'], /BEGIN CERTIFICATE/)
  await cluster.ok('delete -n demo serviceaccount/default configmap/kube-root-ca.crt --wait=false')
  await until(client, serviceAccounts, (all) =>
    all.some(({ metadata }) => metadata.namespace === 'demo' && metadata.uid !== account?.metadata.uid),
  )
  await until(client, configMaps, (all) => all.some(({ metadata }) => metadata.namespace === 'demo'))
})

test('a namespace ends with all it holds, and waits for finalizers it does not know', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  await using _nodes = simulatePods(client)
  const { ok } = cluster
  await ok('create namespace demo')
  await ok('create deployment web --image=one --replicas=2 -n demo')
  await ok('rollout status deployment/web -n demo --timeout=20s')
  await client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'held', namespace: 'demo', finalizers: ['example.com/hold'] },
  })
  await ok('delete namespace demo --wait=false')
  const found = await until(client, namespaces, (all) =>
    all.some(
      ({ metadata, status }) =>
        metadata.name === 'demo' &&
        status?.conditions?.some(
          ({ type, status: is }) => type === 'NamespaceFinalizersRemaining' && is === 'True',
        ),
    ),
  )
  const demo = found.find(({ metadata }) => metadata.name === 'demo')
  t.equal(demo?.status?.phase, 'Terminating')
  t.match(
    demo?.status?.conditions?.find(({ type }) => type === 'NamespaceContentRemaining')?.message,
    'Some resources are remaining: configmaps. has 1 resource instances',
  )
  await ok(`patch configmap held -n demo --type=merge -p '{"metadata":{"finalizers":null}}'`)
  await ok('wait --for=delete namespace/demo --timeout=20s')
})

test('an aggregated cluster role gathers rules as roles come and go', async (t) => {
  await using cluster = await startTestPlane()
  const client = cluster.plane.clientFor()
  const rules = [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] }]
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
  const role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'widgets-view', labels },
    rules,
  }
  const hasWidgets =
    (name: string) =>
    (
      all: readonly {
        metadata: { name?: string | undefined }
        rules?: readonly { resources?: readonly string[] | undefined }[] | undefined
      }[],
    ) =>
      all.some(
        (one) =>
          one.metadata.name === name && one.rules?.some(({ resources }) => resources?.includes('widgets')),
      )
  await client.create(clusterRoles, role)
  await until(client, clusterRoles, hasWidgets('view'))
  await until(client, clusterRoles, hasWidgets('admin'))
  await client.delete(clusterRoles, { name: 'widgets-view' })
  await until(client, clusterRoles, (all) => !hasWidgets('view')(all) && !hasWidgets('admin')(all))
  t.pass('gathered and given back')
})
