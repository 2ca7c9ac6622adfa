import { test } from 'tap'
import { checkFields, decodeBody } from '../../src/api/codec.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { deepFreeze } from '../../src/api/stored.ts'
import { schemaOf } from '../../src/kinds/facts/schema.ts'

const deployment = schemaOf('io.k8s.api.apps.v1.Deployment')
const kind = { version: 'v1', kind: 'Deployment' }
const of = (spec: unknown, metadata: unknown = { name: 'web' }): KubeObject =>
  deepFreeze({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec }) as KubeObject
const whole = {
  selector: { matchLabels: { a: 'b' } },
  template: { metadata: {}, spec: { containers: [{ name: 'a', resources: {} }] } },
  strategy: {},
}
const check = (object: KubeObject) => checkFields(object, deployment, kind)
const withContainer = (container: object) =>
  of({
    ...whole,
    template: { metadata: {}, spec: { containers: [{ name: 'a', resources: {}, ...container }] } },
  })

test('checkFields() returns the same object when nothing has to change', async (t) => {
  const object = deepFreeze({ ...of(whole), status: {} })
  t.equal(check(object).object, object)
})

test('checkFields() drops unknown fields and names them with indices', async (t) => {
  const { object, unknown } = check(
    of({ foo: 1, ...whole, template: { spec: { containers: [{ name: 'a', bar: 1 }] } } }),
  )
  t.strictSame(unknown, ['unknown field "spec.foo"', 'unknown field "spec.template.spec.containers[0].bar"'])
  t.notMatch(JSON.stringify(object), /foo|bar/)
})

test('checkFields() is case sensitive', async (t) => {
  t.strictSame(check(of({ ...whole, Replicas: 1 })).unknown, ['unknown field "spec.Replicas"'])
})

test('checkFields() drops what Go leaves out and keeps explicit zeros of pointers', async (t) => {
  const { object } = check(
    of(
      { ...whole, replicas: 0, paused: false, minReadySeconds: 0 },
      { name: 'web', labels: {}, creationTimestamp: null },
    ),
  )
  t.strictSame(object.metadata, { name: 'web' })
  t.strictSame(object['spec'], { ...whole, replicas: 0 })
})

test('checkFields() adds the empty structs that Go writes', async (t) => {
  const { object } = check(of({ selector: {}, template: { spec: { containers: [{ name: 'a' }] } } }))
  t.strictSame(object['status'], {})
  t.strictSame(object['spec'], {
    selector: {},
    strategy: {},
    template: { metadata: {}, spec: { containers: [{ name: 'a', resources: {} }] } },
  })
})

test('checkFields() refuses wrong types as Go does', async (t) => {
  const go = (rest: string) => ({
    code: 400,
    message: `Deployment in version "v1" cannot be handled as a Deployment: ${rest}`,
  })
  const cases: readonly (readonly [KubeObject, string])[] = [
    [
      of({ replicas: 'x' }),
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      of({ replicas: 1.5 }),
      'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      of({ replicas: 2 ** 31 }),
      'json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      withContainer({ image: 1 }),
      'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string',
    ],
    [
      of({ template: { spec: { containers: {} } } }),
      'json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container',
    ],
    [
      of({ template: [] }),
      'json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec',
    ],
    [
      of(whole, { name: 'web', labels: { a: 1 } }),
      'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string',
    ],
    [
      withContainer({ resources: { limits: { cpu: 'x' } } }),
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
  ]
  for (const [object, message] of cases) t.throws(() => check(object), go(message), message)
})

test('checkFields() writes quantities and times in canonical form, and checks bytes', async (t) => {
  const { object } = check(withContainer({ resources: { limits: { cpu: 1, memory: '1024Mi' } } }))
  t.match(JSON.stringify(object), /"limits":\{"cpu":"1","memory":"1Gi"\}/)
  const dated = check(of(whole, { name: 'web', creationTimestamp: '2026-01-01T02:00:00.5+02:00' }))
  t.equal(dated.object.metadata.creationTimestamp, '2026-01-01T00:00:00Z')
  const secret = schemaOf('io.k8s.api.core.v1.Secret')
  const data = (value: string) =>
    checkFields({ metadata: {}, data: { a: value } }, secret, { version: 'v1', kind: 'Secret' }).object[
      'data'
    ]
  t.strictSame(data('YWJj\n'), { a: 'YWJj' })
  t.throws(() => data('a*bc'), { message: /illegal base64 data at input byte 1$/ })
  t.throws(() => data('abc'), { code: 400 })
})

test('decodeBody() reads JSON and reports fields that come twice', async (t) => {
  const { value, warnings } = decodeBody({
    bytes: Buffer.from('{"a":{"b":[{"c":1,"c":2}],"b":"\\"x"},"a":2,"{\\"}":[1,{}]}'),
    contentType: '',
  })
  t.strictSame(value, { a: 2, '{"}': [1, {}] })
  t.strictSame(warnings, ['duplicate field "a.b[0].c"', 'duplicate field "a.b"', 'duplicate field "a"'])
})

test('decodeBody() reads YAML as Go does', async (t) => {
  const text =
    'a: yes\nb: 0777\nc: 1:30\nd: "yes"\ne: 2001-01-01\nf: 1_000\ng: ~\n1: .5\nh: &x {k: v}\ni: *x\n'
  const { value } = decodeBody({ bytes: Buffer.from(text), contentType: 'application/yaml' })
  t.strictSame(value, {
    a: true,
    b: 511,
    c: '1:30',
    d: 'yes',
    e: '2001-01-01',
    f: 1000,
    g: null,
    1: 0.5,
    h: { k: 'v' },
    i: { k: 'v' },
  })
  const twice = decodeBody({
    bytes: Buffer.from('a: 1\nb:\n  c: 1\n  c: 2\na: 2\n'),
    contentType: 'application/yaml',
  })
  t.strictSame(twice.warnings, [
    'yaml: unmarshal errors:\n  line 4: key "c" already set in map\n  line 5: key "a" already set in map',
  ])
  t.strictSame(twice.value, { a: 2, b: { c: 2 } })
})

test('decodeBody() has bounds', async (t) => {
  const refuses = (text: string, contentType: string, message: RegExp) =>
    t.throws(() => decodeBody({ bytes: Buffer.from(text), contentType }), { code: 400, message })
  refuses('{"a":', '', /couldn't get version\/kind; json parse error/)
  refuses(`${'['.repeat(1_500)}${']'.repeat(1_500)}`, '', /exceeded max depth/)
  refuses('a: 1\n---\nb: 2\n', 'application/yaml', /more than one YAML document/)
  const levels = Array.from({ length: 9 }, (_, index) =>
    index === 0
      ? 'a0: &a0 [x]'
      : `a${index}: &a${index} [${Array(9)
          .fill(`*a${index - 1}`)
          .join(', ')}]`,
  )
  refuses(levels.join('\n'), 'application/yaml', /excessive aliasing/)
  refuses('a: &a [*a]', 'application/yaml', /excessive aliasing/)
})

test('a field called __proto__ stays data', async (t) => {
  for (const contentType of ['application/json', 'application/yaml']) {
    const { value } = decodeBody({ bytes: Buffer.from('{"__proto__": {"x": 1}}'), contentType })
    t.ok(Object.hasOwn(value as object, '__proto__'), contentType)
  }
  const labelled = JSON.parse('{"metadata":{"labels":{"__proto__":null,"a":"b"}}}') as KubeObject
  const { object } = check(labelled)
  t.ok(Object.hasOwn(object.metadata.labels ?? {}, '__proto__'))
})
