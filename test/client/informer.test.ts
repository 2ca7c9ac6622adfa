import { test } from 'tap'
import { expired, serviceUnavailable } from '../../src/api/status.ts'
import { createInProcessClient } from '../../src/client/in-process.ts'
import { type Change, createInformer } from '../../src/client/informer.ts'
import { configMaps } from '../../src/client/resources.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { FakeDoor } from './fake-door.ts'

function setUp() {
  const door = new FakeDoor()
  const clock = new FakeClock()
  const client = createInProcessClient({ door, user: { name: 'loop', groups: [] }, userAgent: 'test/1' })
  const random = seededRandom(1)
  const make = (name: string, labels: Record<string, string> = {}) =>
    client.create(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'a', labels },
    })
  const start = () =>
    createInformer({
      client,
      resource: configMaps,
      clock,
      random,
      indexes: {
        color: ({ header }) => (header.labels['color'] === undefined ? [] : [header.labels['color']]),
      },
    })
  return { door, clock, client, make, start }
}

test('an informer lists, follows, and forgets what is deleted', async (t) => {
  const { clock, client, make, start } = setUp()
  await make('one', { color: 'red' })
  await using informer = start()
  const told: string[] = []
  const show = ({ key, current, previous }: Change<unknown>) =>
    told.push(`${key} ${previous ? 'old' : ''}${current ? 'new' : ''}`)
  await informer.synced
  informer.on(show)
  await make('two', { color: 'blue' })
  await client.patch(
    configMaps,
    { namespace: 'a', name: 'two' },
    { type: 'merge', body: { metadata: { labels: { color: 'red' } } } },
  )
  await clock.advance(0)
  t.same(
    informer
      .byIndex('color', 'red')
      .map((found) => found.metadata.name)
      .sort(),
    ['one', 'two'],
  )
  t.same(informer.byIndex('color', 'blue'), [])
  await client.delete(configMaps, { namespace: 'a', name: 'one' })
  await clock.advance(0)
  t.equal(informer.get('a', 'one'), undefined)
  t.same(told, ['a/one new', 'a/two new', 'a/two oldnew', 'a/one old'])
})

test('a list that fails leaves the copy as it is, and is tried again', async (t) => {
  const { door, clock, make, start } = setUp()
  await make('one')
  await using informer = start()
  await informer.synced
  door.refuse = () => {
    throw serviceUnavailable('down')
  }
  door.compactedRevision = 100
  door.endWatches()
  await clock.advance(500)
  t.equal(informer.list().length, 1)
  t.match(informer.failure, { code: 503 })
  door.refuse = () => undefined
  door.compactedRevision = 0
  await clock.advance(60_000)
  await make('two')
  await clock.advance(0)
  t.equal(informer.list().length, 2)
  t.equal(informer.failure, undefined)
})

test('an informer resumes where a watch ended, and lists again only when that is forgotten', async (t) => {
  const { door, clock, client, make, start } = setUp()
  await make('one')
  await using informer = start()
  await informer.synced
  await clock.advance(0)
  await make('two')
  await clock.advance(0)
  door.endWatches()
  await clock.advance(1_000)
  t.equal(door.calls.filter((call) => call.verb === 'list').length, 1)
  t.equal(door.calls.filter((call) => call.verb === 'watch').at(-1)?.options.resourceVersion, '2')

  let isForgotten = true
  door.refuse = ({ verb }) => {
    if (verb === 'watch' && isForgotten) {
      isForgotten = false
      throw expired('too old')
    }
  }
  door.endWatches()
  await client.delete(configMaps, { namespace: 'a', name: 'one' })
  await clock.advance(60_000)
  t.equal(door.calls.filter((call) => call.verb === 'list').length, 2)
  t.same(informer.keys(), ['a/two'])
})

test('a silent watch is taken for dead and opened again', async (t) => {
  const { door, clock, start } = setUp()
  await using informer = start()
  await informer.synced
  await clock.advance(0)
  t.equal(door.calls.filter((call) => call.verb === 'watch').length, 1)
  await clock.advance(181_000)
  t.equal(door.calls.filter((call) => call.verb === 'watch').length, 2)
})

test('an informer that is stopped before its first list rejects whoever waits', async (t) => {
  const { door, start } = setUp()
  door.refuse = () => {
    throw serviceUnavailable('down')
  }
  const informer = start()
  await informer[Symbol.asyncDispose]()
  await t.rejects(informer.synced)
})
