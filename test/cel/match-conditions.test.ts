import t from 'tap'
import { compileCondition, prepareConditions } from '../../src/cel/match-conditions.ts'

const input = {
  object: { metadata: { name: 'web', labels: { app: 'shop' } }, spec: { replicas: 3 } },
  oldObject: null,
  request: {
    operation: 'CREATE',
    userInfo: { username: 'ana', groups: ['dev'] },
    resource: { resource: 'pods' },
  },
}
const ask = (...expressions: readonly string[]): unknown =>
  prepareConditions(expressions.map((expression, index) => ({ name: `c${index}`, expression })))(input)

t.test('all conditions must hold', async (t) => {
  t.same(ask("request.operation == 'CREATE'", "!('system:nodes' in request.userInfo.groups)"), {
    ok: true,
    isMatch: true,
  })
  t.same(ask("request.operation == 'DELETE'", 'object.spec.replicas > 1'), { ok: true, isMatch: false })
  t.same(ask('oldObject == null && has(object.metadata.labels.app)'), { ok: true, isMatch: true })
})

t.test('a condition that is false makes up for one that fails', async (t) => {
  t.same(ask('object.spec.nothing == 1', 'object.spec.replicas == 1'), { ok: true, isMatch: false })
  t.same(ask('object.spec.nothing == 1', 'true'), {
    ok: false,
    error: "matchCondition 'c0': no such key: nothing",
  })
})

t.test('a condition that is no condition is refused', async (t) => {
  t.match(compileCondition("authorizer.path('/').check('get').allowed()"), {
    ok: false,
    message: /undeclared reference to 'authorizer'/,
  })
  t.match(compileCondition('object.spec.replicas + 1'), { ok: false })
})

t.test('conditions share a budget', async (t) => {
  const slow = 'lists.range(2000).all(x, lists.range(2000).all(y, x + y >= 0))'
  t.match(ask(slow, 'true'), { ok: false, error: /cost limit exceeded/ })
})
