import t from 'tap'
import type { Service } from '../../src/api/models.ts'
import { ApiError } from '../../src/api/status.ts'
import { services } from '../../src/client/resources.ts'
import { copyName, hostNamespace, startTwoWorlds, until, untilAll } from './two-worlds.ts'

const named = (name: string, spec: Partial<Service['spec']> = {}): Service => ({
  metadata: { name, namespace: 'default' },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})
const onHost = (name: string) => ({ namespace: hostNamespace, name: copyName('Service', name) })
const inDefault = (name: string) => ({ namespace: 'default', name })

async function refusal(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error('it was not refused')
}

t.test('a Service is on the host before it is in the plane, under its own UID', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const service = await virtual.create(services, named('web'))
  const copy = await host.admin.get(services, onHost('web'))
  t.equal(copy?.metadata.annotations?.['k3v.dev/uid'], service.metadata.uid)
  t.strictSame(service.spec?.clusterIPs, copy?.spec?.clusterIPs)
  t.equal(service.spec?.ipFamilyPolicy, 'SingleStack')
})

t.test('a host that is away answers 503 with a time to wait, and names nothing of its own', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await worlds.sync.ready
  host.proxy.fault = ({ resource, verb }) =>
    resource === 'services' && verb === 'create' ? 'reset' : undefined
  const error = await refusal(virtual.create(services, named('web')))
  t.equal(error.code, 503)
  t.equal(error.status.details?.retryAfterSeconds, 2)
  t.equal(await virtual.get(services, inDefault('web')), undefined)
  host.proxy.fault = () => undefined
  t.ok(await virtual.create(services, named('web')))
})

t.test(
  "headless Services, names without an address and the API's own ask the host for nothing",
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    await worlds.sync.ready
    host.proxy.fault = ({ resource, verb }) =>
      resource === 'services' && verb === 'create' ? { code: 500 } : undefined
    const headless = await virtual.create(services, named('headless', { clusterIP: 'None' }))
    t.strictSame(headless.spec?.clusterIPs, ['None'])
    const external = await virtual.create(services, {
      metadata: inDefault('external'),
      spec: { type: 'ExternalName', externalName: 'example.com' },
    })
    t.equal(external.spec?.clusterIP, undefined)
    host.proxy.fault = () => undefined
    const copy = await until(host.admin, services, onHost('headless'), (one) => one !== undefined)
    t.equal(copy.spec?.clusterIP, 'None')
  },
)

t.test("an address that was asked for is the host's to give or to refuse", async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { virtual } = worlds
  const given = await virtual.create(services, named('good', { clusterIP: '10.96.44.44' }))
  t.equal(given.spec?.clusterIP, '10.96.44.44')
  const taken = await refusal(virtual.create(services, named('taken', { clusterIP: '10.96.44.44' })))
  t.equal(taken.code, 422)
  t.match(taken.message, /provided IP is already allocated/)
  const outside = await refusal(virtual.create(services, named('outside', { clusterIP: '1.2.3.4' })))
  t.equal(outside.code, 422)
  t.notMatch(`${taken.message} ${outside.message}`, new RegExp(hostNamespace))
})

t.test('a dry run leaves nothing on the host', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const service = await virtual.create(services, named('web'), { isDryRun: true })
  t.match(service.spec?.clusterIP, /^10\./)
  t.strictSame((await host.admin.list(services, { namespace: hostNamespace })).items, [])
})

t.test('two writes of one name get one Service on the host', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const results = await Promise.allSettled(
    Array.from({ length: 5 }, () => virtual.create(services, named('web'))),
  )
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const result of results) {
    if (result.status === 'rejected') t.equal((result.reason as ApiError).status.reason, 'AlreadyExists')
  }
  const service = await virtual.get(services, inDefault('web'))
  const copy = await host.admin.get(services, onHost('web'))
  t.equal(copy?.metadata.annotations?.['k3v.dev/uid'], service?.metadata.uid)
  t.equal(copy?.spec?.clusterIP, service?.spec?.clusterIP)
})

t.test(
  'a Service that is made again at once keeps the name, and its copy has the new identity',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual } = worlds
    for (let round = 0; round < 5; round += 1) {
      await virtual.create(services, named('web'))
      await virtual.delete(services, inDefault('web'))
    }
    const last = await virtual.create(services, named('web'))
    await untilAll(
      virtual,
      { group: 'k3v.dev', version: 'v1', resource: 'tombstones', isNamespaced: false },
      '',
      (all) => all.length === 0,
    )
    const copy = await until(host.admin, services, onHost('web'), (one) => one !== undefined)
    t.equal(copy.metadata.annotations?.['k3v.dev/uid'], last.metadata.uid)
    t.equal(copy.spec?.clusterIP, last.spec?.clusterIP)
  },
)

t.test('a Service that stops having an address leaves the host', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  await virtual.create(services, named('web'))
  await virtual.patch(services, inDefault('web'), {
    type: 'merge',
    body: { spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null } },
  })
  await until(host.admin, services, onHost('web'), (one) => one === undefined)
  const again = await virtual.patch(services, inDefault('web'), {
    type: 'merge',
    body: { spec: { type: 'ClusterIP', externalName: null } },
  })
  const copy = await until(host.admin, services, onHost('web'), (one) => one !== undefined)
  t.equal(again.spec?.clusterIP, copy.spec?.clusterIP)
})

t.test('A16 a foreign Service of the right name is not taken over', async (t) => {
  await using worlds = await startTwoWorlds(t)
  const { host, virtual } = worlds
  const foreign = await host.admin.create(services, {
    metadata: onHost('web'),
    spec: { ports: [{ port: 1 }] },
  })
  const error = await refusal(virtual.create(services, named('web')))
  t.equal(error.code, 409)
  t.notMatch(error.message, /tenant/)
  t.strictSame(await host.admin.get(services, onHost('web')), foreign)
})
