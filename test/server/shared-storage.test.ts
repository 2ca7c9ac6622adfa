// One storage, two groups: events.k8s.io shows the core group's events under other field names.
// What kubectl prints of them is core/v1's; validation is compared here by its reasons.

import t from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

const event = {
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: 'one', namespace: 'default' },
  eventTime: '2026-01-02T03:04:05.000006Z',
  reportingController: 'example.com/controller',
  reportingInstance: 'instance',
  action: 'Testing',
  reason: 'Tested',
  type: 'Normal',
  regarding: { apiVersion: 'v1', kind: 'Namespace', name: 'default' },
  note: 'what happened',
}

t.test(
  'an event of events.k8s.io is an event of the core group, in lists, watches and deletes',
  async (t) => {
    await using plane = await startTestPlane({ runsControllers: false })
    await plane.ok('create -f -', JSON.stringify(event))
    const core = JSON.parse(await plane.ok('get --raw /api/v1/namespaces/default/events/one'))
    t.match(core, {
      apiVersion: 'v1',
      message: 'what happened',
      reportingComponent: 'example.com/controller',
      involvedObject: { name: 'default' },
    })
    const path = '/apis/events.k8s.io/v1/namespaces/default/events'
    const selector = 'fieldSelector=regarding.name%3Ddefault,reason%3DTested'
    const list = JSON.parse(await plane.ok(`get --raw ${path}?${selector}`))
    t.match(list, { kind: 'EventList', apiVersion: 'events.k8s.io/v1', items: [{ note: 'what happened' }] })
    const none = JSON.parse(await plane.ok(`get --raw ${path}?fieldSelector=regarding.name%3Dother`))
    t.same(none.items, [])
    t.match(await plane.ok('events'), 'what happened')
    const watched = await plane.ok(`get --raw ${path}?watch=true&timeoutSeconds=1`)
    t.match(JSON.parse(watched.split('\n')[0] ?? ''), {
      type: 'ADDED',
      object: { apiVersion: 'events.k8s.io/v1', note: 'what happened' },
    })
    await plane.ok('delete events.v1.events.k8s.io one')
    t.equal((await plane.kubectl('get --raw /api/v1/namespaces/default/events/one')).code, 1)
  },
)

t.test('events.k8s.io holds events to more than the core group does', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  const { eventTime: _, ...timeless } = event
  const refused = await plane.kubectl('create -f -', JSON.stringify({ ...timeless, type: 'Odd' }))
  t.match(refused.stderr, 'eventTime: Required value')
  t.match(refused.stderr, 'type: Invalid value: "": has invalid value: Odd')
  await plane.ok('create -f -', JSON.stringify(event))
  const changed = await plane.kubectl(`patch events.v1.events.k8s.io one --type=merge -p '{"note":"other"}'`)
  t.match(changed.stderr, 'message: Invalid value: "other": field is immutable')
})

t.test('who writes annotations with the status of a Deployment owns them', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  await plane.ok('create deployment web --image=web')
  const patch = '{"metadata":{"annotations":{"a":"b"},"labels":{"c":"d"}},"status":{"collisionCount":1}}'
  await plane.ok(
    `patch deployment web --subresource=status --field-manager=writer --type=merge -p '${patch}'`,
  )
  const { metadata } = JSON.parse(await plane.ok('get deployment web -o json --show-managed-fields'))
  t.equal(metadata.annotations.a, 'b')
  t.same(metadata.labels, { app: 'web' })
  const [entry] = metadata.managedFields.filter((one: { manager: string }) => one.manager === 'writer')
  t.same(entry.fieldsV1['f:metadata'], { 'f:annotations': { '.': {}, 'f:a': {} } })
  t.same(entry.fieldsV1['f:status']['f:collisionCount'], {})
})
