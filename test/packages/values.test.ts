import t from 'tap'
import { readManifest } from '../../src/packages/manifest/manifest.ts'
import { applySetting } from '../../src/packages/values/setting.ts'
import { mergeValues, type Overrides, readValues } from '../../src/packages/values/values.ts'
import { configMapText, filesOf, manifestText, sandbox } from './make-package.ts'

const schema = JSON.stringify({
  type: 'object',
  additionalProperties: false,
  properties: { replicas: { type: 'integer', maximum: 3 }, web: { type: 'object' } },
})

async function read(overrides: Overrides, values = 'replicas: 1\nweb: { image: a, tags: [x] }\n') {
  const files = filesOf({
    'k3v.yaml': manifestText(undefined, '  values: values.yaml\n'),
    'manifests/a.yaml': configMapText(),
    'values.yaml': values,
    'values.schema.json': schema,
  })
  return readValues({ files, manifest: await readManifest(files, sandbox), sandbox, overrides })
}

t.test('readValues() lays files over defaults and settings over files', async (t) => {
  const overrides = {
    files: [
      { name: 'a.yaml', text: 'web: { image: b }' },
      { name: 'b.yaml', text: 'web: { tags: null }\nreplicas: 2' },
    ],
    settings: ['replicas=3', 'web.size=1Gi'],
  }
  t.same(await read(overrides), { replicas: 3, web: { image: 'b', size: '1Gi' } })
})

t.test('readValues() checks the result by the package’s schema', async (t) => {
  await t.rejects(read({ settings: ['replicas=9'] }), {
    message: /^values\.yaml:1: replicas: must be <= 3, not 9$/,
  })
  await t.rejects(read({}, 'replica: 1'), {
    message: 'values.yaml:1: replica: unknown field; did you mean "replicas"?',
  })
})

t.test('readValues() refuses what is no mapping and what reaches a prototype', async (t) => {
  await t.rejects(read({}, '- a'), { message: /values are a mapping/ })
  await t.rejects(read({ files: [{ name: 'x.yaml', text: '{"web": {"__proto__": {"polluted": 1}}}' }] }), {
    message: /^x\.yaml: a value may not be called __proto__$/,
  })
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('mergeValues() keeps both sides as they were', async (t) => {
  const below = Object.freeze({ a: Object.freeze({ b: 1 }) })
  t.same(mergeValues(below, { a: { c: 2 }, d: [3] }), { a: { b: 1, c: 2 }, d: [3] })
  t.same(below, { a: { b: 1 } })
})

t.test('applySetting() makes its path', async (t) => {
  const cases: [string, unknown][] = [
    ['a=1', { a: 1 }],
    ['a.b.c=true', { a: { b: { c: true } } }],
    ['a[1].b=x', { a: [null, { b: 'x' }] }],
    ['a=', { a: '' }],
    ['a=b=c', { a: 'b=c' }],
    ['a={b: [1]}', { a: { b: [1] } }],
    ['a="1"', { a: '1' }],
    ['a=null', { a: null }],
    ['a=: x [', { a: ': x [' }],
    ['a=b: c', { a: 'b: c' }],
    ['a=# b', { a: '# b' }],
    ['a\\.b=1', { 'a.b': 1 }],
  ]
  for (const [setting, values] of cases) t.same(applySetting({}, setting), values, setting)
})

t.test('applySetting() refuses what is no setting', async (t) => {
  for (const setting of ['a', '=1', 'a..b=1', 'a[x]=1', '__proto__.a=1', 'a[99999]=1']) {
    t.throws(() => applySetting({}, setting), { message: /^--set: / }, setting)
  }
  t.equal(({} as Record<string, unknown>)['a'], undefined)
})
