// The roles and bindings of a fresh plane: how many, how marked, and what they allow.

import t from 'tap'
import { bootstrapObjects } from '../../src/authz/bootstrap.ts'
import { createRbacAuthorizer } from '../../src/authz/rbac.ts'
import { FakeReader } from './fake-reader.ts'

const objects = bootstrapObjects()

t.test('there are as many as upstream has in 1.36', async (t) => {
  const count = (kind: string) => objects.filter((object) => object.kind === kind).length
  t.same(['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'].map(count), [69, 50, 7, 7])
  const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.namespace}/${metadata.name}`)
  t.equal(new Set(names).size, objects.length)
})

t.test('each is marked as a default that may be updated', async (t) => {
  for (const { metadata } of objects) {
    t.equal(metadata.labels?.['kubernetes.io/bootstrapping'], 'rbac-defaults')
    t.equal(metadata.annotations?.['rbac.authorization.kubernetes.io/autoupdate'], 'true')
  }
})

t.test('each binding leads to a role that is there', async (t) => {
  for (const object of objects) {
    const reference = object['roleRef'] as { kind: string; name: string } | undefined
    if (reference === undefined) continue
    t.ok(
      objects.some(({ kind, metadata }) => {
        const isSameScope = kind === 'ClusterRole' || metadata.namespace === object.metadata.namespace
        return kind === reference.kind && metadata.name === reference.name && isSameScope
      }),
      `${object.metadata.name} to ${reference.name}`,
    )
  }
})

t.test('admin, edit and view hold what they gather', async (t) => {
  const find = (name: string) =>
    objects.find(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === name)
  const rules = (name: string) => find(name)?.['rules'] as readonly unknown[]
  t.equal(rules('edit').length, rules('system:aggregate-to-edit').length + rules('view').length)
  t.equal(rules('admin').length, rules('edit').length + rules('system:aggregate-to-admin').length)
  t.match(find('view')?.metadata.labels, { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' })
  t.match(find('edit'), {
    aggregationRule: {
      clusterRoleSelectors: [{ matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } }],
    },
  })
})

t.test('they allow what everyone and the controllers need', async (t) => {
  const authorizer = createRbacAuthorizer({ reader: new FakeReader(objects) })
  const resource = { isResource: true, version: 'v1', subresource: '', name: '', path: '' }
  const deployments = { namespace: 'kube-system', controller: 'deployment-controller' }
  const user = {
    name: `system:serviceaccount:${deployments.namespace}:${deployments.controller}`,
    groups: ['system:serviceaccounts'],
  }
  const sets = { ...resource, user, group: 'apps', resource: 'replicasets', namespace: 'shop' }
  t.ok(authorizer.authorize({ ...sets, verb: 'create' }).allowed)
  t.notOk(authorizer.authorize({ ...sets, verb: 'deletecollection' }).allowed)
  const path = { ...resource, isResource: false, group: '', resource: '', namespace: '', verb: 'get' }
  const anonymous = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
  t.ok(authorizer.authorize({ ...path, user: anonymous, path: '/version' }).allowed)
  t.notOk(authorizer.authorize({ ...path, user: anonymous, path: '/apis' }).allowed)
})
