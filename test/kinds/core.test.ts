import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { configMap } from '../../src/kinds/core/config-map.ts'
import { endpoints } from '../../src/kinds/core/endpoints.ts'
import { event } from '../../src/kinds/core/event.ts'
import { limitRange } from '../../src/kinds/core/limit-range.ts'
import { namespace } from '../../src/kinds/core/namespace.ts'
import { node } from '../../src/kinds/core/node.ts'
import { persistentVolume } from '../../src/kinds/core/persistent-volume.ts'
import { persistentVolumeClaim } from '../../src/kinds/core/persistent-volume-claim.ts'
import { replicationController } from '../../src/kinds/core/replication-controller.ts'
import { resourceQuota } from '../../src/kinds/core/resource-quota.ts'
import { secret } from '../../src/kinds/core/secret.ts'
import { at } from '../../src/kinds/fields.ts'
import { changed, created, createErrors, errorTexts, updateErrors } from './errors.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a namespace gets its finalizer, its label and its phase', async (t) => {
  const object = created(namespace, { status: { phase: 'Terminating' } })
  t.same(object['spec'], { finalizers: ['kubernetes'] })
  t.same(object['status'], { phase: 'Active' })
  t.same(object.metadata.labels, { 'kubernetes.io/metadata.name': 'a' })
})

test('an update of a namespace leaves its finalizers alone, finalize changes them', async (t) => {
  const old = created(namespace, {})
  t.same(changed(namespace, old, { spec: { finalizers: [] } })['spec'], old['spec'])
  const finalize = namespace.subresources.find((one) => one.name === 'finalize')
  const merged = finalize?.merge?.({ ...old, spec: { finalizers: [] }, status: {} }, old)
  t.same(merged?.['spec'], { finalizers: [] })
  t.same(merged?.['status'], old['status'])
})

test('a namespace says which finalizers are none', async (t) => {
  t.same(createErrors(namespace, { spec: { finalizers: ['mine'] } }), [
    'spec.finalizers: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
  ])
})

test('a namespace is Terminating exactly when it is being deleted', async (t) => {
  const status = namespace.subresources.find((one) => one.name === 'status')
  const old = created(namespace, {})
  const object: KubeObject = { ...old, status: { phase: 'Terminating' } }
  t.same(errorTexts(status?.validate?.(object, old) ?? []), [
    'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
  ])
})

test('keys of config maps are file names, and stand in one bag only', async (t) => {
  t.same(createErrors(configMap, { data: { a: 'x' }, binaryData: { a: base64('y') } }), [
    'data[a]: Invalid value: "a": duplicate of key present in binaryData',
  ])
  t.match(createErrors(configMap, { data: { 'a/b': 'x' } }), [
    /^data\[a\/b\]: Invalid value: "a\/b": a valid config key/,
  ])
})

test('a config map holds a mebibyte and no more', async (t) => {
  t.same(createErrors(configMap, { data: { a: 'x'.repeat(1024 * 1024) } }), [])
  t.same(createErrors(configMap, { data: { a: 'x'.repeat(1024 * 1024 + 1) } }), [
    '[]: Too long: may not be more than 1048576 bytes',
  ])
})

test('an immutable config map keeps its data and its flag', async (t) => {
  const detail = 'Forbidden: field is immutable when `immutable` is set'
  t.same(
    updateErrors(configMap, { immutable: true, data: { a: '1' } }, { immutable: false, data: { a: '2' } }),
    [`immutable: ${detail}`, `data: ${detail}`],
  )
  t.same(
    updateErrors(configMap, { immutable: true, data: { a: '1' } }, { metadata: { name: 'a', labels: {} } }),
    [],
  )
})

test('the texts of a secret become data and win over it', async (t) => {
  const object = created(secret, { data: { a: base64('old'), b: base64('b') }, stringData: { a: 'new' } })
  t.same(object['data'], { a: base64('new'), b: base64('b') })
  t.notOk('stringData' in object)
  t.equal(object['type'], 'Opaque')
})

const secretTypes: readonly (readonly [string, object, readonly string[]])[] = [
  ['kubernetes.io/tls', {}, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
  ['kubernetes.io/basic-auth', {}, ['data[username]: Required value', 'data[password]: Required value']],
  ['kubernetes.io/basic-auth', { data: { username: '' } }, []],
  ['kubernetes.io/ssh-auth', {}, ['data[ssh-privatekey]: Required value']],
  ['kubernetes.io/dockerconfigjson', {}, ['data[.dockerconfigjson]: Required value']],
  [
    'kubernetes.io/dockerconfigjson',
    { stringData: { '.dockerconfigjson': 'no' } },
    ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON'],
  ],
  [
    'kubernetes.io/service-account-token',
    {},
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],
]

for (const [type, fields, expected] of secretTypes) {
  test(`a secret of type ${type} with ${JSON.stringify(fields)} is judged by its type`, async (t) => {
    t.same(createErrors(secret, { type, ...fields }), expected)
  })
}

test('a secret’s type does not change', async (t) => {
  t.same(updateErrors(secret, {}, { type: 'example.com/other' }), [
    'type: Invalid value: "example.com/other": field is immutable',
  ])
})

test('endpoints announce no address of the machine itself', async (t) => {
  const subsets = [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ port: 80 }] }]
  t.same(createErrors(endpoints, { subsets }), [
    'subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ])
})

test('endpoints are shown as three addresses and a count', async (t) => {
  const addresses = ['1', '2', '3', '4'].map((last) => ({ ip: `10.0.0.${last}` }))
  const [, shown] = endpoints.cells({ metadata: {}, subsets: [{ addresses, ports: [{ port: 80 }] }] }, 0)
  t.equal(shown, '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...')
})

test('an event is shown by what it is about', async (t) => {
  const now = Date.parse('2026-01-01T00:01:00Z')
  const object: KubeObject = {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', name: 'a' },
    type: 'Normal',
    reason: 'Started',
    message: ' Started container ',
    lastTimestamp: '2026-01-01T00:00:00Z',
    source: { component: 'kubelet', host: 'n' },
  }
  t.same(event.cells(object, now), [
    '60s',
    'Normal',
    'Started',
    'pod/a',
    '',
    'kubelet, n',
    'Started container',
    '<unknown>',
    1,
    'e',
  ])
  t.equal(event.selectableFields['involvedObject.name']?.(object), 'a')
  t.equal(event.selectableFields['source']?.(object), 'kubelet')
})

test('an event lives in the namespace of what it is about', async (t) => {
  t.same(createErrors(event, { involvedObject: { kind: 'Pod', namespace: 'other' } }), [
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ])
})

test('a node keeps the status it registers with, and its row tells how it is', async (t) => {
  const status = { conditions: [{ type: 'Ready', status: 'True' }], capacity: { cpu: '4' } }
  const object = created(node, {
    metadata: { labels: { 'node-role.kubernetes.io/control-plane': '' } },
    spec: { unschedulable: true },
    status,
  })
  t.same(at(object, 'status', 'allocatable'), { cpu: '4' })
  t.match(node.cells(object, 0), ['a', 'Ready,SchedulingDisabled', 'control-plane'])
})

test('a claim asks for storage and says how it is used', async (t) => {
  t.same(createErrors(persistentVolumeClaim, { spec: {} }), [
    'spec.accessModes: Required value: at least 1 access mode is required',
    'spec.resources[storage]: Required value',
  ])
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  t.same(createErrors(persistentVolumeClaim, { spec }), [])
})

test('a claim is bound once and grows only when bound', async (t) => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const larger = { ...spec, volumeMode: 'Filesystem', resources: { requests: { storage: '2Gi' } } }
  t.same(updateErrors(persistentVolumeClaim, { spec }, { spec: { ...spec, volumeName: 'v' } }), [])
  t.match(updateErrors(persistentVolumeClaim, { spec }, { spec: larger }), [
    /^spec: Forbidden: spec is immutable after creation except resources\.requests/,
  ])
  const bound: KubeObject = { ...created(persistentVolumeClaim, { spec }), status: { phase: 'Bound' } }
  t.same(errorTexts(persistentVolumeClaim.validateUpdate({ ...bound, spec: larger }, bound)), [])
})

test('a persistent volume has one source', async (t) => {
  const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } }
  t.same(createErrors(persistentVolume, { spec }), ['spec: Required value: must specify a volume type'])
  t.same(createErrors(persistentVolume, { spec: { ...spec, hostPath: { path: '/a' } } }), [])
})

test('a replication controller takes its selector from its template', async (t) => {
  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } }
  const object = created(replicationController, { spec: { template } })
  t.same(at(object, 'spec', 'selector'), { app: 'a' })
  t.same(object.metadata.labels, { app: 'a' })
  t.equal(at(object, 'spec', 'replicas'), 1)
})

test('a limit range fills its lists from each other', async (t) => {
  const object = created(limitRange, { spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] } })
  t.same(at(object, 'spec', 'limits'), [
    { type: 'Container', max: { cpu: '2' }, default: { cpu: '2' }, defaultRequest: { cpu: '2' } },
  ])
})

test('a limit range whose lowest is above its highest is refused', async (t) => {
  const limits = [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }]
  t.same(createErrors(limitRange, { spec: { limits } }), [
    'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
  ])
})

test('a quota counts in whole numbers and keeps its scopes', async (t) => {
  t.same(createErrors(resourceQuota, { spec: { hard: { pods: '1500m' } } }), [
    'spec.hard[pods]: Invalid value: "1500m": must be an integer',
  ])
  t.same(updateErrors(resourceQuota, { spec: {} }, { spec: { scopes: ['BestEffort'] } }), [
    'spec.scopes: Invalid value: ["BestEffort"]: field is immutable',
  ])
})
