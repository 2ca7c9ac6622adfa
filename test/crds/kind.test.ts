// The kinds that a definition makes: names, versions, subresources, generation, columns, deprecation.
// What happens to their objects stands in the tests beside this one.

import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { kindsOfDefinition } from '../../src/crds/kind.ts'
import { definition, stored, version, widget, widgetKind } from './definitions.ts'

test('a definition makes one kind for each served version', async (t) => {
  const crd = stored(
    definition({
      versions: [
        version({ type: 'object' }, { name: 'v1alpha1', storage: false, served: false }),
        version({ type: 'object' }, { name: 'v1beta1', storage: false, deprecated: true }),
        version({ type: 'object' }),
      ],
      spec: { names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], categories: ['all'] } },
    }),
  )
  const kinds = kindsOfDefinition(crd)
  t.match(kinds, [
    {
      version: 'v1beta1',
      deprecation: 'example.com/v1beta1 Widget is deprecated; use example.com/v1 Widget',
    },
    {
      group: 'example.com',
      version: 'v1',
      kind: 'Widget',
      listKind: 'WidgetList',
      plural: 'widgets',
      singular: 'widget',
      shortNames: ['wd'],
      categories: ['all'],
      isNamespaced: true,
      isCustom: true,
      storageVersion: 'v1',
      tracksGeneration: true,
      allowsUnconditionalUpdate: false,
    },
  ])
  t.equal(kinds[1]?.deprecation, undefined)
  t.equal(kinds[0]?.storageVersionHash, kinds[1]?.storageVersionHash)
})

test('a definition that terminates takes no new objects', async (t) => {
  const conditions = [{ type: 'Terminating', status: 'True' }]
  const [kind] = kindsOfDefinition(definition({ status: { conditions } }))
  t.notOk(kind?.verbs.includes('create'))
  t.ok(kind?.verbs.includes('update'), 'finalizers must be able to go')
})

test('names that were accepted are served, not those that are asked for', async (t) => {
  const acceptedNames = { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' }
  const crd = definition({
    spec: { names: { plural: 'widgets', kind: 'Widget', shortNames: ['po'] } },
    status: { acceptedNames },
  })
  t.same(kindsOfDefinition(crd)[0]?.shortNames, [])
})

test('with the status subresource the status moves alone', async (t) => {
  const kind = widgetKind({ type: 'object' }, { subresources: { status: {} } })
  const old = widget({ a: 1 }, { status: { b: 1 } })
  t.same(kind.prepareCreate(old)['status'], undefined)
  t.same(
    kind.prepareUpdate(widget({ a: 2 }, { status: { b: 2 } }), old),
    widget({ a: 2 }, { status: { b: 1 } }),
  )
  const status = kind.subresources.find(({ name }) => name === 'status')
  const submitted: KubeObject = {
    ...widget({ a: 2 }, { status: { b: 2 } }),
    metadata: { name: 'first', namespace: 'default', labels: { a: 'b' } },
  }
  t.same(status?.merge?.(submitted, old), widget({ a: 1 }, { status: { b: 2 } }))
})

test('without the status subresource the status is a field like any other', async (t) => {
  const kind = widgetKind({ type: 'object' })
  t.same(kind.subresources, [])
  t.same(kind.prepareCreate(widget({}, { status: { b: 1 } }))['status'], { b: 1 })
})

test('the scale subresource reads counts only', async (t) => {
  const scale = {
    specReplicasPath: '.spec.n',
    statusReplicasPath: '.status.n',
    labelSelectorPath: '.status.selector',
  }
  const any = { 'x-kubernetes-preserve-unknown-fields': true }
  const root = { properties: { spec: { type: 'object', ...any }, status: { type: 'object', ...any } } }
  const kind = widgetKind({}, { subresources: { status: {}, scale } }, root)
  t.match(kind.subresources[1], {
    name: 'scale',
    scale: { specReplicas: 'spec.n', statusReplicas: 'status.n', labelSelector: 'status.selector' },
  })
  const texts = (spec: unknown) =>
    kind.validateCreate(widget(spec)).map(({ field, message }) => `${field}: ${message}`)
  t.same(texts({ n: 3 }), [])
  t.same(texts({ n: -1 }), ['.spec.n: Invalid value: -1: should be a non-negative integer'])
  t.match(texts({ n: 'x' }), [/^.spec.n: Invalid value: 0: .spec.n accessor error/])
})

const now = Date.parse('2026-01-02T00:00:00Z')
const object = widget(
  { size: 3, 'odd.key': 'odd', parts: [{ name: 'a' }, { name: 'b' }], ready: true, ratio: 0.5 },
  {
    metadata: { name: 'first', creationTimestamp: '2026-01-01T23:55:00Z', annotations: { 'a.b/c': 'note' } },
    status: {
      conditions: [
        { type: 'Other', status: 'Unknown' },
        { type: 'Ready', status: 'True', at: '2026-01-01T00:00:00Z' },
      ],
    },
  },
)

const columnCases: readonly { type: string; jsonPath: string; cell: unknown }[] = [
  { type: 'integer', jsonPath: '.spec.size', cell: 3 },
  { type: 'string', jsonPath: '.spec.size', cell: '3' },
  { type: 'number', jsonPath: '.spec.ratio', cell: 0.5 },
  { type: 'boolean', jsonPath: '.spec.ready', cell: true },
  { type: 'integer', jsonPath: '.spec.ready', cell: null },
  { type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status', cell: 'True' },
  { type: 'string', jsonPath: ".status.conditions[?(@.type=='Nothing')].status", cell: null },
  { type: 'date', jsonPath: '.status.conditions[?(@.type=="Ready")].at', cell: '24h' },
  { type: 'date', jsonPath: '.metadata.creationTimestamp', cell: '5m' },
  { type: 'date', jsonPath: '.metadata.name', cell: '<invalid>' },
  { type: 'string', jsonPath: '.spec.parts[0].name', cell: 'a' },
  { type: 'string', jsonPath: '.spec.parts[-1].name', cell: 'b' },
  { type: 'string', jsonPath: '.spec.parts[5].name', cell: null },
  { type: 'string', jsonPath: '.spec.parts[*].name', cell: 'a' },
  { type: 'string', jsonPath: '.spec.parts', cell: '[{"name":"a"},{"name":"b"}]' },
  { type: 'string', jsonPath: ".spec['odd.key']", cell: 'odd' },
  { type: 'string', jsonPath: '.spec.odd\\.key', cell: 'odd' },
  { type: 'string', jsonPath: '.metadata.annotations.a\\.b/c', cell: 'note' },
  { type: 'string', jsonPath: '..name', cell: 'first' },
  { type: 'string', jsonPath: '.spec.missing', cell: null },
  { type: 'string', jsonPath: '.spec[', cell: null },
]

test('printer columns read JSONPath as upstream does', async (t) => {
  for (const { type, jsonPath, cell } of columnCases) {
    const kind = widgetKind({}, { additionalPrinterColumns: [{ name: 'One', type, jsonPath }] })
    t.same(kind.cells(object, now), ['first', cell], `${type} ${jsonPath}`)
  }
})

test('without columns of its own a resource shows its age', async (t) => {
  const kind = widgetKind({})
  t.same(
    kind.columns.map(({ name }) => name),
    ['Name', 'Age'],
  )
  t.same(kind.cells(object, now), ['first', '5m'])
})

test('selectable fields are read as text', async (t) => {
  const kind = widgetKind({}, { selectableFields: [{ jsonPath: '.spec.size' }, { jsonPath: '.spec.none' }] })
  t.equal(kind.selectableFields['spec.size']?.(object), '3')
  t.equal(kind.selectableFields['spec.none']?.(object), '')
})
