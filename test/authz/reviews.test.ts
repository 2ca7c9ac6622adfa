// Reviews: what they answer, and the questions that they refuse.

import t from 'tap'
import type { Authenticator, UserInfo } from '../../src/api/contracts.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { createRbacAuthorizer } from '../../src/authz/rbac.ts'
import { answerReview } from '../../src/authz/reviews.ts'
import { binding, FakeReader, role } from './fake-reader.ts'

const jane: UserInfo = { name: 'jane', uid: '7', groups: ['dev'], extra: { scopes: ['view'] } }
const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
const authorizer = createRbacAuthorizer({
  reader: new FakeReader([
    role('reader', [pods, { verbs: ['get'], nonResourceURLs: ['/metrics'] }]),
    binding('shop/readers', 'ClusterRole/reader', 'Group/dev'),
    binding('everyone', 'ClusterRole/reader', 'User/joe'),
  ]),
})
const authenticator: Authenticator = {
  authenticate: async () => undefined,
  reviewToken: async (token, audiences) =>
    token === 'good'
      ? { ok: true, user: jane, audiences }
      : { ok: false, error: token === 'bad' ? 'expired' : '' },
}

const group = (kind: string) =>
  /Access|Rules/.test(kind) ? 'authorization.k8s.io/v1' : 'authentication.k8s.io/v1'
const answer = (
  kind: string,
  spec: unknown,
  metadata: KubeObject['metadata'] = { creationTimestamp: null },
) =>
  answerReview({
    kind,
    object: { apiVersion: group(kind), kind, metadata, spec },
    user: jane,
    authorizer,
    authenticator,
  })
const getPods = (namespace?: string) => ({ resourceAttributes: { verb: 'get', resource: 'pods', namespace } })

t.test('SelfSubjectAccessReview answers for the caller', async (t) => {
  t.same((await answer('SelfSubjectAccessReview', getPods('shop')))['status'], {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "readers/shop" of ClusterRole "reader" to Group "dev"',
  })
  t.same((await answer('SelfSubjectAccessReview', getPods('other')))['status'], { allowed: false })
})

t.test('SubjectAccessReview answers for the user and groups it names', async (t) => {
  const metrics = { nonResourceAttributes: { verb: 'get', path: '/metrics' } }
  t.match(await answer('SubjectAccessReview', { ...metrics, user: 'joe' }), { status: { allowed: true } })
  t.match(await answer('SubjectAccessReview', { ...metrics, user: 'jane' }), { status: { allowed: false } })
  t.match(await answer('SubjectAccessReview', { ...getPods('shop'), groups: ['dev'] }), {
    status: { allowed: true },
  })
})

t.test('LocalSubjectAccessReview stays in its namespace', async (t) => {
  const spec = { ...getPods('shop'), user: 'x', groups: ['dev'] }
  t.match(await answer('LocalSubjectAccessReview', spec, { namespace: 'shop' }), {
    status: { allowed: true },
  })
  await t.rejects(answer('LocalSubjectAccessReview', spec, { namespace: 'other' }), {
    code: 422,
    message: /spec\.resourceAttributes\.namespace: Invalid value: "shop": must match metadata\.namespace/,
  })
})

t.test('a question without sense is invalid', async (t) => {
  const both = { ...getPods(), nonResourceAttributes: { path: '/', verb: 'get' } }
  const cases: readonly [kind: string, spec: unknown, text: RegExp][] = [
    [
      'SelfSubjectAccessReview',
      {},
      /exactly one of nonResourceAttributes or resourceAttributes must be specified/,
    ],
    ['SelfSubjectAccessReview', both, /cannot be specified in combination with resourceAttributes/],
    [
      'SubjectAccessReview',
      getPods(),
      /spec\.user: Invalid value: "": at least one of user or group must be specified/,
    ],
    [
      'SelfSubjectAccessReview',
      { resourceAttributes: { labelSelector: {} } },
      /spec\.resourceAttributes\.labelSelector\.requirements: Required value/,
    ],
  ]
  for (const [kind, spec, message] of cases) await t.rejects(answer(kind, spec), { code: 422, message })
  await t.rejects(answer('SelfSubjectAccessReview', getPods(), { name: 'x' }), {
    code: 422,
    message: /metadata: Invalid value: .*: must be empty/,
  })
})

t.test('SelfSubjectRulesReview lists the rules of one namespace', async (t) => {
  t.match(await answer('SelfSubjectRulesReview', { namespace: 'shop' }), {
    status: {
      resourceRules: [pods],
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }],
      incomplete: false,
    },
  })
  await t.rejects(answer('SelfSubjectRulesReview', {}), { code: 400, message: 'no namespace on request' })
})

t.test('SelfSubjectReview tells who asks', async (t) => {
  t.same((await answer('SelfSubjectReview', undefined))['status'], {
    userInfo: { username: 'jane', uid: '7', groups: ['dev'], extra: { scopes: ['view'] } },
  })
})

t.test('TokenReview tells whose a token is, or why it is nobody’s', async (t) => {
  t.same((await answer('TokenReview', { token: 'good', audiences: ['db'] }))['status'], {
    authenticated: true,
    user: { username: 'jane', uid: '7', groups: ['dev'], extra: { scopes: ['view'] } },
    audiences: ['db'],
  })
  t.same((await answer('TokenReview', { token: 'bad' }))['status'], { user: {}, error: 'expired' })
  t.same((await answer('TokenReview', { token: 'x' }))['status'], { user: {}, error: 'invalid bearer token' })
  await t.rejects(answer('TokenReview', {}), { code: 400 })
})
