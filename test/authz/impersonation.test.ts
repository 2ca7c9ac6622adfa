// Acting as somebody else. Attack B15.

import t from 'tap'
import type { Attributes, Authorizer, UserInfo } from '../../src/api/contracts.ts'
import { type ImpersonationHeaders, impersonate } from '../../src/authz/impersonation.ts'

const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] }

const described = ({ verb, group, resource, subresource, namespace, name }: Attributes) =>
  `${verb} ${group}:${resource}${subresource === '' ? '' : `/${subresource}`} ${namespace}/${name}`

/** Allows what is listed, and remembers what was asked. */
function judge(allowed: readonly string[] | 'all') {
  const asked: string[] = []
  const authorizer: Authorizer = {
    authorize: (attributes) => {
      asked.push(described(attributes))
      return { allowed: allowed === 'all' || allowed.includes(described(attributes)), reason: '' }
    },
    rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
  }
  return { asked, authorizer }
}

const act = (headers: ImpersonationHeaders, authorizer: Authorizer, user = jane) =>
  impersonate({ user, headers, authorizer })

const listPods: Attributes = {
  user: jane,
  verb: 'list',
  isResource: true,
  group: '',
  version: 'v1',
  resource: 'pods',
  subresource: '',
  namespace: 'shop',
  name: '',
  path: '',
}

t.test('without headers the caller is the caller', async (t) => {
  const { authorizer, asked } = judge([])
  t.equal(act({ accept: ['*/*'] }, authorizer), jane)
  t.same(asked, [])
})

t.test('each attribute is asked for, and the user has exactly those', async (t) => {
  const { authorizer, asked } = judge('all')
  const headers = {
    'impersonate-user': ['joe'],
    'impersonate-group': ['dev', 'ops'],
    'impersonate-uid': ['17'],
    'impersonate-extra-scopes': ['view', 'edit'],
    'impersonate-extra-example.com%2fteam': ['blue'],
  }
  t.same(act(headers, authorizer), {
    name: 'joe',
    uid: '17',
    groups: ['dev', 'ops', 'system:authenticated'],
    extra: { scopes: ['view', 'edit'], 'example.com/team': ['blue'] },
  })
  t.same(asked, [
    'impersonate :users /joe',
    'impersonate authentication.k8s.io:uids /17',
    'impersonate :groups /dev',
    'impersonate :groups /ops',
    'impersonate authentication.k8s.io:userextras/scopes /view',
    'impersonate authentication.k8s.io:userextras/scopes /edit',
    'impersonate authentication.k8s.io:userextras/example.com/team /blue',
  ])
})

t.test('one attribute that is not allowed refuses all', async (t) => {
  const { authorizer } = judge(['impersonate :users /joe', 'impersonate :groups /dev'])
  const headers = { 'impersonate-user': ['joe'], 'impersonate-group': ['dev', 'system:masters'] }
  t.throws(() => act(headers, authorizer), {
    code: 403,
    message:
      'groups "system:masters" is forbidden: User "jane" cannot impersonate resource "groups" in API group "" at the cluster scope',
  })
  t.throws(() => act({ 'impersonate-user': ['joe'], 'impersonate-uid': ['1'] }, authorizer), {
    message:
      'uids.authentication.k8s.io "1" is forbidden: User "jane" cannot impersonate resource "uids" in API group "authentication.k8s.io" at the cluster scope',
  })
})

t.test('attributes without a user, or with an empty one, are a bad request', async (t) => {
  const { authorizer } = judge('all')
  for (const headers of [
    { 'impersonate-group': ['system:masters'] },
    { 'impersonate-uid': ['1'] },
    { 'impersonate-extra-scopes': ['view'] },
    { 'impersonate-extra-scopes': [] },
    { 'impersonate-user': [''] },
    { 'impersonate-user': [''], 'impersonate-group': ['dev'] },
  ]) {
    t.throws(() => act(headers, authorizer), { code: 400 }, JSON.stringify(headers))
  }
})

t.test('a service account is asked for by namespace and gets its groups', async (t) => {
  const { authorizer, asked } = judge('all')
  t.same(act({ 'impersonate-user': ['system:serviceaccount:shop:robot'] }, authorizer).groups, [
    'system:serviceaccounts',
    'system:serviceaccounts:shop',
    'system:authenticated',
  ])
  t.same(asked, ['impersonate :serviceaccounts shop/robot'])
  const headers = { 'impersonate-user': ['system:serviceaccount:shop:robot'], 'impersonate-group': ['dev'] }
  t.same(act(headers, authorizer).groups, ['dev', 'system:authenticated'])
})

t.test('a name that only looks like a service account is a user', async (t) => {
  for (const name of [
    'system:serviceaccount:shop',
    'system:serviceaccount:a:b:c',
    'system:serviceaccount:A:b',
  ]) {
    const { authorizer, asked } = judge('all')
    t.same(act({ 'impersonate-user': [name] }, authorizer).groups, ['system:authenticated'])
    t.same(asked, [`impersonate :users /${name}`])
  }
})

t.test('anonymous is not authenticated, nor is who asks not to be', async (t) => {
  const { authorizer } = judge('all')
  t.same(act({ 'impersonate-user': ['system:anonymous'] }, authorizer).groups, ['system:unauthenticated'])
  const headers = { 'impersonate-user': ['joe'], 'impersonate-group': ['system:unauthenticated'] }
  t.same(act(headers, authorizer).groups, ['system:unauthenticated'])
})

t.test('the constrained mode is tried first, and the old right still does', async (t) => {
  const headers = { 'impersonate-user': ['joe'] }
  const constrained = judge([
    'impersonate-on:user-info:list :pods shop/',
    'impersonate:user-info authentication.k8s.io:users /joe',
  ])
  const request = { user: jane, headers, attributes: listPods }
  t.equal(impersonate({ ...request, authorizer: constrained.authorizer }).name, 'joe')
  const old = judge(['impersonate :users /joe'])
  t.equal(impersonate({ ...request, authorizer: old.authorizer }).name, 'joe')
  const half = judge(['impersonate:user-info authentication.k8s.io:users /joe'])
  t.throws(() => impersonate({ ...request, authorizer: half.authorizer }), {
    code: 403,
    message:
      'pods is forbidden: User "jane" cannot impersonate-on:user-info:list resource "pods" in API group "" in the namespace "shop"',
  })
})

t.test('the constrained mode never gives system:masters or an empty group', async (t) => {
  const rights = [
    'impersonate-on:user-info:list :pods shop/',
    'impersonate:user-info authentication.k8s.io:users /joe',
    'impersonate:user-info authentication.k8s.io:groups /system:masters',
    'impersonate:user-info authentication.k8s.io:groups /',
  ]
  for (const group of ['system:masters', '']) {
    const { authorizer } = judge(rights)
    const headers = { 'impersonate-user': ['joe'], 'impersonate-group': [group] }
    t.throws(() => impersonate({ user: jane, headers, authorizer, attributes: listPods }), { code: 403 })
  }
})

t.test('a service account may act as the node that it runs on', async (t) => {
  const robot: UserInfo = {
    name: 'system:serviceaccount:shop:robot',
    groups: [],
    extra: { 'authentication.kubernetes.io/node-name': ['n1'] },
  }
  const rights = [
    'impersonate-on:associated-node:list :pods shop/',
    'impersonate:associated-node authentication.k8s.io:nodes /*',
  ]
  const request = (node: string) => ({
    user: robot,
    headers: { 'impersonate-user': [`system:node:${node}`] },
    authorizer: judge(rights).authorizer,
    attributes: listPods,
  })
  t.same(impersonate(request('n1')).groups, ['system:nodes', 'system:authenticated'])
  t.throws(() => impersonate(request('n2')), { code: 403 })
})
