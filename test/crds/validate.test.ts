// What is said about custom resources that do not fit their schema: upstream's texts, word for word.

import { test } from 'tap'
import { validationStepsMax } from '../../src/crds/validate.ts'
import { widget, widgetKind } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const field = (schema: Json) => ({ type: 'object', properties: { f: schema } })

function problems(schema: Json, value: unknown): readonly string[] {
  const kind = widgetKind(field(schema))
  return kind.validateCreate(widget({ f: value })).map((error) => `${error.field}: ${error.message}`)
}

const cases: readonly { schema: Json; value: unknown; says: readonly string[] }[] = [
  {
    schema: { type: 'integer', maximum: 10 },
    value: 11,
    says: ['spec.f: Invalid value: 11: spec.f in body should be less than or equal to 10'],
  },
  {
    schema: { type: 'integer', maximum: 10, exclusiveMaximum: true },
    value: 10,
    says: ['spec.f: Invalid value: 10: spec.f in body should be less than 10'],
  },
  {
    schema: { type: 'number', minimum: 0.5 },
    value: 0.25,
    says: ['spec.f: Invalid value: 0.25: spec.f in body should be greater than or equal to 0.5'],
  },
  {
    schema: { type: 'integer' },
    value: 'many',
    says: ['spec.f: Invalid value: "string": spec.f in body must be of type integer: "string"'],
  },
  {
    schema: { type: 'string' },
    value: 5,
    says: ['spec.f: Invalid value: "integer": spec.f in body must be of type string: "integer"'],
  },
  {
    schema: { type: 'object' },
    value: [],
    says: ['spec.f: Invalid value: "array": spec.f in body must be of type object: "array"'],
  },
  {
    schema: { type: 'string', nullable: false },
    value: null,
    says: ['spec.f: Invalid value: "null": spec.f in body must be of type string: "null"'],
  },
  { schema: { type: 'string', nullable: true }, value: null, says: [] },
  {
    schema: { type: 'string', enum: ['b', 'a'] },
    value: 'x',
    says: ['spec.f: Unsupported value: "x": supported values: "b", "a"'],
  },
  {
    schema: { type: 'string', maxLength: 3 },
    value: 'abcd',
    says: ['spec.f: Too long: may not be more than 3 bytes'],
  },
  { schema: { type: 'string', maxLength: 3 }, value: '😀😀😀', says: [] },
  {
    schema: { type: 'string', minLength: 2 },
    value: 'a',
    says: ['spec.f: Invalid value: "a": spec.f in body should be at least 2 chars long'],
  },
  {
    schema: { type: 'string', pattern: '^a+$' },
    value: 'b',
    says: ['spec.f: Invalid value: "b": spec.f in body should match \'^a+$\''],
  },
  { schema: { type: 'string', pattern: '(?i)^abc' }, value: 'ABCdef', says: [] },
  {
    schema: { type: 'array', items: { type: 'string' }, maxItems: 1 },
    value: ['a', 'b'],
    says: ['spec.f: Too many: 2: must have at most 1 item'],
  },
  {
    schema: { type: 'array', items: { type: 'string' }, minItems: 1 },
    value: [],
    says: ['spec.f: Invalid value: 0: spec.f in body should have at least 1 items'],
  },
  {
    schema: { type: 'object', additionalProperties: { type: 'integer' } },
    value: { a: 'x' },
    says: ['spec.f.a: Invalid value: "string": spec.f.a in body must be of type integer: "string"'],
  },
  {
    schema: { type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
    value: {},
    says: ['spec.f.a: Required value'],
  },
  {
    schema: { type: 'integer', multipleOf: 4 },
    value: 6,
    says: ['spec.f: Invalid value: 6: spec.f in body should be a multiple of 4'],
  },
  { schema: { type: 'number', multipleOf: 0.1 }, value: 0.3, says: [] },
  {
    schema: { type: 'integer', format: 'int32' },
    value: 2 ** 31,
    says: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.f'],
  },
  {
    schema: { type: 'string', format: 'date-time' },
    value: 'yesterday',
    says: ['spec.f: Invalid value: "yesterday": spec.f in body must be of type date-time: "yesterday"'],
  },
  { schema: { type: 'string', format: 'something-else' }, value: 'yesterday', says: [] },
  {
    schema: { 'x-kubernetes-int-or-string': true },
    value: true,
    says: ['spec.f: Invalid value: "boolean": spec.f in body must be of type integer,string: "boolean"'],
  },
  { schema: { 'x-kubernetes-int-or-string': true }, value: '50%', says: [] },
  {
    schema: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    value: { a: '', b: '' },
    says: [
      '<nil>: Invalid value: "": "spec.f" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  {
    schema: {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      anyOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    value: {},
    says: [
      '<nil>: Invalid value: "": "spec.f" must validate at least one schema (anyOf)',
      'spec.f.a: Required value',
    ],
  },
  {
    schema: { type: 'string', allOf: [{ minLength: 2 }, { pattern: '^x' }] },
    value: 'y',
    says: [
      'spec.f: Invalid value: "y": spec.f in body should be at least 2 chars long',
      'spec.f: Invalid value: "y": spec.f in body should match \'^x\'',
      '<nil>: Invalid value: "": "spec.f" must validate all the schemas (allOf). None validated',
    ],
  },
  {
    schema: { type: 'string', not: { enum: ['root'] } },
    value: 'root',
    says: ['<nil>: Invalid value: "": "spec.f" must not validate the schema (not)'],
  },
  {
    schema: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    value: ['a', 'b', 'a', 'a'],
    says: ['spec.f[2]: Duplicate value: "a"'],
  },
  {
    schema: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    },
    value: [{ name: 'a' }, { name: 'b' }, { name: 'a' }],
    says: ['spec.f[2]: Duplicate value: {"name":"a"}'],
  },
]

test('validation says what upstream says', async (t) => {
  for (const { schema, value, says } of cases) {
    t.same(problems(schema, value), says, `${JSON.stringify(value)} under ${JSON.stringify(schema)}`)
  }
})

test('a pattern that takes other engines forever is quick', async (t) => {
  t.equal(problems({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(100_000)}b`).length, 1)
})

test('an object that takes too many steps is refused, not checked to the end', async (t) => {
  const alternatives = Array.from({ length: 2_000 }, (_, index) => ({ minimum: 10 + index }))
  const value = Array.from({ length: Math.ceil(validationStepsMax / 1_000) }, () => 1)
  const found = problems({ type: 'array', items: { type: 'integer', anyOf: alternatives } }, value)
  t.match(found.at(-1), /takes too long to check/)
})

test('an update may leave wrong values as they were', async (t) => {
  const kind = widgetKind({
    type: 'object',
    properties: {
      old: { type: 'string', maxLength: 1 },
      next: { type: 'string', maxLength: 1 },
      byName: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: {
          type: 'object',
          properties: { name: { type: 'string' }, size: { type: 'integer', maximum: 1 } },
        },
      },
      plain: { type: 'array', items: { type: 'integer', maximum: 1 } },
    },
  })
  const before = widget({ old: 'long', byName: [{ name: 'a', size: 9 }], plain: [9] })
  const fields = (after: unknown) => kind.validateUpdate(widget(after), before).map((error) => error.field)
  t.same(fields({ old: 'long', next: 'a' }), [])
  t.same(fields({ old: 'long', next: 'ab' }), ['spec.next'])
  t.same(fields({ byName: [{ name: 'b' }, { name: 'a', size: 9 }] }), [])
  t.same(fields({ byName: [{ name: 'b', size: 9 }] }), ['spec.byName[0].size'])
  t.same(fields({ plain: [9] }), [])
  t.same(fields({ plain: [9, 1] }), ['spec.plain[0]'])
})

test('embedded resources need a type and sound metadata', async (t) => {
  const schema = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  }
  t.same(problems(schema, {}), ['spec.f.apiVersion: Required value', 'spec.f.kind: Required value'])
  t.same(problems(schema, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' }, spec: { any: 1 } }), [])
  t.match(problems(schema, { apiVersion: 'v1', kind: 'P od', metadata: { labels: { 'a b': '' } } }), [
    /^spec.f.kind: Invalid value: "P od": may have mixed case/,
    /^spec.f.metadata.labels: Invalid value: "a b"/,
  ])
})

test('the name of a resource can be narrowed at the root', async (t) => {
  const kind = widgetKind(
    { type: 'object' },
    {},
    {
      properties: {
        metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } },
        spec: { type: 'object' },
      },
    },
  )
  t.same(
    kind.validateCreate(widget({})).map((error) => error.field),
    ['metadata.name'],
  )
})

test('the status alone is checked below its own path', async (t) => {
  const kind = widgetKind(
    { type: 'object' },
    { subresources: { status: {} } },
    {
      properties: {
        spec: { type: 'object', required: ['missing'], properties: { missing: { type: 'string' } } },
        status: { type: 'object', required: ['ready'], properties: { ready: { type: 'boolean' } } },
      },
    },
  )
  const status = kind.subresources.find(({ name }) => name === 'status')
  const errors = status?.validate?.(widget({}, { status: { ready: 'no' } }), widget({})) ?? []
  t.same(
    errors.map(({ field, message }) => `${field}: ${message}`),
    ['status.ready: Invalid value: "string": ready in body must be of type boolean: "string"'],
  )
  t.same(
    (status?.validate?.(widget({}, { status: {} }), widget({})) ?? []).map(({ field }) => field),
    ['status.ready'],
  )
})
