import { test } from 'tap'
import type { Json } from '../../src/api/object.ts'
import { applyStrategicMergePatch } from '../../src/api/patch/strategic.ts'
import type { Schema } from '../../src/api/schema.ts'
import { deepFreeze } from '../../src/api/stored.ts'

const text: Schema = { type: 'string' }
const object = (properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
  ...more,
})
const list = (items: Schema, more: Partial<Schema> = {}): Schema => ({ type: 'array', items, ...more })

const container = object({
  name: text,
  image: text,
  args: list(text),
  ports: list(object({ containerPort: { type: 'integer' }, name: text }), {
    patchStrategy: 'merge',
    patchMergeKey: 'containerPort',
  }),
})
const schema = object({
  metadata: object({
    finalizers: list(text, { patchStrategy: 'merge' }),
    labels: { type: 'object', additionalProperties: text },
  }),
  spec: object({
    containers: list(container, { patchStrategy: 'merge', patchMergeKey: 'name' }),
    strategy: object(
      { type: text, rollingUpdate: object({ maxSurge: text }) },
      { patchStrategy: 'retainKeys' },
    ),
    replaced: object({ a: text, b: text }, { patchStrategy: 'replace' }),
    selector: object({ matchLabels: { type: 'object', additionalProperties: text } }),
  }),
})

const patched = (before: Json, patch: Json): Json =>
  applyStrategicMergePatch(deepFreeze(before) as object, deepFreeze(patch), schema) as Json

const containers = (...items: Json[]): Json => ({ spec: { containers: items } })
const a = { name: 'a', image: '1' }
const b = { name: 'b', image: '1' }
const c = { name: 'c', image: '1' }

test('applyStrategicMergePatch() merges lists by key, and replaces the others', async (t) => {
  t.strictSame(
    patched(containers({ ...a, args: ['x'] }, b), containers({ name: 'a', args: ['y'] })),
    containers({ ...a, args: ['y'] }, b),
  )
  t.strictSame(patched(containers(a), containers(c)), containers(c, a))
  t.strictSame(
    patched(
      containers({ ...a, ports: [{ containerPort: 80 }] }),
      containers({ name: 'a', ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] }),
    ),
    containers({ ...a, ports: [{ containerPort: 80, name: 'http' }, { containerPort: 81 }] }),
  )
})

test('applyStrategicMergePatch() obeys $patch', async (t) => {
  t.strictSame(patched(containers(a, b), containers({ $patch: 'delete', name: 'a' })), containers(b))
  t.strictSame(patched(containers(a, b), containers({ $patch: 'replace' }, c)), containers(c))
  t.strictSame(
    patched(
      { spec: { selector: { matchLabels: { a: '1' } } } },
      { spec: { selector: { $patch: 'replace', matchLabels: { b: '1' } } } },
    ),
    { spec: { selector: { matchLabels: { b: '1' } } } },
  )
  t.strictSame(patched({ spec: { selector: {} } }, { spec: { $patch: 'delete' } }), { spec: {} })
  t.strictSame(patched({}, containers({ $patch: 'delete', name: 'a' }, b)), containers(b))
  t.throws(() => patched({ spec: {} }, { spec: { $patch: 'explode' } }), { code: 400 })
})

test('applyStrategicMergePatch() obeys $setElementOrder', async (t) => {
  const order = (names: readonly string[], items?: Json[]): Json => ({
    spec: {
      '$setElementOrder/containers': names.map((name) => ({ name })),
      ...(items === undefined ? {} : { containers: items }),
    },
  })
  t.strictSame(patched(containers(a, b, c), order(['c', 'a', 'b'])), containers(c, a, b))
  t.strictSame(
    patched(containers(a, b), order(['c', 'b'], [c, { name: 'b', image: '2' }])),
    containers(c, a, { name: 'b', image: '2' }),
  )
  t.strictSame(patched(containers(a, b), order(['b'], [{ $patch: 'delete', name: 'a' }])), containers(b))
  t.throws(() => patched(containers(a), order(['a'], [c])), {
    code: 422,
    message: /doesn't match \$setElementOrder/,
  })
  t.throws(() => patched(containers(a), { spec: { '$setElementOrder/containers': 'a' } }), { code: 400 })
})

test('applyStrategicMergePatch() merges and deletes in lists of scalars', async (t) => {
  const finalizers = (...items: string[]): Json => ({ metadata: { finalizers: items } })
  t.strictSame(patched(finalizers('a', 'b'), finalizers('c', 'a')), finalizers('c', 'a', 'b'))
  t.strictSame(
    patched(finalizers('a', 'b'), { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } }),
    finalizers('b'),
  )
  t.strictSame(
    patched(finalizers('a', 'b'), {
      metadata: {
        '$deleteFromPrimitiveList/finalizers': ['a'],
        '$setElementOrder/finalizers': ['c', 'b'],
        finalizers: ['c'],
      },
    }),
    finalizers('c', 'b'),
  )
})

test('applyStrategicMergePatch() obeys $retainKeys and replace strategies', async (t) => {
  t.strictSame(
    patched(
      { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '1' } } } },
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    ),
    { spec: { strategy: { type: 'Recreate' } } },
  )
  t.throws(
    () => patched({ spec: { strategy: {} } }, { spec: { strategy: { $retainKeys: [], type: 'x' } } }),
    {
      code: 400,
      message: 'invalid patch format of retainKeys',
    },
  )
  t.strictSame(patched({ spec: { replaced: { a: '1', b: '1' } } }, { spec: { replaced: { a: '2' } } }), {
    spec: { replaced: { a: '2' } },
  })
})

test('applyStrategicMergePatch() deletes with null, and adds no null', async (t) => {
  t.strictSame(patched({ metadata: { labels: { a: '1', b: '2' } } }, { metadata: { labels: { a: null } } }), {
    metadata: { labels: { b: '2' } },
  })
  t.strictSame(patched({}, { metadata: { labels: { a: null, b: '1' } } }), {
    metadata: { labels: { b: '1' } },
  })
  t.strictSame(patched(containers(a), { spec: { containers: null } }), { spec: {} })
})

test('applyStrategicMergePatch() refuses items without their merge key', async (t) => {
  t.throws(() => patched(containers(a), containers({ image: '1' })), {
    code: 422,
    message: /does not contain declared merge key: name/,
  })
  t.throws(() => patched(containers(a), [] as Json), { code: 400 })
})

test('applyStrategicMergePatch() treats __proto__ as data', async (t) => {
  const evil = JSON.parse('{"metadata":{"labels":{"__proto__":{"polluted":true}}}}') as Json
  const result = patched({ metadata: { labels: { a: '1' } } }, evil) as { metadata: { labels: object } }
  t.ok(Object.hasOwn(result.metadata.labels, '__proto__'))
  t.equal(({} as { polluted?: boolean }).polluted, undefined)
})
