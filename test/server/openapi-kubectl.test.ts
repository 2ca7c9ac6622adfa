// What kubectl can only do with OpenAPI version 2 as protobuf: lists, and kinds that are not served.
// The document itself is compared in discovery.test.ts.

import t from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

t.test('kubectl is told that a kind is not served instead of failing to read the schema', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  const unknown = await plane.kubectl(
    'apply -f -',
    JSON.stringify({ apiVersion: 'nobody.example/v1', kind: 'Nope', metadata: { name: 'a' } }),
  )
  t.equal(unknown.code, 1)
  t.match(unknown.stderr, 'no matches for kind "Nope" in version "nobody.example/v1"')
})

t.test('kubectl applies a List with validation, and finds the wrong field in it', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  const listOf = (item: object) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, ...item }],
    })
  t.match(await plane.ok('apply -f -', listOf({ data: { a: 'b' } })), 'configmap/one created')
  const wrong = await plane.kubectl('apply -f -', listOf({ daata: { a: 'b' } }))
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, 'unknown field "daata"')
})

t.test('a conversation that nobody serves is refused by name, whatever the body', async (t) => {
  await using plane = await startTestPlane({ runsControllers: false })
  await plane.ok('create serviceaccount default')
  await plane.ok('run web --image=web')
  const { stderr } = await plane.kubectl('exec web -- ls')
  t.match(stderr, 'pods/exec is not served by this control plane')
})
