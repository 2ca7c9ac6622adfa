// Nobody grants more than they hold. Attack B16.

import t from 'tap'
import { rbacEscalation } from '../../src/admission/rbac-escalation.ts'
import { describeRules, missingRules } from '../../src/admission/rule-coverage.ts'
import type { AdmissionRequest, PolicyRule, UserInfo } from '../../src/api/contracts.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { createRbacAuthorizer } from '../../src/authz/rbac.ts'
import { binding, FakeReader, role } from '../authz/fake-reader.ts'

const group = 'rbac.authorization.k8s.io'
const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const admin: UserInfo = { name: 'root', groups: ['system:masters'] }

const allow = (verbs: string, resources: string, apiGroups = '', names?: string): PolicyRule => ({
  apiGroups: apiGroups.split(','),
  resources: resources.split(','),
  verbs: verbs.split(','),
  ...(names === undefined ? {} : { resourceNames: names.split(',') }),
})
const paths = (verbs: string, urls: string): PolicyRule => ({
  nonResourceURLs: urls.split(','),
  verbs: verbs.split(','),
})

t.test('rules are covered by rules that give as much', async (t) => {
  const cases: readonly [owned: PolicyRule[], wanted: PolicyRule[], isCovered: boolean][] = [
    [[allow('get,list', 'pods')], [allow('get', 'pods')], true],
    [[allow('get', 'pods'), allow('list', 'pods')], [allow('get,list', 'pods')], true],
    [[allow('get', 'pods'), allow('list', 'secrets')], [allow('get,list', 'pods,secrets')], false],
    [[allow('*', 'pods')], [allow('deletecollection', 'pods')], true],
    [[allow('get', 'pods')], [allow('*', 'pods')], false],
    [[allow('get', '*')], [allow('get', 'pods/exec')], true],
    [[allow('get', 'pods')], [allow('get', 'pods/exec')], false],
    [[allow('get', '*/scale')], [allow('get', 'deployments/scale')], true],
    [[allow('get', '*/scale')], [allow('get', '*')], false],
    [[allow('get', '*/scale')], [allow('get', 'scale')], false],
    [[allow('get', 'pods', '*')], [allow('get', 'pods', 'metrics.k8s.io')], true],
    [[allow('get', 'pods', '')], [allow('get', 'pods', 'metrics.k8s.io')], false],
    [[allow('get', 'secrets')], [allow('get', 'secrets', '', 'one')], true],
    [[allow('get', 'secrets', '', 'one')], [allow('get', 'secrets')], false],
    [[allow('get', 'secrets', '', 'one')], [allow('get', 'secrets', '', 'one,two')], false],
    [[paths('get', '/healthz*')], [paths('get', '/healthz/etcd')], true],
    [[paths('get', '/healthz')], [paths('get', '/healthz*')], false],
    [[paths('*', '*')], [paths('get', '/metrics')], true],
    [[allow('*', '*', '*')], [paths('get', '/metrics')], false],
    [[paths('*', '*')], [allow('get', 'pods')], false],
    [[], [], true],
  ]
  for (const [owned, wanted, isCovered] of cases) {
    t.equal(missingRules(owned, wanted).length === 0, isCovered, JSON.stringify([owned, wanted]))
  }
})

t.test('what is missing is told in lines, the verbs of one thing together', async (t) => {
  const missing = missingRules(
    [],
    [allow('get,list', 'pods,secrets'), paths('get', '/a'), allow('get', 'pods', 'x', 'n')],
  )
  t.equal(
    describeRules(missing),
    [
      '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
      '{APIGroups:["x"], Resources:["pods"], ResourceNames:["n"], Verbs:["get"]}',
      '{NonResourceURLs:["/a"], Verbs:["get"]}',
    ].join('\n'),
  )
})

function start(objects: readonly KubeObject[] = []) {
  const reader = new FakeReader([
    role('pod-reader', [allow('get,list', 'pods')]),
    binding('readers', 'ClusterRole/pod-reader', 'Group/dev'),
    ...objects,
  ])
  const plugin = rbacEscalation({ reader, authorizer: createRbacAuthorizer({ reader }) })
  return async (object: KubeObject, change: Partial<AdmissionRequest> = {}) => {
    const kind = object.kind ?? ''
    await plugin.validate?.({
      user: jane,
      operation: 'CREATE',
      kind: { group, version: 'v1', kind },
      resource: { group, version: 'v1', resource: `${kind.toLowerCase()}s` },
      subresource: '',
      namespace: object.metadata.namespace ?? '',
      name: object.metadata.name ?? '',
      object,
      old: undefined,
      isDryRun: false,
      warn: () => {},
      ...change,
    })
  }
}

const rights = (verb: string, resources: string, names?: string): KubeObject[] => [
  role('extra', [allow(verb, resources, group, names)]),
  binding('extras', 'ClusterRole/extra', 'User/jane'),
]

t.test('a role with rights that its author lacks is refused, in upstream’s words', async (t) => {
  const judge = start()
  await t.resolves(judge(role('mine', [allow('get', 'pods')])))
  await t.rejects(judge(role('mine', [allow('get', 'pods,secrets')])), {
    code: 403,
    message:
      'clusterroles.rbac.authorization.k8s.io "mine" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  })
  await t.rejects(judge(role('shop/mine', [allow('*', '*', '*')])), { code: 403, message: /^roles\.rbac/ })
  await t.resolves(judge(role('mine', [allow('*', '*', '*')]), { user: admin }))
})

t.test('who may escalate may write any role', async (t) => {
  const secrets = [allow('get', 'secrets')]
  await t.resolves(start(rights('escalate', 'clusterroles'))(role('mine', secrets)))
  await t.rejects(start(rights('escalate', 'roles'))(role('mine', secrets)), { code: 403 })
  const named = start(rights('escalate', 'clusterroles', 'mine'))
  await t.rejects(named(role('mine', secrets)), { code: 403 })
  const old = role('mine', [])
  await t.resolves(named(role('mine', secrets), { operation: 'UPDATE', old }))
})

t.test('an update is judged by what it leads to, unless only its life cycle changes', async (t) => {
  const judge = start()
  const old = role('mine', [allow('*', '*', '*')])
  const update = { operation: 'UPDATE', old } as const
  const finalized = { ...old, metadata: { ...old.metadata, finalizers: ['a/b'] } }
  await t.resolves(judge(finalized, update))
  await t.rejects(judge({ ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }, update), { code: 403 })
  await t.resolves(judge(role('mine', [allow('get', 'pods')]), update))
})

t.test('a role that gathers others takes all rights to write', async (t) => {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }
  const gathering = { ...role('mine', []), aggregationRule }
  const message = /must have cluster-admin privileges to use the aggregationRule/
  await t.rejects(start()(gathering), { code: 403, message })
  await t.rejects(start()(role('mine', []), { operation: 'UPDATE', old: gathering }), { code: 403, message })
  const all = [
    role('all', [allow('*', '*', '*'), paths('*', '*')]),
    binding('all', 'ClusterRole/all', 'User/jane'),
  ]
  await t.resolves(start(all)(gathering))
})

t.test('a binding needs the rights of its role, or the right to bind it', async (t) => {
  const strong = role('strong', [allow('get', 'secrets')])
  const weak = binding('shop/b', 'ClusterRole/pod-reader', 'User/joe')
  const given = binding('shop/b', 'ClusterRole/strong', 'User/joe')
  await t.resolves(start([strong])(weak))
  await t.rejects(start([strong])(given), {
    code: 403,
    message: /^rolebindings\.rbac\.authorization\.k8s\.io "b" is forbidden: user "jane"/,
  })
  await t.resolves(start([strong, ...rights('bind', 'clusterroles', 'strong')])(given))
  await t.rejects(start([strong, ...rights('bind', 'clusterroles', 'other')])(given), { code: 403 })
  await t.rejects(start([strong])(binding('b', 'ClusterRole/strong', 'User/jane')), { code: 403 })
  await t.rejects(start()(binding('shop/b', 'ClusterRole/gone', 'User/joe')), {
    code: 404,
    message: 'clusterrole.rbac.authorization.k8s.io "gone" not found',
  })
})

t.test('rights in one namespace do not count in another, or in all', async (t) => {
  const own = [
    role('shop/secrets', [allow('get', 'secrets')]),
    binding('shop/own', 'Role/secrets', 'User/jane'),
  ]
  const judge = start(own)
  await t.resolves(judge(role('shop/mine', [allow('get', 'secrets')])))
  await t.rejects(judge(role('other/mine', [allow('get', 'secrets')])), { code: 403 })
  await t.rejects(judge(role('mine', [allow('get', 'secrets')])), { code: 403 })
})
