import { test } from 'tap'
import {
  addFinalizer,
  type Condition,
  controllerOf,
  controllerReference,
  dedupeOwnerReferences,
  isControlledBy,
  removeFinalizer,
  setCondition,
  setOwner,
  withAnnotations,
  withLabels,
  withMeta,
} from '../../src/api/meta.ts'
import type { KubeObject } from '../../src/api/object.ts'
import { deepFreeze } from '../../src/api/stored.ts'

const object: KubeObject = deepFreeze({
  metadata: { name: 'a', labels: { x: '1' }, finalizers: ['k.io/a'] },
  spec: {},
})
const owner: KubeObject = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'o', uid: 'u' } }

test('changes that change nothing return the same object', async (t) => {
  t.equal(withMeta(object, { name: 'a' }), object)
  t.equal(withLabels(object, { x: '1' }), object)
  t.equal(addFinalizer(object, 'k.io/a'), object)
  t.equal(removeFinalizer(object, 'k.io/b'), object)
})

test('changes copy the path and share the rest', async (t) => {
  const next = withAnnotations(withLabels(object, { y: '2' }), { z: '3' })
  t.strictSame(next.metadata, { ...object.metadata, labels: { x: '1', y: '2' }, annotations: { z: '3' } })
  t.equal(next['spec'], object['spec'])
  t.notOk('finalizers' in removeFinalizer(object, 'k.io/a').metadata)
  t.strictSame(addFinalizer(object, 'k.io/b').metadata.finalizers, ['k.io/a', 'k.io/b'])
})

test('an owner is set once', async (t) => {
  const owned = setOwner(
    setOwner(object, { ...controllerReference(owner), controller: false }),
    controllerReference(owner),
  )
  t.equal(owned.metadata.ownerReferences?.length, 1)
  t.equal(controllerOf(owned)?.uid, 'u')
  t.ok(isControlledBy(owned, owner))
})

test('repeated owner references are dropped with a warning', async (t) => {
  const reference = controllerReference(owner)
  const { object: next, warnings } = dedupeOwnerReferences(
    withMeta(object, { ownerReferences: [reference, { ...reference }] }),
  )
  t.strictSame(next.metadata.ownerReferences, [reference])
  t.match(warnings, [/duplicate UID\(s\) observed: u$/])
})

test('a condition moves its transition time only with its status', async (t) => {
  const at = (seconds: number) => Date.UTC(2026, 0, 1, 0, 0, seconds)
  const ready: Condition = { type: 'Ready', status: 'True', reason: 'A' }
  const first = setCondition([], ready, at(0))
  t.equal(setCondition(first, ready, at(1)), first)
  t.strictSame(setCondition(first, { ...ready, reason: 'B' }, at(1)), [
    { ...ready, reason: 'B', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ])
  t.equal(
    setCondition(first, { ...ready, status: 'False' }, at(2))[0]?.lastTransitionTime,
    '2026-01-01T00:00:02Z',
  )
})
