// Which schemas a definition may have: structure, keywords, defaults, bounds, with upstream's texts.
// What a schema does to objects stands in the tests beside this one.

import { test } from 'tap'
import { schemaDepthMax, schemaNodesMax } from '../../src/crds/check/props.ts'
import { definition, definitionKind, problemsOf, stored, version } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const at = 'spec.versions[0].schema.openAPIV3Schema'

function problems(schema: Json, rest: Json = {}): readonly string[] {
  return problemsOf(definition({ versions: [version(schema, rest)] })).map((text) => text.replace(at, ''))
}

const object = (properties: Json, rest: Json = {}): Json => ({ type: 'object', properties, ...rest })

const cases: readonly { schema: Json; says: readonly string[] }[] = [
  { schema: {}, says: ['.type: Required value: must not be empty at the root'] },
  { schema: { type: 'string' }, says: ['.type: Invalid value: "string": must be object at the root'] },
  {
    schema: object({ a: {} }),
    says: ['.properties[a].type: Required value: must not be empty for specified object fields'],
  },
  {
    schema: object({ a: { type: 'array' } }),
    says: ['.properties[a].items: Required value: must be specified'],
  },
  {
    schema: object({ a: { type: 'array', items: {} } }),
    says: ['.properties[a].items.type: Required value: must not be empty for specified array items'],
  },
  {
    schema: object({ a: { type: 'text' } }),
    says: [
      '.properties[a].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"',
    ],
  },
  {
    schema: object({ a: { type: 'object', $ref: '#/x' } }),
    says: ['.properties[a].$ref: Forbidden: $ref is not supported'],
  },
  {
    schema: object({ a: { type: 'array', items: { type: 'string' }, uniqueItems: true } }),
    says: [
      '.properties[a].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
    ],
  },
  {
    schema: object({ a: { type: 'array', items: [{ type: 'string' }] } }),
    says: [
      '.properties[a].items: Required value: must be specified',
      '.properties[a].items: Forbidden: items must be a schema object and not an array',
    ],
  },
  {
    schema: object({ a: { type: 'string', allOf: [{ type: 'string', default: 'x', nullable: true }] } }),
    says: [
      '.properties[a].allOf[0].default: Forbidden: must be undefined to be structural',
      '.properties[a].allOf[0].nullable: Forbidden: must be false to be structural',
      '.properties[a].allOf[0].type: Forbidden: must be empty to be structural',
    ],
  },
  {
    schema: object({ a: { type: 'string' } }, { anyOf: [{ properties: { b: { minLength: 1 } } }] }),
    says: ['.properties[b]: Required value: because it is defined in .anyOf[0].properties[b]'],
  },
  {
    schema: object({
      a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
    }),
    says: [],
  },
  {
    schema: object({
      a: {
        'x-kubernetes-int-or-string': true,
        allOf: [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }],
      },
    }),
    says: [],
  },
  {
    schema: object({
      a: { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true },
    }),
    says: [
      '.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true',
    ],
  },
  {
    schema: object({ a: { type: 'string', pattern: 'a(?=b)' } }),
    says: [
      '.properties[a].pattern: Invalid value: "a(?=b)": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
    ],
  },
  {
    schema: object({ metadata: { type: 'object', properties: { labels: { type: 'object' } } } }),
    says: [
      '.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  },
  {
    schema: object({ metadata: { type: 'object', properties: { name: { type: 'string', pattern: '^a' } } } }),
    says: [],
  },
  {
    schema: { type: 'object', additionalProperties: { type: 'string' } },
    says: ['.additionalProperties: Forbidden: must not be used at the root'],
  },
  {
    schema: object({ a: object({ b: { type: 'string' } }, { additionalProperties: { type: 'string' } }) }),
    says: [
      '.properties[a].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive',
    ],
  },
  {
    schema: object({ a: { type: 'object', 'x-kubernetes-preserve-unknown-fields': false } }),
    says: [
      '.properties[a].x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined',
    ],
  },
  {
    schema: object({ a: { type: 'object', 'x-kubernetes-embedded-resource': true } }),
    says: [
      '.properties[a].properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
    ],
  },
  {
    schema: object({ a: { type: 'integer', default: 'x' } }),
    says: ['.properties[a].default: Invalid value: "string":  in body must be of type integer: "string"'],
  },
  {
    schema: object({ a: object({ b: { type: 'string' } }, { default: { c: 1 } }) }),
    says: ['.properties[a].default: Invalid value: {"c":1}: must not have unknown fields'],
  },
  {
    schema: object({ a: { type: 'string', 'x-kubernetes-list-type': 'set' } }),
    says: [
      '.properties[a].type: Invalid value: "string": must be array if x-kubernetes-list-type is specified',
    ],
  },
  {
    schema: object({
      a: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name', 'gone'],
        items: object({ name: { type: 'string' } }),
      },
    }),
    says: [
      '.properties[a].x-kubernetes-list-map-keys: Invalid value: ["name","gone"]: entries must all be names of item properties',
      '.properties[a].items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
    ],
  },
  {
    schema: object({ a: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } } }),
    says: [
      '.properties[a].items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set',
    ],
  },
  {
    schema: object({ a: { type: 'string', 'x-kubernetes-validations': [{ rule: ' ' }] } }),
    says: ['.properties[a].x-kubernetes-validations[0].rule: Required value: rule is not specified'],
  },
  {
    schema: object({ a: { type: 'array', items: { type: 5 } } }),
    says: ['.properties[a].items.type: Invalid value: 5: must be of type string'],
  },
]

test('a schema that is not structural is refused with what is wrong', async (t) => {
  for (const { schema, says } of cases) {
    t.same(
      problems(schema).map((text) => text.replaceAll(at, '')),
      says,
      JSON.stringify(schema),
    )
  }
})

test('with a status subresource the root may say little', async (t) => {
  const subresources = { subresources: { status: {} } }
  t.same(problems(object({ status: { type: 'object' } }, { required: ['spec'] }), subresources), [])
  t.match(problems(object({}, { oneOf: [{ required: ['a'] }] }), subresources), [
    /only \[Description Type .*\] fields are allowed at the root of the schema if the status subresource is enabled/,
  ])
})

test('a schema that is nested too deep is refused before anybody walks it', async (t) => {
  let schema: Json = { type: 'string' }
  for (let depth = 0; depth < 5_000; depth += 1) schema = { type: 'object', properties: { a: schema } }
  t.match(problems(schema), [
    new RegExp(`Forbidden: schemas may not be nested deeper than ${schemaDepthMax}$`),
  ])
})

test('a schema with too many nodes is refused', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: schemaNodesMax }, (_, index) => [`f${index}`, { type: 'string' }]),
  )
  t.match(problems(object(many)), [
    new RegExp(`Forbidden: a schema may not have more than ${schemaNodesMax} nodes$`),
  ])
})

test('selectable fields must be plain fields of a plain type', async (t) => {
  const schema = object({ spec: object({ a: { type: 'string' }, b: { type: 'object' } }) })
  const fields = (...paths: string[]) =>
    problems(schema, { selectableFields: paths.map((jsonPath) => ({ jsonPath })) }).map((text) =>
      text.replace('spec.versions[0].selectableFields', ''),
    )
  t.same(fields('.spec.a'), [])
  t.match(fields('.spec.b'), [
    /^\[0\].jsonPath: Invalid value: ".spec.b": must point to a field of type string/,
  ])
  t.match(fields('.spec.c'), [/is an invalid path/])
  t.same(fields('.spec.a', '.spec.a'), ['[1].jsonPath: Duplicate value: ".spec.a"'])
})

test('a conversion webhook is refused as soon as there is something to convert', async (t) => {
  const webhook = { clientConfig: { url: 'https://example.com/' }, conversionReviewVersions: ['v1'] }
  const spec = { conversion: { strategy: 'Webhook', webhook } }
  t.same(problemsOf(definition({ spec })), [])
  const versions = [version({ type: 'object' }), version({ type: 'object' }, { name: 'v2', storage: false })]
  t.same(problemsOf(definition({ spec, versions })), [
    'spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None"',
  ])
})

test('a definition that came in under older rules can still be changed elsewhere', async (t) => {
  const old = stored(definition({ versions: [version(object({ a: {} }))] }))
  const next = { ...old, metadata: { ...old.metadata, finalizers: [] } }
  t.same(definitionKind.validateUpdate(next, old), [])
  const spec = old['spec'] as Json
  const renamed = { ...old, spec: { ...spec, names: { ...(spec['names'] as Json), shortNames: ['w'] } } }
  t.same(definitionKind.validateUpdate(renamed, old), [])
})

test('rules that cannot be run here, and formats that mean nothing, are told once', async (t) => {
  const rules = { 'x-kubernetes-validations': [{ rule: '[?self.?a].size() == 1' }] }
  const schema = object({ spec: object({ a: { type: 'string', format: 'fancy' } }, rules) })
  const crd = stored(definition({ versions: [version(schema)] }))
  t.same(problemsOf(crd), [])
  t.same(definitionKind.warnings?.(crd, undefined), [
    'unrecognized format "fancy"',
    `${at}.properties[spec].x-kubernetes-validations[0] is stored but not enforced by this control plane`,
  ])
  t.same(definitionKind.warnings?.({ ...crd, spec: { ...(crd['spec'] as Json), scope: 'Cluster' } }, crd), [])
})

test('the first delete marks a definition and holds it until its instances are gone', async (t) => {
  const crd = stored(definition())
  t.equal(definitionKind.isHeld?.(crd), true)
  const deletionTimestamp = '2026-01-01T00:00:00Z'
  const marked = definitionKind.prepareDelete?.({ ...crd, metadata: { ...crd.metadata, deletionTimestamp } })
  t.same(marked?.metadata.finalizers, ['customresourcecleanup.apiextensions.k8s.io'])
  t.match(marked?.['status'], {
    conditions: [{ type: 'Terminating', status: 'True', lastTransitionTime: deletionTimestamp }],
  })
  t.equal(definitionKind.isHeld?.(marked ?? crd), false)
})
