// What sync deletes, and what it leaves alone: tombstones, foreign objects, lost stores, the brake and the lock.

import t from 'tap'
import type { ConfigMap, Pod } from '../../src/api/models.ts'
import { configMaps, events, pods, services } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { brake } from '../../src/sync/brake.ts'
import { type Identity, ownedMetadata } from '../../src/sync/owner.ts'
import { syncedResources } from '../../src/sync/rights.ts'
import { stateName } from '../../src/sync/state.ts'
import { type Sync, startSync } from '../../src/sync/syncer.ts'
import {
  copyName,
  type Host,
  hostNamespace,
  hostPodOf,
  planeUid,
  runOnHost,
  startHost,
  startOn,
  startTwoWorlds,
  until,
  untilAll,
} from './two-worlds.ts'

const inDefault = (name: string) => ({ namespace: 'default', name })
const onHost = (name: string) => ({ namespace: hostNamespace, name })
const podNamed = (name: string): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
})
const forged = (host: Host, identity: Partial<Identity> & { readonly name: string }) =>
  ownedMetadata(
    { planeUid, hostNamespace, root: host.root },
    { group: '', kind: 'ConfigMap', namespace: 'default', uid: 'forged', ...identity },
  )

/** Sync on a clock of the test's; the plane beside it keeps real time. */
async function startOnClock(host: Host, clock: FakeClock) {
  const plane = await openPlane({ synced: syncedResources })
  const sync: Sync = await startSync({
    virtual: plane.clientFor(),
    host: host.client,
    hostNamespace,
    planeUid,
    storeEpoch: plane.epoch,
    policy: { podSecurity: 'baseline' },
    owner: host.root,
    apiAddress: () => ({ host: '10.96.0.99', port: 443 }),
    workloadServiceAccount: 'workload',
    clock,
    random: seededRandom('sync'),
    log: silentLogger,
  })
  return {
    plane,
    sync,
    virtual: plane.clientFor(),
    [Symbol.asyncDispose]: async () => {
      await sync[Symbol.asyncDispose]()
      await plane.close()
    },
  }
}

/** Moves the test's clock on until something holds: what runs on it waits for real answers in between. */
async function advanceUntil(
  { proxy }: Host,
  clock: FakeClock,
  byMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  proxy.budget = 1_000
  for (let step = 0; step < 100; step += 1) {
    await proxy.settled()
    if (await holds()) return
    await clock.advance(byMs)
  }
  throw new Error('it never came to hold')
}

t.test('A28 brake() lets ten go, or a tenth, and not one more', async (t) => {
  t.ok(brake({ absent: 10, all: 10 }).isAllowed)
  t.notOk(brake({ absent: 11, all: 11 }).isAllowed)
  t.ok(brake({ absent: 30, all: 300 }).isAllowed)
  t.notOk(brake({ absent: 31, all: 300 }).isAllowed)
})

t.test('removals while sync is away are made up for when it is back, by their tombstones', async (t) => {
  await using host = await startHost(t)
  const dataDirectory = t.testdir()
  {
    await using first = await startOn(host, { plane: { dataDirectory } })
    await first.virtual.create(pods, podNamed('web'))
    await runOnHost(host, await hostPodOf(host, 'web'))
    await until(first.virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  }
  {
    await using alone = await openPlane({ dataDirectory, synced: syncedResources })
    await alone.clientFor().delete(pods, inDefault('web'), { gracePeriodSeconds: 0 })
  }
  await using again = await startOn(host, { plane: { dataDirectory } })
  await again.sync.ready
  await until(
    host.admin,
    pods,
    onHost(copyName('Pod', 'web')),
    (one) => one?.metadata.deletionTimestamp !== undefined,
  )
  t.equal(again.sync.status().alarm, undefined)
})

t.test('A28 an empty store against a full host deletes nothing, and says so', async (t) => {
  await using host = await startHost(t)
  const clock = new FakeClock()
  {
    await using first = await startOnClock(host, clock)
    for (let index = 0; index < 12; index += 1) await first.virtual.create(pods, podNamed(`web-${index}`))
    await untilAll(host.admin, pods, hostNamespace, (all) => all.length === 12)
  }
  const before = await host.admin.list(pods, { namespace: hostNamespace })
  await using second = await startOnClock(host, clock)
  await advanceUntil(host, clock, 1_000, () => second.sync.status().isWriter)
  t.match(second.sync.status().alarm, /another store/)
  for (let step = 0; step < 30; step += 1) {
    await host.proxy.settled()
    await clock.advance(10_000)
  }
  await host.proxy.settled()
  t.ok(second.sync.status().isWriter)
  await second.virtual.create(configMaps, { metadata: inDefault('probe'), data: {} })
  const after = await host.admin.list(pods, { namespace: hostNamespace })
  t.strictSame(after.items, before.items)
  t.equal(host.proxy.count('delete', 'pods'), 0)
})

t.test('A28 a store that went back deletes nothing, until a person accepts it', async (t) => {
  await using host = await startHost(t)
  const [dataDirectory, backup] = [t.testdir({ data: {} }), `${t.testdirName}-backup`]
  const { cp, rm } = await import('node:fs/promises')
  t.teardown(() => rm(backup, { recursive: true, force: true }))
  {
    await using first = await startOn(host, { plane: { dataDirectory } })
    await first.sync.ready
  }
  await cp(dataDirectory, backup, { recursive: true })
  {
    await using second = await startOn(host, { plane: { dataDirectory } })
    await second.virtual.create(pods, podNamed('newer'))
    await hostPodOf(host, 'newer')
  }
  await using third = await startOn(host, { plane: { dataDirectory: backup } })
  await third.sync.ready
  t.match(third.sync.status().alarm, /older than the copies/)
  t.ok(await host.admin.get(pods, onHost(copyName('Pod', 'newer'))))
})

t.test('leftovers without a tombstone go after a while, a few at a time', async (t) => {
  await using host = await startHost(t)
  const clock = new FakeClock()
  await using worlds = await startOnClock(host, clock)
  await worlds.sync.ready
  const there = async () => {
    const { items } = await host.admin.list(configMaps, { namespace: hostNamespace })
    return items.filter(({ metadata }) => metadata.annotations?.['k3v.dev/uid'] === 'forged').length
  }
  for (let index = 0; index < 15; index += 1) {
    const metadata = forged(host, { name: `left-${index}` })
    await host.admin.create(configMaps, { metadata, data: {} })
  }
  await untilAll(host.admin, configMaps, hostNamespace, (all) => all.length >= 16)
  await advanceUntil(host, clock, 10_000, () => worlds.sync.status().alarm !== undefined)
  t.match(worlds.sync.status().alarm, /15 of 15 copies have no object; more than 10/)
  t.equal(await there(), 15, 'none of them was deleted')
  for (let index = 0; index < 6; index += 1)
    await host.admin.delete(configMaps, {
      namespace: hostNamespace,
      name: forged(host, { name: `left-${index}` }).name,
    })
  await advanceUntil(host, clock, 10_000, async () => (await there()) === 0)
  t.equal(worlds.sync.status().alarm, undefined)
})

t.test('A16 a foreign object of the right name is never touched, marks or not', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const shapes: readonly (readonly [string, object])[] = [
    ['bare', {}],
    ['marked', forged(host, { name: 'marked' })],
    ['other-plane', { ...forged(host, { name: 'other-plane' }), labels: { 'k3v.dev/plane': 'other' } }],
  ]
  const before = new Map<string, ConfigMap>()
  for (const [name, marks] of shapes) {
    const metadata = { ...marks, ...onHost(copyName('ConfigMap', name)) }
    before.set(name, await host.admin.create(configMaps, { metadata, data: { whose: 'theirs' } }))
  }
  for (const [name] of shapes) {
    await virtual.create(configMaps, { metadata: inDefault(name), data: { whose: 'ours' } })
    await virtual.create(pods, {
      metadata: inDefault(`reads-${name}`),
      spec: {
        containers: [{ name: 'main', image: 'x' }],
        volumes: [{ name: 'v', configMap: { name } }],
      },
    })
    await virtual.patch(configMaps, inDefault(name), { type: 'merge', body: { data: { more: 'x' } } })
  }
  await untilAll(virtual, events, 'default', (all) => {
    const told = all.filter(({ reason }) => reason === 'NameTakenOnHost')
    return new Set(told.map(({ involvedObject }) => involvedObject.name)).size === shapes.length
  })
  t.equal(host.proxy.count('create', 'pods'), 0, 'no pod starts with what is not its own')
  for (const [name] of shapes) await virtual.delete(configMaps, inDefault(name))
  await untilAll(
    virtual,
    { group: 'k3v.dev', version: 'v1', resource: 'tombstones', isNamespaced: false },
    '',
    (all) => all.length === 0,
  )
  for (const [name] of shapes)
    t.strictSame(
      await host.admin.get(configMaps, onHost(copyName('ConfigMap', name))),
      before.get(name),
      name,
    )
})

t.test('a second writer waits for the first, and takes over when it falls silent', async (t) => {
  await using host = await startHost(t)
  const [firstClock, secondClock] = [new FakeClock(), new FakeClock()]
  await using first = await startOnClock(host, firstClock)
  await first.sync.ready
  await using second = await startOnClock(host, secondClock)
  await advanceUntil(host, secondClock, 1_000, () => host.proxy.count('get', 'configmaps') > 8)
  t.notOk(second.sync.status().isWriter)
  t.ok(first.sync.status().isWriter)
  // The first one's clock stands still: it does not renew.
  await advanceUntil(host, secondClock, 1_000, () => second.sync.status().isWriter)
  const state = await host.admin.get(configMaps, onHost(stateName(planeUid)))
  t.equal(state?.data?.['fence'], '2')
  t.equal(state?.data?.['holder'], second.plane.epoch)
  await firstClock.advance(26_000)
  t.notOk(first.sync.status().isWriter, 'it stops by itself before its time is over')
})

t.test('a writer that ends lets go, so that the next need not wait', async (t) => {
  await using host = await startHost(t)
  {
    await using first = await startOnClock(host, new FakeClock())
    await first.sync.ready
  }
  await using second = await startOnClock(host, new FakeClock())
  await second.sync.ready
  t.ok(second.sync.status().isWriter)
})

t.test('F19 a copy that somebody changed is put right, and one that is deleted comes back', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(services, {
    metadata: inDefault('web'),
    spec: { selector: { a: 'b' }, ports: [{ port: 80 }] },
  })
  const name = copyName('Service', 'web')
  const copy = await until(host.admin, services, onHost(name), (one) => one !== undefined)
  await host.admin.patch(services, onHost(name), {
    type: 'merge',
    body: { spec: { selector: { hijacked: 'yes' } } },
  })
  await until(host.admin, services, onHost(name), (one) => one?.spec?.selector?.['hijacked'] === undefined)
  await host.admin.delete(services, onHost(name))
  const again = await until(
    host.admin,
    services,
    onHost(name),
    (one) => one !== undefined && one.metadata.uid !== copy.metadata.uid,
  )
  t.equal(again.spec?.clusterIP, copy.spec?.clusterIP, 'with the address that the plane has promised')
})

t.test('a host that wiped everything at once does not take the pods of the plane along', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const names = Array.from({ length: 14 }, (_, index) => `web-${index}`)
  for (const name of names) await virtual.create(pods, podNamed(name))
  await untilAll(host.admin, pods, hostNamespace, (all) => all.length === names.length)
  for (const name of names)
    await host.admin.delete(pods, onHost(copyName('Pod', name)), { gracePeriodSeconds: 0 })
  await untilAll(virtual, pods, 'default', (all) => all.length === 4)
  t.equal((await host.admin.list(pods, { namespace: hostNamespace })).items.length, 0)
  const { items } = await virtual.list(pods, { namespace: 'default' })
  t.equal(items.length, 4, 'ten may vanish in a minute; the rest waits for a person')
})
