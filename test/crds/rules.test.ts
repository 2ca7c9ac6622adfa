// x-kubernetes-validations: what refuses a definition, and what refuses its objects.
// The expression language itself is tested in test/cel.

import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import type { FieldError } from '../../src/api/status.ts'
import { definition, definitionKind, stored, version, widget, widgetKind } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const at = 'spec.versions[0].schema.openAPIV3Schema'
const lines = (errors: readonly FieldError[]): readonly string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`)

const object = (properties: Json, ...rules: readonly Json[]): Json => ({
  type: 'object',
  properties,
  ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
})
const numbers = { a: { type: 'integer' }, b: { type: 'integer' } }

function refusals(spec: Json): readonly string[] {
  const crd = stored(definition({ versions: [version({ type: 'object', properties: { spec } })] }))
  return lines(definitionKind.validateCreate(crd))
}

const goRule = (rule: Json): string =>
  JSON.stringify({
    ...{ Rule: '', Message: '', MessageExpression: '', Reason: null, FieldPath: '', OptionalOldSelf: null },
    ...rule,
  })

test('a definition whose rule does not compile is refused at the rule', async (t) => {
  const rule = `${at}.properties[spec].x-kubernetes-validations[0]`
  t.same(refusals(object(numbers, { rule: 'self.c > 1' })), [
    `${rule}.rule: Invalid value: ${goRule({ Rule: 'self.c > 1' })}: compilation failed: ` +
      "ERROR: <input>:1:5: undefined field 'c'\n | self.c > 1\n | ....^",
  ])
  t.same(refusals(object(numbers, { rule: 'self.a + self.b' })), [
    `${rule}.rule: Invalid value: ${goRule({ Rule: 'self.a + self.b' })}: cel expression must evaluate to a bool`,
  ])
  t.match(refusals(object(numbers, { rule: 'true', messageExpression: 'self.a' })), [
    /messageExpression: Invalid value: .*: messageExpression must evaluate to a string$/,
  ])
  t.match(refusals(object(numbers, { rule: 'true', messageExpression: '"a" +' })), [
    /messageExpression compilation failed: ERROR: <input>:1:6: Syntax error/,
  ])
  t.same(refusals(object(numbers, { rule: 'true', fieldPath: '.zzz' })), [
    `${rule}.fieldPath: Invalid value: ".zzz": must be a valid path`,
  ])
  t.same(refusals(object(numbers, { rule: 'true', optionalOldSelf: true })), [
    `${rule}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
  ])
})

test('transition rules may stand only where old and new can be told to be the same', async (t) => {
  const items = object({ name: { type: 'string' } }, { rule: 'self.name == oldSelf.name' })
  const list = { type: 'array', items }
  t.same(refusals(object({ list })), [
    `${at}.properties[spec].properties[list].items.x-kubernetes-validations[0].rule: Invalid value: ` +
      '"self.name == oldSelf.name": oldSelf cannot be used on the uncorrelatable portion of the schema within ' +
      `${at}.properties[spec].properties[list]`,
  ])
  const keyed = {
    type: 'array',
    items: { ...items, required: ['name'] },
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  }
  t.same(refusals(object({ list: keyed })), [])
})

test('rules of which a schema has too many are refused', async (t) => {
  const rule = { rule: `self.a > 0 || ${'true || '.repeat(3_000)}false` }
  t.match(refusals(object(numbers, ...Array.from({ length: 20 }, () => rule))), [
    /x-kubernetes-validations may not have more than 262144 characters/,
  ])
})

test('an object is refused with the message of the rule that it breaks', async (t) => {
  const cases: readonly (readonly [Json, string])[] = [
    [{ rule: 'self.a < self.b' }, 'spec: Invalid value: failed rule: self.a < self.b'],
    [{ rule: 'self.a < self.b', message: 'a is less than b' }, 'spec: Invalid value: a is less than b'],
    [
      { rule: 'self.a < self.b', messageExpression: '"%d is not less".format([self.a])' },
      'spec: Invalid value: 5 is not less',
    ],
    [
      { rule: 'self.a < self.b', message: 'less', messageExpression: '"x" + string(1 / (self.a - 5))' },
      'spec: Invalid value: less',
    ],
    [{ rule: 'self.a < self.b', fieldPath: '.a', message: 'no' }, 'spec.a: Invalid value: no'],
    [{ rule: 'self.a < self.b', reason: 'FieldValueForbidden', message: 'no' }, 'spec: Forbidden: no'],
    [{ rule: 'self.a < self.b', reason: 'FieldValueRequired', message: 'no' }, 'spec: Required value: no'],
    [{ rule: 'self.a < self.b', reason: 'FieldValueDuplicate' }, 'spec: Duplicate value'],
    [
      { rule: '1 / (self.a - 5) > 0' },
      'spec: Invalid value: "object": division by zero evaluating rule: 1 / (self.a - 5) > 0',
    ],
  ]
  for (const [rule, text] of cases) {
    const kind = widgetKind(object(numbers, rule))
    t.same(lines(kind.validateCreate(widget({ a: 5, b: 5 }))), [text])
  }
  const leaf = widgetKind(
    object({ a: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self > 0' }] } }),
  )
  t.same(lines(leaf.validateCreate(widget({ a: -1 }))), ['spec.a: Invalid value: -1: failed rule: self > 0'])
})

test('rules stand at the root, in maps, in lists, and under names that are no identifiers', async (t) => {
  const short = { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.size() < 3' }] }
  const kind = widgetKind(
    object({
      'a-b': { type: 'integer' },
      map: { type: 'object', additionalProperties: short },
      list: { type: 'array', items: short },
    }),
    {},
    {
      'x-kubernetes-validations': [
        { rule: "self.metadata.name != ''" },
        { rule: 'self.spec.a__dash__b > 0' },
      ],
    },
  )
  const wrong = widget({ 'a-b': 0, map: { key: 'long' }, list: ['ok', 'long'] })
  t.same(lines(kind.validateCreate(wrong)), [
    '<nil>: Invalid value: failed rule: self.spec.a__dash__b > 0',
    'spec.map[key]: Invalid value: "long": failed rule: self.size() < 3',
    'spec.list[1]: Invalid value: "long": failed rule: self.size() < 3',
  ])
})

test('rules wait until the object fits its schema', async (t) => {
  const kind = widgetKind({ ...object(numbers, { rule: 'self.a < self.b' }), required: ['b'] })
  t.same(lines(kind.validateCreate(widget({ a: 5 }))), [
    'spec.b: Required value',
    '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; ' +
      'correct the existing errors to complete validation',
  ])
})

test('transition rules look at updates, of items by their keys', async (t) => {
  const item = {
    ...object(
      { name: { type: 'string' }, size: { type: 'integer' } },
      { rule: 'self.size >= oldSelf.size', message: 'no shrinking' },
    ),
    required: ['name'],
  }
  const disks = {
    type: 'array',
    items: item,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  }
  const color = {
    type: 'string',
    'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed' }],
  }
  const kind = widgetKind(object({ color, disks }))
  const old = widget({ color: 'red', disks: [{ name: 'a', size: 2 }] })
  const update = (spec: Json): readonly string[] => lines(kind.validateUpdate(widget(spec), old))
  t.same(lines(kind.validateCreate(old)), [])
  t.same(update({ color: 'red', disks: [{ name: 'a', size: 3 }] }), [])
  t.same(update({ color: 'blue' }), ['spec.color: Invalid value: "blue": fixed'])
  t.same(update({ color: 'red', disks: [{ name: 'b', size: 1 }] }), [], 'another key is another item')
  t.same(
    update({
      disks: [
        { name: 'b', size: 1 },
        { name: 'a', size: 1 },
      ],
    }),
    ['spec.disks[1]: Invalid value: no shrinking'],
  )
})

test('optionalOldSelf makes a transition rule judge what is new', async (t) => {
  const rule = { rule: '!oldSelf.hasValue() || self.a >= oldSelf.value().a', optionalOldSelf: true }
  const kind = widgetKind(object(numbers, rule))
  t.same(lines(kind.validateCreate(widget({ a: 1 }))), [])
  t.same(lines(kind.validateUpdate(widget({ a: 2 }), widget({ a: 1 }))), [])
  t.equal(kind.validateUpdate(widget({ a: 0 }), widget({ a: 1 })).length, 1)
  const created = widgetKind(object(numbers, { rule: 'oldSelf.hasValue()', optionalOldSelf: true }))
  t.equal(created.validateCreate(widget({ a: 1 })).length, 1)
})

test('what was wrong before a rule came may stay as long as it does not change', async (t) => {
  const spec = object({ one: object(numbers, { rule: 'self.a < self.b' }), note: { type: 'string' } })
  const kind = widgetKind(spec)
  const old = widget({ one: { a: 2, b: 1 }, note: 'x' })
  t.same(lines(kind.validateUpdate(widget({ one: { a: 2, b: 1 }, note: 'y' }), old)), [])
  t.equal(kind.validateUpdate(widget({ one: { a: 3, b: 1 }, note: 'x' }), old).length, 1)
})

test('null where a schema allows it fails a rule, not the server', async (t) => {
  const text = { type: 'string', nullable: true }
  const run = (rule: string): readonly string[] => {
    const kind = widgetKind(object({ text, list: { type: 'array', items: text } }, { rule }))
    return lines(kind.validateCreate(widget({ text: null, list: [null] })))
  }
  t.same(run('!has(self.text)'), [], 'a field that is null is absent')
  t.same(run('self.text.size() > 0'), [
    'spec: Invalid value: "object": no such key: text evaluating rule: self.text.size() > 0',
  ])
  t.same(run('self.list[0].size() > 0'), [
    'spec: Invalid value: "object": \'no such overload: size\': call arguments did not match a supported operator, ' +
      'function or macro signature for rule: self.list[0].size() > 0',
  ])
  t.equal(run('self.list[0] + "b" == "b"').length, 1)
  t.equal(run('self.list[0].split(",").size() > 0').length, 1)
})

test('a write of the status runs the rules of the status', async (t) => {
  const status = object(numbers, { rule: 'self.a <= self.b', message: 'more than all' })
  const root = { properties: { spec: object({}), status } }
  const kind = widgetKind(object({}), { subresources: { status: {} } }, root)
  const write = kind.subresources?.find(({ name }) => name === 'status')
  const old = widget({})
  const next = { ...old, status: { a: 2, b: 1 } } as KubeObject
  t.same(lines(write?.validate?.(next, old) ?? []), ['status: Invalid value: more than all'])
})

test('B6: rules of one object share a budget', async (t) => {
  const slow = { rule: 'self.all(x, self.exists(y, y == x))' }
  const list = { type: 'array', items: { type: 'integer' }, 'x-kubernetes-validations': [slow, slow] }
  const kind = widgetKind(object({ list }))
  const values = Array.from({ length: 5_000 }, (_, index) => index)
  t.same(lines(kind.validateCreate(widget({ list: values }))), [
    'spec.list: Invalid value: "array": \'operation cancelled: actual cost limit exceeded\': no further validation ' +
      `rules will be run due to call cost exceeds limit for rule: ${slow.rule}`,
  ])
})
