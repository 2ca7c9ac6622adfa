// Who may what: rules, bindings and scopes against requests. Attack B14.

import t from 'tap'
import type { Attributes, PolicyRule, UserInfo } from '../../src/api/contracts.ts'
import { forbiddenMessage } from '../../src/authz/forbidden.ts'
import { createRbacAuthorizer } from '../../src/authz/rbac.ts'
import { ruleAllows } from '../../src/authz/rules.ts'
import { binding, FakeReader, role } from './fake-reader.ts'

const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const robot: UserInfo = {
  name: 'system:serviceaccount:shop:robot',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
}

/** `get pods/exec name namespace`, the group before a colon: `apps:deployments`; or `get /path`. */
function ask(text: string, user: UserInfo = jane): Attributes {
  const [verb = '', what = '', name = '', namespace = ''] = text.split(' ')
  const isResource = !what.startsWith('/')
  const [group, full] = what.includes(':') ? what.split(':') : ['', what]
  const [resource = '', subresource = ''] = isResource ? (full ?? '').split('/') : []
  const unset = (value: string) => (value === '-' ? '' : value)
  return {
    user,
    verb,
    isResource,
    group: group ?? '',
    version: 'v1',
    resource,
    subresource,
    namespace: unset(namespace),
    name: unset(name),
    path: isResource ? '' : what,
  }
}

const rule = (text: string): PolicyRule => {
  const [verbs = '', groups = '', resources = '', names] = text.split(' ')
  const list = (part: string) => part.split(',').map((one) => (one === 'core' ? '' : one))
  if (groups.startsWith('/') || groups === 'path')
    return { verbs: list(verbs), nonResourceURLs: list(resources || groups) }
  return {
    verbs: list(verbs),
    apiGroups: list(groups),
    resources: list(resources),
    ...(names === undefined ? {} : { resourceNames: list(names) }),
  }
}

t.test('a rule allows what it names and nothing beside it', async (t) => {
  const cases: readonly [rule: string, request: string, allowed: boolean][] = [
    ['get core pods', 'get pods a', true],
    ['get core pods', 'list pods', false],
    ['get core pods', 'get apps:pods a', false],
    ['get core pods', 'get pods/log a', false],
    ['get core pods', 'get pods/exec a', false],
    ['get core pods/log', 'get pods/log a', true],
    ['get core pods/log', 'get pods a', false],
    ['get core pods/*', 'get pods/log a', false],
    ['get core */log', 'get pods/log a', true],
    ['get core */log', 'get pods a', false],
    ['get core */log', 'get pods/blog a', false],
    ['get * */scale', 'get apps:deployments/scale a', true],
    ['get core *', 'get pods/exec a', true],
    ['get * *', 'get example.com:widgets a', true],
    ['get core *', 'get apps:deployments a', false],
    ['* core pods', 'deletecollection pods', true],
    ['delete core pods', 'deletecollection pods', false],
    ['get,list core pods', 'watch pods', false],
    ['get core secrets one', 'get secrets one', true],
    ['get core secrets one', 'get secrets two', false],
    ['list core secrets one', 'list secrets', false],
    ['create core secrets one', 'create secrets', false],
    ['get core secrets *', 'get secrets one', false],
    ['GET core pods', 'get pods a', false],
    ['get /healthz', 'get /healthz', true],
    ['get /healthz', 'get /healthz/', false],
    ['get /healthz', 'post /healthz', false],
    ['get path /healthz/*', 'get /healthz/etcd', true],
    ['get path /healthz/*', 'get /healthz', false],
    ['get path /a*', 'get /abc/d', true],
    ['get path *', 'get /anything', true],
    ['get path *', 'get pods a', false],
    ['get * *', 'get /healthz', false],
  ]
  for (const [text, request, allowed] of cases) {
    t.equal(ruleAllows(rule(text), ask(request)), allowed, `${text}: ${request}`)
  }
})

t.test('a rule without groups, resources or verbs allows nothing', async (t) => {
  t.notOk(ruleAllows({ verbs: ['get'], resources: ['pods'] }, ask('get pods a')))
  t.notOk(ruleAllows({ verbs: ['get'], apiGroups: [''] }, ask('get pods a')))
  t.notOk(ruleAllows({ verbs: [], apiGroups: ['*'], resources: ['*'] }, ask('get pods a')))
})

t.test('bindings give a role to users, groups and service accounts, in their scope', async (t) => {
  const reader = new FakeReader([
    role('reader', [rule('get core pods')]),
    role('shop/writer', [rule('update core pods')]),
    binding('readers', 'ClusterRole/reader', 'Group/dev'),
    binding('shop/writers', 'Role/writer', 'User/jane', 'ServiceAccount/robot'),
    binding('shop/robots', 'ClusterRole/reader', 'ServiceAccount/shop/robot'),
    binding('other/robots', 'ClusterRole/reader', 'ServiceAccount/shop/robot'),
    binding('bare', 'ClusterRole/reader', 'ServiceAccount/robot'),
  ])
  const authorizer = createRbacAuthorizer({ reader })
  const cases: readonly [user: UserInfo, request: string, allowed: boolean][] = [
    [jane, 'get pods a shop', true],
    [jane, 'get pods a other', true],
    [jane, 'update pods a shop', true],
    [jane, 'update pods a other', false],
    [jane, 'update pods a -', false],
    [robot, 'update pods a shop', true],
    [robot, 'get pods a shop', true],
    [robot, 'get pods a other', true],
    [robot, 'get pods a third', false],
    [robot, 'get pods - -', false],
    [{ name: 'dev', groups: [] }, 'get pods a shop', false],
    [{ name: 'joe', groups: ['jane'] }, 'update pods a shop', false],
    [{ name: 'ServiceAccount/robot', groups: [] }, 'get pods a shop', false],
  ]
  // Three times: by scanning, by building the index, and from the index.
  for (let round = 0; round < 3; round += 1) {
    for (const [user, request, allowed] of cases) {
      t.equal(authorizer.authorize(ask(request, user)).allowed, allowed, `${user.name}: ${request}`)
    }
  }
})

t.test('a change of roles or bindings counts at once', async (t) => {
  const reader = new FakeReader([role('reader', [rule('get core pods')])])
  const authorizer = createRbacAuthorizer({ reader })
  const isAllowed = () => authorizer.authorize(ask('get pods a shop')).allowed
  const given = binding('b', 'ClusterRole/reader', 'User/jane')
  t.notOk(isAllowed())
  reader.put(given)
  t.ok(isAllowed() && isAllowed())
  reader.put(role('reader', []))
  t.notOk(isAllowed())
  reader.put(role('reader', [rule('* * *')]))
  t.ok(isAllowed())
  reader.remove(given)
  t.notOk(isAllowed())
})

t.test('administrators are allowed everything, with nothing stored', async (t) => {
  const authorizer = createRbacAuthorizer({ reader: new FakeReader() })
  const admin = { name: 'root', groups: ['system:masters'] }
  t.ok(authorizer.authorize(ask('escalate rbac:clusterroles', admin)).allowed)
  t.ok(authorizer.authorize(ask('get /metrics', admin)).allowed)
  t.notOk(authorizer.authorize(ask('get pods', { name: 'system:masters', groups: [] })).allowed)
})

t.test('the reason names the binding, or the roles that are missing', async (t) => {
  const reader = new FakeReader([
    role('reader', [rule('get core pods')]),
    binding('readers', 'ClusterRole/reader', 'Group/dev'),
    binding('shop/robots', 'ClusterRole/reader', 'ServiceAccount/robot'),
    binding('lost', 'ClusterRole/gone', 'User/jane'),
    binding('shop/lost', 'Role/gone', 'User/jane'),
  ])
  const authorizer = createRbacAuthorizer({ reader })
  const reason = (request: string, user = jane) => authorizer.authorize(ask(request, user)).reason
  t.equal(
    reason('get pods a shop'),
    'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "reader" to Group "dev"',
  )
  t.equal(
    reason('get pods a shop', robot),
    'RBAC: allowed by RoleBinding "robots/shop" of ClusterRole "reader" to ServiceAccount "robot/shop"',
  )
  t.equal(reason('list nodes'), 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found')
  t.equal(
    reason('list pods - shop'),
    'RBAC: [clusterrole.rbac.authorization.k8s.io "gone" not found, role.rbac.authorization.k8s.io "gone" not found]',
  )
  t.equal(reason('list nodes', { name: 'joe', groups: [] }), '')
})

t.test('the rules of a user are those of all bindings, each once', async (t) => {
  const reader = new FakeReader([
    role('reader', [rule('get core pods'), rule('get /healthz')]),
    role('shop/writer', [rule('update core pods')]),
    binding('readers', 'ClusterRole/reader', 'Group/dev', 'User/jane'),
    binding('shop/writers', 'Role/writer', 'User/jane'),
  ])
  const authorizer = createRbacAuthorizer({ reader })
  for (let round = 0; round < 3; round += 1) {
    t.same(authorizer.rulesFor(jane, 'shop'), {
      resourceRules: [rule('get core pods'), rule('update core pods')],
      nonResourceRules: [rule('get /healthz')],
    })
    t.same(authorizer.rulesFor(jane, 'other').resourceRules, [rule('get core pods')])
  }
})

t.test('a refusal says who cannot do what where', async (t) => {
  const cases: readonly [request: string, text: string][] = [
    ['get pods a shop', 'User "jane" cannot get resource "pods" in API group "" in the namespace "shop"'],
    [
      'list apps:deployments',
      'User "jane" cannot list resource "deployments" in API group "apps" at the cluster scope',
    ],
    [
      'create pods/exec a shop',
      'User "jane" cannot create resource "pods/exec" in API group "" in the namespace "shop"',
    ],
    ['get /metrics', 'User "jane" cannot get path "/metrics"'],
  ]
  for (const [request, text] of cases) t.equal(forbiddenMessage(ask(request)), text)
  const odd = { name: '<b>&', groups: [] }
  t.equal(forbiddenMessage(ask('get /metrics', odd)), 'User "&lt;b&gt;&amp;" cannot get path "/metrics"')
})
