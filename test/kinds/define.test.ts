import { test } from 'tap'
import type { Schema } from '../../src/api/schema.ts'
import { checkRequiredAndEnums } from '../../src/kinds/check.ts'
import { defineKind } from '../../src/kinds/define.ts'
import { isEqual } from '../../src/kinds/fields.ts'
import { drop, each, fill, fillZero, set, within } from '../../src/kinds/fill.ts'
import { errorTexts } from './errors.ts'

const text: Schema = { type: 'string' }
const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties: new Map(Object.entries(properties)),
  required,
})

const item = object({ name: text, size: { type: 'integer' } }, ['name', 'size'])
const schema = object(
  {
    metadata: object({}, ['name']),
    spec: object({ mode: { type: 'string', enum: ['a', 'b'] }, items: { type: 'array', items: item } }, [
      'mode',
    ]),
    status: object({ phase: text }, ['phase']),
  },
  ['metadata', 'spec', 'status'],
)

test('a missing object is walked as an empty one', async (t) => {
  t.same(errorTexts(checkRequiredAndEnums({}, schema)), ['spec.mode: Required value'])
})

test('words and items are checked where they stand; numbers may be left out', async (t) => {
  const errors = checkRequiredAndEnums({ spec: { mode: 'c', items: [{ name: 'x' }, {}] } }, schema)
  t.same(errorTexts(errors), [
    'spec.mode: Unsupported value: "c": supported values: "a", "b"',
    'spec.items[1].name: Required value',
  ])
})

const thing = defineKind({
  group: 'k3v.dev',
  kind: 'Thing',
  plural: 'things',
  schema,
  status: { initial: { phase: 'New' } },
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas' },
  validate: () => [{ type: 'FieldValueRequired', field: 'spec.mode', message: 'Required value: of ours' }],
})

test('what is left out gets the rule that most kinds have', async (t) => {
  t.match(thing, { listKind: 'ThingList', singular: 'thing', isNamespaced: true, nameRule: 'dns-subdomain' })
  t.same(
    thing.columns.map((column) => column.name),
    ['Name', 'Age'],
  )
  t.same(
    thing.subresources.map((one) => one.name),
    ['status', 'scale'],
  )
})

test('the kind’s own error stands for the schema’s at the same field', async (t) => {
  t.same(errorTexts(thing.validateCreate({ metadata: {} })), ['spec.mode: Required value: of ours'])
})

test('a new object’s status is the kind’s, and an update keeps it', async (t) => {
  const created = thing.prepareCreate({ metadata: {}, status: { phase: 'Mine' } })
  t.same(created['status'], { phase: 'New' })
  t.same(thing.prepareUpdate({ metadata: {}, status: { phase: 'Mine' } }, created)['status'], {
    phase: 'New',
  })
  t.notOk('status' in thing.prepareUpdate({ metadata: {}, status: {} }, { metadata: {} }))
})

test('changes that change nothing give the same object back', async (t) => {
  const fields = Object.freeze({ a: '1', list: [Object.freeze({ b: 1 })], inner: Object.freeze({ c: 1 }) })
  t.equal(fill(fields, { a: '2' }), fields)
  t.equal(set(fields, 'a', '1'), fields)
  t.equal(drop(fields, 'z'), fields)
  t.equal(
    each(fields, 'list', (one) => one),
    fields,
  )
  t.equal(
    within(fields, 'inner', (one) => one),
    fields,
  )
})

test('fill takes empty text for missing, fillZero zero as well', async (t) => {
  t.same(fill({ a: '', b: 0 }, { a: 'x', b: 5 }), { a: 'x', b: 0 })
  t.same(fillZero({ b: 0 }, { b: 5 }), { b: 5 })
})

test('equal is what Go calls semantically equal', async (t) => {
  t.ok(isEqual({ a: [], b: null }, { c: {} }))
  t.ok(isEqual({ a: 1, b: 2 }, { b: 2, a: 1 }))
  t.notOk(isEqual([1, 2], [2, 1]))
  t.notOk(isEqual({ a: false }, {}))
})
