import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { fieldsOf } from '../../src/kinds/fields.ts'
import { pod } from '../../src/kinds/pods/pod.ts'
import { created, errorTexts } from './errors.ts'

const old = created(pod, {
  metadata: { uid: 'u', labels: { a: '1' } },
  spec: { containers: [{ name: 'a', image: 'x:1' }], tolerations: [{ key: 'a', operator: 'Exists' }] },
})
const spec = fieldsOf(old['spec'])
const withSpec = (change: object): KubeObject => ({ ...old, spec: { ...spec, ...change } })
const errorsOf = (change: object) => errorTexts(pod.validateUpdate(withSpec(change), old))
const [container] = spec['containers'] as readonly object[]

const allowed: Readonly<Record<string, object>> = {
  nothing: {},
  'an image': { containers: [{ ...container, image: 'x:2' }] },
  'a deadline': { activeDeadlineSeconds: 5 },
  'one more toleration': {
    tolerations: [
      { key: 'a', operator: 'Exists' },
      { key: 'b', operator: 'Exists' },
    ],
  },
}

for (const [what, change] of Object.entries(allowed)) {
  test(`${what} may change`, async (t) => {
    t.same(errorsOf(change), [])
  })
}

test('a field that may not change is named, after the list of those that may', async (t) => {
  const [error] = errorsOf({ nodeName: 'b' })
  t.ok(
    error?.startsWith(
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n',
    ),
  )
  t.match(error, /nodeName: "b"/)
})

test('containers are neither added nor removed', async (t) => {
  t.match(errorsOf({ containers: [container, { ...container, name: 'b' }] }), [
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ])
})

test('a toleration is not taken away', async (t) => {
  t.match(errorsOf({ tolerations: [] }), [
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ])
})

test('an update keeps the status', async (t) => {
  t.same(pod.prepareUpdate({ ...old, status: { phase: 'Running' } }, old)['status'], old['status'])
})

const subresource = (name: string) => pod.subresources.find((one) => one.name === name)

test('a status write takes status and metadata, and keeps the spec, the owners and the class', async (t) => {
  const merged = subresource('status')?.merge?.(
    {
      ...old,
      metadata: { ...old.metadata, uid: 'other', labels: { a: '2' }, ownerReferences: [] },
      spec: {},
      status: { phase: 'Running' },
    },
    old,
  )
  t.same(merged?.['spec'], spec)
  t.same(merged?.['status'], { phase: 'Running', qosClass: 'BestEffort' })
  t.equal(merged?.metadata.uid, 'u')
  t.same(merged?.metadata.labels, { a: '2' })
  t.equal(merged?.metadata.ownerReferences, undefined)
})

test('a container that ended for good does not run again', async (t) => {
  const statusOf = (state: object) => ({ ...old, status: { containerStatuses: [{ name: 'a', state }] } })
  const ended: KubeObject = {
    ...statusOf({ terminated: { exitCode: 1 } }),
    spec: { ...spec, restartPolicy: 'Never' },
  }
  t.same(errorTexts(subresource('status')?.validate?.(statusOf({ running: {} }), ended) ?? []), [
    'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
  ])
})

test('ephemeral containers are added through their subresource and never removed', async (t) => {
  const extra = { name: 'debug', image: 'x:1' }
  const merge = subresource('ephemeralcontainers')?.merge
  const first = merge?.(withSpec({ ephemeralContainers: [extra], nodeName: 'ignored' }), old) as KubeObject
  t.same(fieldsOf(first['spec'])['ephemeralContainers'], [extra])
  t.equal(fieldsOf(first['spec'])['nodeName'], undefined)
  const errors = subresource('ephemeralcontainers')?.validate?.(old, first) ?? []
  t.same(errorTexts(errors), [
    'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
  ])
})
