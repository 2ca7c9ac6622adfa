import { test } from 'tap'
import { applyPatch } from '../../src/api/apply/apply.ts'
import { fromFieldsV1, toFieldsV1 } from '../../src/api/apply/fields.ts'
import { fromScaleEntries, toScaleEntries } from '../../src/api/apply/scale.ts'
import { trackUpdate } from '../../src/api/apply/update.ts'
import { checkFields } from '../../src/api/codec.ts'
import type { Json, KubeObject } from '../../src/api/object.ts'
import type { Schema } from '../../src/api/schema.ts'
import { deepFreeze } from '../../src/api/stored.ts'
import { schemaOf } from '../../src/kinds/facts/schema.ts'

const schema = schemaOf('io.k8s.api.apps.v1.Deployment')
const names = { apiVersion: 'apps/v1', kind: 'Deployment' }
const write = { schema, apiVersion: 'apps/v1', subresource: '', now: Date.UTC(2026, 0, 1) }
const later = { ...write, now: write.now + 60_000 }

type Deployment = KubeObject & { readonly spec: { readonly [field: string]: Json } }

const config = (spec: object, metadata: object = {}): Json =>
  ({ ...names, metadata: { name: 'web', namespace: 'default', ...metadata }, spec }) as unknown as Json
const stored = (object: KubeObject): Deployment =>
  deepFreeze({ ...object, metadata: { ...object.metadata, uid: 'u' } }) as Deployment
const apply = (
  live: KubeObject | undefined,
  patch: Json,
  manager: string,
  more: { readonly force?: boolean } & Partial<typeof write> = {},
): Deployment =>
  stored(
    applyPatch({
      ...write,
      kind: 'Deployment',
      live,
      patch: deepFreeze(patch),
      manager,
      force: false,
      ...more,
    }).object,
  )
const update = (live: KubeObject | undefined, next: KubeObject, manager: string, more = {}): Deployment =>
  stored(trackUpdate({ ...write, live, next: deepFreeze(next), manager, ...more }))
const owners = (object: KubeObject) =>
  (object.metadata.managedFields ?? []).map(({ manager, operation }) => `${manager} ${operation}`)
const fieldsOf = (object: KubeObject, manager: string) =>
  object.metadata.managedFields?.find((entry) => entry.manager === manager)?.fieldsV1

const container = (name: string, more: object = {}) => ({ name, image: `${name}:1`, ...more })
const pod = (...containers: object[]) => ({ template: { spec: { containers } } })

test('applyPatch() creates the object and its entry', async (t) => {
  const object = apply(undefined, config({ replicas: 1 }), 'me')
  t.strictSame(object.metadata.managedFields, [
    {
      manager: 'me',
      operation: 'Apply',
      apiVersion: 'apps/v1',
      time: '2026-01-01T00:00:00Z',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    },
  ])
})

test('applyPatch() refuses to change what others own, in upstream words', async (t) => {
  const live = apply(undefined, config({ replicas: 1, paused: true }), 'one')
  t.throws(() => apply(live, config({ replicas: 2 }), 'two'), {
    code: 409,
    message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
    status: {
      reason: 'Conflict',
      details: {
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' }],
      },
    },
  })
  const updated = update(live, { ...live, spec: { ...live.spec, replicas: 3 } }, 'kubectl-client-side-apply')
  t.throws(() => apply(updated, config({ replicas: 2 }), 'two'), {
    message:
      'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
  })
  t.throws(() => apply(updated, config({ replicas: 2, paused: false }), 'two'), {
    message:
      'Apply failed with 2 conflicts: conflicts with "kubectl-client-side-apply" using apps/v1:\n- .spec.replicas\nconflicts with "one":\n- .spec.paused',
  })
})

test('applyPatch() shares a field that both set to the same value, and takes it by force', async (t) => {
  const live = apply(undefined, config({ replicas: 1 }), 'one')
  const both = apply(live, config({ replicas: 1 }), 'two')
  t.strictSame(owners(both), ['one Apply', 'two Apply'])
  const forced = apply(both, config({ replicas: 5 }), 'two', { force: true })
  t.equal(forced.spec['replicas'], 5)
  t.strictSame(owners(forced), ['two Apply'])
})

test('applyPatch() removes what only this manager owned and no longer applies', async (t) => {
  const one = apply(
    undefined,
    config(pod(container('a'), container('b')), { labels: { x: '1', y: '1' } }),
    'one',
  )
  const two = apply(one, config(pod({ name: 'b', image: 'b:1' }), { labels: { y: '1' } }), 'two')
  const less = apply(two, config(pod(container('a'))), 'one')
  t.strictSame(less.metadata.labels, { y: '1' })
  t.strictSame(less.spec, pod(container('a'), container('b')))
  const none = apply(less, config({}), 'two')
  t.equal(none.metadata.labels, undefined)
  t.strictSame(none.spec, pod(container('a')))
})

test('applyPatch() keeps what updates set, and what nobody owns', async (t) => {
  const live = apply(undefined, config({ replicas: 1, paused: true }), 'one')
  const scaled = update(live, { ...live, spec: { ...live.spec, replicas: 4 } }, 'hpa')
  const next = apply(scaled, config({ paused: true }), 'one')
  t.equal(next.spec['replicas'], 4)
  t.strictSame(fieldsOf(next, 'hpa'), { 'f:spec': { 'f:replicas': {} } })
})

test('applyPatch() merges associative lists by key and keeps the order of the configuration', async (t) => {
  const live = apply(undefined, config(pod(container('a'), container('b'), container('c'))), 'one')
  const next = apply(
    live,
    config(pod(container('c', { args: ['x'] }), container('a', { image: 'a:1' }))),
    'two',
  )
  t.strictSame(
    (next.spec['template'] as { spec: { containers: { name: string }[] } }).spec.containers.map(
      ({ name }) => name,
    ),
    ['b', 'c', 'a'],
  )
})

test('applyPatch() names list items by their keys, defaults included', async (t) => {
  const ports = [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP' }]
  const live = apply(undefined, config(pod(container('a', { ports }))), 'one')
  t.match(JSON.stringify(fieldsOf(live, 'one')), 'k:{\\"containerPort\\":80,\\"protocol\\":\\"TCP\\"}')
  t.throws(
    () => apply(live, config(pod(container('a', { ports: [...ports, { containerPort: 80 }] }))), 'one'),
    {
      code: 400,
      message:
        'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]',
    },
  )
})

test('applyPatch() refuses what does not fit', async (t) => {
  const live = apply(undefined, config({ replicas: 1 }), 'one')
  t.throws(() => apply(live, config({ foo: 1 }), 'one'), {
    code: 400,
    message:
      'failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema',
  })
  t.throws(() => apply(live, config({}, { managedFields: [] }), 'one'), {
    code: 400,
    message: 'metadata.managedFields must be nil',
  })
  t.throws(() => apply(live, { ...(config({}) as object), apiVersion: 'apps/v2' }, 'one'), {
    code: 400,
    message: 'invalid object type: apps/v2, Kind=Deployment',
  })
})

test('an apply that changes nothing returns the live object itself', async (t) => {
  const patch = config({ replicas: 1, ...pod(container('a')) })
  const live = apply(undefined, patch, 'one')
  t.equal(
    applyPatch({ ...later, kind: 'Deployment', live, patch, manager: 'one', force: false }).object,
    live,
  )
  t.equal(trackUpdate({ ...later, live, next: live, manager: 'two' }), live)
})

test('trackUpdate() gives a writer what it changed, and leaves out what Go sets by itself', async (t) => {
  const object = checkFields(
    {
      ...names,
      metadata: { name: 'web' },
      spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, ...pod(container('a')) },
    },
    schema,
    { version: 'v1', kind: 'Deployment' },
  ).object
  const created = update(undefined, object, 'kubectl-create')
  t.strictSame(fieldsOf(created, 'kubectl-create'), {
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:template': {
        'f:spec': {
          'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {}, 'f:resources': {} } },
        },
      },
    },
  })
})

test('trackUpdate() keeps entries that a client left out, and forgets all when it is asked to', async (t) => {
  const live = apply(undefined, config({ replicas: 1 }), 'one')
  const { managedFields: _, ...metadata } = live.metadata
  t.strictSame(owners(update(live, { ...live, metadata }, 'two')), ['one Apply'])
  t.equal(
    update(live, { ...live, metadata: { ...metadata, managedFields: [{}] } }, 'two').metadata.managedFields,
    undefined,
  )
  t.equal(
    update(live, { ...live, metadata: { ...metadata, managedFields: [] } }, 'two').metadata.managedFields,
    undefined,
  )
  const garbled = { ...metadata, managedFields: [{ manager: 'x', operation: 'Explode' }] }
  t.strictSame(owners(update(live, { ...live, metadata: garbled }, 'two')), ['one Apply'])
})

test('trackUpdate() leaves objects alone that were never tracked', async (t) => {
  const live = stored({ ...names, metadata: { name: 'web' }, spec: { replicas: 1 } })
  const next = update(live, { ...live, spec: { replicas: 2 } }, 'two')
  t.equal(next.metadata.managedFields, undefined)
  const applied = apply(next, config({ paused: true }), 'one')
  t.strictSame(owners(applied), ['one Apply', 'before-first-apply Update'])
})

test('nobody owns what an endpoint resets, and a subresource has an entry of its own', async (t) => {
  const live = update(
    undefined,
    { ...names, metadata: { name: 'web' }, spec: { replicas: 1 }, status: {} },
    'one',
    {
      resetFields: ['status'],
    },
  )
  const next = update(
    live,
    { ...live, spec: { replicas: 9 }, status: { replicas: 1 } },
    'kube-controller-manager',
    {
      subresource: 'status',
      resetFields: ['spec'],
    },
  )
  const [status] = (next.metadata.managedFields ?? []).filter(({ subresource }) => subresource === 'status')
  t.strictSame(status?.fieldsV1, { 'f:status': { 'f:replicas': {} } })
  t.strictSame(fieldsOf(next, 'one'), { 'f:spec': { 'f:replicas': {} } })
})

test('more than ten updaters are merged into ancient-changes', async (t) => {
  let object = update(undefined, { ...names, metadata: { name: 'web', labels: { l0: '1' } } }, 'u0')
  for (let index = 1; index <= 12; index++) {
    const labels = { ...object.metadata.labels, [`l${index}`]: '1' }
    object = update(
      object,
      { ...object, metadata: { ...object.metadata, labels } },
      `u${String(index).padStart(2, '0')}`,
      {
        now: write.now + index * 1_000,
      },
    )
  }
  t.equal(object.metadata.managedFields?.length, 10)
  t.strictSame(fieldsOf(object, 'ancient-changes'), {
    'f:metadata': { 'f:labels': { '.': {}, 'f:l0': {}, 'f:l1': {}, 'f:l2': {}, 'f:l3': {} } },
  })
})

test('kubectl takes over what its client-side apply had set, and keeps that annotation in step', async (t) => {
  const applied = { ...names, metadata: { name: 'web', namespace: 'default' }, spec: { replicas: 1 } }
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(applied) }
  const live = update(
    undefined,
    { ...applied, metadata: { ...applied.metadata, annotations } },
    'kubectl-client-side-apply',
  )
  const next = apply(live, config({ replicas: 2 }), 'kubectl')
  t.equal(next.spec['replicas'], 2)
  t.equal(
    next.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'],
    '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"default"},"spec":{"replicas":2}}\n',
  )
  t.throws(() => apply(live, config({ replicas: 2 }), 'flux'), { code: 409 })
})

test('without a schema maps are merged and lists are one field', async (t) => {
  const custom = { ...write, schema: undefined, apiVersion: 'example.com/v1' }
  const patch = (spec: object): Json =>
    ({ apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' }, spec }) as unknown as Json
  const put = (live: KubeObject | undefined, spec: object, manager: string) =>
    stored(applyPatch({ ...custom, kind: 'Thing', live, patch: patch(spec), manager, force: false }).object)
  const live = put(undefined, { map: { a: 1 }, list: [{ name: 'x' }] }, 'one')
  t.strictSame(fieldsOf(live, 'one'), {
    'f:spec': { '.': {}, 'f:list': {}, 'f:map': { '.': {}, 'f:a': {} } },
  })
  t.strictSame(put(live, { map: { b: 2 } }, 'two').spec, { map: { a: 1, b: 2 }, list: [{ name: 'x' }] })
  t.throws(() => put(live, { list: [] }, 'two'), { code: 409 })
  t.strictSame(put(live, { map: { a: 1 } }, 'one').spec, { map: { a: 1 } })
})

test('a list that became atomic is owned whole by those who owned parts', async (t) => {
  const list = (listType: 'atomic' | 'map'): Schema => ({
    type: 'object',
    properties: new Map<string, Schema>([
      [
        'spec',
        {
          type: 'object',
          properties: new Map<string, Schema>([
            [
              'items',
              {
                type: 'array',
                listType,
                listMapKeys: ['name'],
                items: { type: 'object', properties: new Map([['name', { type: 'string' }]]) },
              },
            ],
          ]),
        },
      ],
    ]),
  })
  const patch = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, spec: { items: [{ name: 'x' }] } }
  const put = (live: KubeObject | undefined, listType: 'atomic' | 'map', manager: string) =>
    stored(
      applyPatch({
        ...write,
        apiVersion: 'v1',
        schema: list(listType),
        kind: 'Thing',
        live,
        patch,
        manager,
        force: false,
      }).object,
    )
  const live = put(undefined, 'map', 'one')
  t.strictSame(fieldsOf(live, 'one'), {
    'f:spec': { 'f:items': { 'k:{"name":"x"}': { '.': {}, 'f:name': {} } } },
  })
  t.strictSame(fieldsOf(put(live, 'atomic', 'two'), 'one'), { 'f:spec': { 'f:items': {} } })
})

test('field sets survive their wire form', async (t) => {
  const wire = {
    'f:spec': {
      '.': {},
      'f:a': {},
      'k:{"name":"x","port":1}': { '.': {}, 'f:name': {} },
      'v:"z"': {},
      'v:1': {},
    },
  }
  t.strictSame(toFieldsV1(fromFieldsV1(wire)), wire)
  t.strictSame(toFieldsV1(fromFieldsV1({ 'k:{"b":1,"a":2}': {}, 'q:unknown': {}, 'k:broken': {} })), {
    'k:{"a":2,"b":1}': {},
  })
})

test('the owner of the replica count is the same through the scale', async (t) => {
  const paths = { 'apps/v1': 'spec.replicas' }
  const live = apply(undefined, config({ replicas: 1, paused: true }), 'one')
  const entries = toScaleEntries(live.metadata.managedFields, paths)
  t.match(entries, [
    { manager: 'one', apiVersion: 'autoscaling/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
  ])
  const stolen = fromScaleEntries({
    entries: live.metadata.managedFields,
    scaleEntries: [
      {
        manager: 'hpa',
        operation: 'Update',
        apiVersion: 'autoscaling/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        subresource: 'scale',
      },
    ],
    paths,
    apiVersion: 'apps/v1',
  })
  t.match(stolen, [
    { manager: 'one', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    { manager: 'hpa', operation: 'Update', apiVersion: 'apps/v1', subresource: 'scale' },
  ])
})
