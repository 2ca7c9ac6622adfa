// Sync among failures: killed at every step, answers that are lost, a host that is away or refuses.

import t from 'tap'
import type { Pod } from '../../src/api/models.ts'
import {
  configMaps,
  events,
  persistentVolumeClaims,
  pods,
  secrets,
  services,
} from '../../src/client/resources.ts'
import { roleRules } from '../../src/sync/rights.ts'
import type { RecordedRequest } from '../host-proxy.ts'
import {
  copyName,
  type Host,
  hostNamespace,
  hostPodOf,
  runOnHost,
  startHost,
  startOn,
  startTwoWorlds,
  type TwoWorlds,
  until,
  untilAll,
} from './two-worlds.ts'

const inDefault = (name: string) => ({ namespace: 'default', name })
const onHost = (name: string) => ({ namespace: hostNamespace, name })
const podNamed = (name: string, volumes: NonNullable<Pod['spec']>['volumes'] = []): Pod => ({
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { containers: [{ name: 'main', image: 'web:1' }], volumes },
})
const isWrite = ({ verb, name }: RecordedRequest): boolean =>
  ['create', 'delete', 'update'].includes(verb) && !name.startsWith('sync-state')

async function makeAll({ virtual }: Pick<TwoWorlds, 'virtual'>): Promise<void> {
  await virtual.create(configMaps, { metadata: inDefault('settings'), data: { a: '1' } })
  await virtual.create(secrets, { metadata: inDefault('password'), data: { p: 'eA==' } })
  await virtual.create(services, {
    metadata: inDefault('headless'),
    spec: { clusterIP: 'None', selector: { app: 'web' }, ports: [{ port: 80 }] },
  })
  await virtual.create(persistentVolumeClaims, {
    metadata: inDefault('data'),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  })
  await virtual.create(
    pods,
    podNamed('web', [
      { name: 'a', configMap: { name: 'settings' } },
      { name: 'b', secret: { secretName: 'password' } },
      { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
    ]),
  )
}

/** Everything of ours on the host, without what every object has of its own. */
async function copiesOn({ admin }: Host): Promise<readonly string[]> {
  const all = [
    ...(await admin.list(pods, { namespace: hostNamespace })).items,
    ...(await admin.list(configMaps, { namespace: hostNamespace })).items,
    ...(await admin.list(secrets, { namespace: hostNamespace })).items,
    ...(await admin.list(services, { namespace: hostNamespace })).items,
    ...(await admin.list(persistentVolumeClaims, { namespace: hostNamespace })).items,
  ]
  return all
    .flatMap(({ metadata }) => metadata.annotations?.['k3v.dev/object'] ?? [])
    .filter((object) => !object.includes('SyncState'))
    .sort()
}

const wanted = [
  '/ConfigMap/default/kube-root-ca.crt',
  '/ConfigMap/default/settings',
  '/PersistentVolumeClaim/default/data',
  '/Pod/default/web',
  '/Secret/default/password',
  '/Service/default/headless',
  'k3v.dev/PodTokens/default/web',
]

t.test('F1 killed after any write, sync ends where it would have ended', async (t) => {
  for (let kill = 1; kill <= wanted.length; kill += 1) {
    await using host = await startHost(t)
    const dataDirectory = t.testdir({ [`kill-${kill}`]: {} })
    const plane = { dataDirectory: `${dataDirectory}/kill-${kill}` }
    {
      await using first = await startOn(host, { plane })
      await first.sync.ready
      let writes = 0
      const killed = Promise.withResolvers<void>()
      // The write arrives, its answer does not, and nothing works after it: as if the process had died there.
      host.proxy.fault = (request) => {
        if (isWrite(request)) writes += 1
        if (writes < kill || request.verb === 'watch') return undefined
        killed.resolve()
        return writes === kill && isWrite(request) ? 'lost' : 'reset'
      }
      await makeAll(first)
      await killed.promise
    }
    host.proxy.fault = () => undefined
    await using again = await startOn(host, { plane })
    await again.sync.ready
    const copy = await hostPodOf(host, 'web')
    await runOnHost(host, copy)
    await until(again.virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
    await until(host.admin, services, onHost(copyName('Service', 'headless')), (one) => one !== undefined)
    await until(
      host.admin,
      persistentVolumeClaims,
      onHost(copyName('PersistentVolumeClaim', 'data')),
      (one) => one !== undefined,
    )
    t.strictSame(await copiesOn(host), wanted, `killed after write ${kill}`)
    t.equal(again.sync.status().alarm, undefined)
  }
})

t.test('F1 killed while things go away, sync leaves nothing behind', async (t) => {
  for (let kill = 1; kill <= wanted.length - 1; kill += 1) {
    await using host = await startHost(t)
    const dataDirectory = t.testdir({ [`kill-${kill}`]: {} })
    const plane = { dataDirectory: `${dataDirectory}/kill-${kill}` }
    {
      await using first = await startOn(host, { plane })
      await first.sync.ready
      await makeAll(first)
      await hostPodOf(host, 'web')
      await until(host.admin, services, onHost(copyName('Service', 'headless')), (one) => one !== undefined)
      let writes = 0
      const killed = Promise.withResolvers<void>()
      host.proxy.fault = (request) => {
        if (isWrite(request)) writes += 1
        if (writes < kill || request.verb === 'watch') return undefined
        killed.resolve()
        return writes === kill && isWrite(request) ? 'lost' : 'reset'
      }
      const { virtual } = first
      await virtual.delete(pods, inDefault('web'), { gracePeriodSeconds: 0 })
      await virtual.delete(configMaps, inDefault('settings'))
      await virtual.delete(secrets, inDefault('password'))
      await virtual.delete(services, inDefault('headless'))
      await virtual.delete(persistentVolumeClaims, inDefault('data'))
      await killed.promise
    }
    host.proxy.fault = () => undefined
    await using again = await startOn(host, { plane })
    await untilAll(
      again.virtual,
      { group: 'k3v.dev', version: 'v1', resource: 'tombstones', isNamespaced: false },
      '',
      (all) => all.length === 0,
    )
    await until(
      host.admin,
      configMaps,
      onHost(copyName('ConfigMap', 'kube-root-ca.crt')),
      (one) => one === undefined,
    )
    t.strictSame(await copiesOn(host), [], `killed after write ${kill}`)
  }
})

t.test('F9 a host that is away holds things up and breaks nothing', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await worlds.sync.ready
  host.proxy.budget = 1_000
  const refused = Promise.withResolvers<void>()
  host.proxy.fault = ({ resource }) => {
    if (resource === 'configmaps') return undefined
    refused.resolve()
    return { code: 503 }
  }
  await virtual.create(pods, podNamed('web'))
  await refused.promise
  host.proxy.fault = () => undefined
  await runOnHost(host, await hostPodOf(host, 'web'))
  await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
  t.equal(worlds.sync.status().alarm, undefined)
})

t.test("A34 what the host's quota refuses, the tenant reads in its own words", async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  host.proxy.fault = ({ resource, verb, body }) =>
    resource === 'pods' && verb === 'create'
      ? {
          code: 403,
          message: `pods "${body?.metadata.name}" is forbidden: exceeded quota: host-quota, in namespace ${hostNamespace}`,
        }
      : undefined
  await virtual.create(pods, podNamed('web'))
  const told = await untilAll(virtual, events, 'default', (all) =>
    all.some(({ reason }) => reason === 'RefusedByHost'),
  )
  t.equal(
    told.find(({ reason }) => reason === 'RefusedByHost')?.message,
    'pods "web" is forbidden: exceeded quota: host-quota, in namespace default',
  )
  host.proxy.fault = () => undefined
  await hostPodOf(host, 'web')
})

t.test(
  'I2 sync asks for nothing but core rights, and the Role names no cluster and no wildcard',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    await makeAll(worlds)
    await runOnHost(host, await hostPodOf(host, 'web'))
    await until(virtual, pods, inDefault('web'), (one) => one?.status?.phase === 'Running')
    for (const { apiGroups = [], resources = [], verbs } of roleRules()) {
      t.notOk([...apiGroups, ...resources, ...verbs].includes('*'))
      t.notOk(resources.some((resource) => /^(nodes|namespaces|pods\/proxy|serviceaccounts)/.test(resource)))
    }
    t.notOk(
      [...host.proxy.rightsUsed].some(
        (right) => right.startsWith('patch') || right.includes('deletecollection'),
      ),
    )
  },
)
