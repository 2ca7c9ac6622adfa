// What happens to a custom resource on its way in: unknown fields fall away, defaults come in.
// The cases follow upstream's rules for structural schemas.

import { test } from 'tap'
import { widget, widgetKind } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const pruneCases: readonly {
  name: string
  schema: Json
  spec: Json
  left: Json
  unknown?: readonly string[]
}[] = [
  {
    name: 'unknown fields',
    schema: { type: 'object', properties: { a: { type: 'string' } } },
    spec: { a: 'x', b: 1, c: { d: 2 } },
    left: { a: 'x' },
    unknown: ['spec.b', 'spec.c'],
  },
  {
    name: 'inside lists and maps',
    schema: {
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
        map: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { a: { type: 'string' } } },
        },
      },
    },
    spec: { list: [{ a: 'x' }, { b: 1 }], map: { one: { a: 'x', b: 1 } } },
    left: { list: [{ a: 'x' }, {}], map: { one: { a: 'x' } } },
    unknown: ['spec.list[1].b', 'spec.map.one.b'],
  },
  {
    name: 'below x-kubernetes-preserve-unknown-fields only what is described',
    schema: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { a: { type: 'string' } } } },
    },
    spec: { any: { thing: 1 }, known: { a: 'x', b: 1 } },
    left: { any: { thing: 1 }, known: { a: 'x' } },
    unknown: ['spec.known.b'],
  },
  {
    name: 'nulls where none may be',
    schema: {
      type: 'object',
      properties: {
        a: { type: 'string' },
        b: { type: 'string', nullable: true },
        c: { type: 'string', default: 'd' },
      },
    },
    spec: { a: null, b: null, c: null },
    left: { b: null, c: null },
  },
  {
    name: 'unknown metadata of an embedded resource',
    schema: {
      type: 'object',
      properties: {
        template: {
          type: 'object',
          'x-kubernetes-embedded-resource': true,
          properties: { spec: { type: 'object', properties: { a: { type: 'string' } } } },
        },
      },
    },
    spec: {
      template: {
        apiVersion: 'v1',
        kind: 'X',
        metadata: { labels: { a: 'b' }, color: 'red' },
        spec: { a: '', b: 1 },
      },
    },
    left: { template: { apiVersion: 'v1', kind: 'X', metadata: { labels: { a: 'b' } }, spec: { a: '' } } },
    unknown: ['spec.template.spec.b', 'spec.template.metadata.color'],
  },
  {
    name: 'a key that names the prototype',
    schema: {
      type: 'object',
      additionalProperties: { type: 'object', properties: { a: { type: 'string' } } },
    },
    spec: JSON.parse('{"__proto__": {"a": "x", "b": 1}}') as Json,
    left: JSON.parse('{"__proto__": {"a": "x"}}') as Json,
    unknown: ['spec.__proto__.b'],
  },
]

test('pruning drops what the schema does not know, and says what', async (t) => {
  for (const { name, schema, spec, left, unknown = [] } of pruneCases) {
    const pruned = widgetKind(schema).prune?.(widget(spec))
    t.equal(JSON.stringify(pruned?.object['spec']), JSON.stringify(left), name)
    t.same(pruned?.unknown, unknown, name)
  }
})

test('an object of which nothing falls away stays the same one', async (t) => {
  const kind = widgetKind({ type: 'object', properties: { a: { type: 'string' } } })
  const object = widget({ a: 'x' })
  t.equal(kind.prune?.(object).object, object)
  t.equal(kind.defaults(object), object)
})

test('metadata is typed: unknown fields fall away, wrong types are refused', async (t) => {
  const kind = widgetKind({ type: 'object' })
  const odd = { ...widget({}), metadata: { name: 'first', color: 'red', labels: null } }
  t.same(kind.prune?.(odd as never).unknown, ['metadata.color'])
  t.same(kind.prune?.(odd as never).object.metadata, { name: 'first' })
  const wrong = { ...widget({}), metadata: { name: 'first', labels: { a: 1 } } }
  t.throws(() => kind.prune?.(wrong as never), {
    code: 400,
    message: /Widget in version "v1" cannot be handled as a Widget.*metadata.labels.a of type string/,
  })
})

const defaultCases: readonly { name: string; schema: Json; spec: unknown; filled: unknown }[] = [
  {
    name: 'missing fields',
    schema: {
      type: 'object',
      properties: { a: { type: 'string', default: 'x' }, b: { type: 'integer', default: 0 } },
    },
    spec: { b: 5 },
    filled: { b: 5, a: 'x' },
  },
  {
    name: 'inside of a default',
    schema: {
      type: 'object',
      properties: { a: { type: 'object', default: {}, properties: { b: { type: 'string', default: 'x' } } } },
    },
    spec: {},
    filled: { a: { b: 'x' } },
  },
  {
    name: 'not inside of what is absent and has no default',
    schema: {
      type: 'object',
      properties: { a: { type: 'object', properties: { b: { type: 'string', default: 'x' } } } },
    },
    spec: {},
    filled: {},
  },
  {
    name: 'null that may not be',
    schema: {
      type: 'object',
      properties: {
        a: { type: 'string', default: 'x' },
        b: { type: 'string', nullable: true, default: 'y' },
      },
    },
    spec: { a: null, b: null },
    filled: { a: 'x', b: null },
  },
  {
    name: 'items and values',
    schema: {
      type: 'object',
      properties: {
        list: {
          type: 'array',
          items: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
        },
        map: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { a: { type: 'string', default: 'x' } } },
        },
      },
    },
    spec: { list: [{}, { a: 'y' }], map: { one: {} } },
    filled: { list: [{ a: 'x' }, { a: 'y' }], map: { one: { a: 'x' } } },
  },
]

test('defaults are filled in', async (t) => {
  for (const { name, schema, spec, filled } of defaultCases) {
    t.same(widgetKind(schema).defaults(widget(spec))['spec'], filled, name)
  }
})

test('an object stored under an older schema is shown with the defaults of today', async (t) => {
  const kind = widgetKind({ type: 'object', properties: { a: { type: 'string', default: 'x' } } })
  t.same(kind.refresh?.(widget({ gone: 1 }))['spec'], { a: 'x' })
})
