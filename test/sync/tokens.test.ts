import t from 'tap'
import type { Pod, Secret } from '../../src/api/models.ts'
import { pods, secrets, serviceAccounts } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { seededRandom } from '../../src/platform/random.ts'
import { syncedResources } from '../../src/sync/rights.ts'
import { startSync } from '../../src/sync/syncer.ts'
import { tokenSecretName } from '../../src/sync/translators/pod.ts'
import {
  hostNamespace,
  hostPodOf,
  planeUid,
  startHost,
  startTwoWorlds,
  until,
  untilAll,
} from './two-worlds.ts'

const pod = (name: string): Pod => ({
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
})
const claimsOf = (secret: Secret, key = 'token-0'): Readonly<Record<string, unknown>> => {
  const token = Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
}

t.test(
  'A22 a pod mounts a token of the plane that is short-lived, bound to it, and in a Secret only',
  async (t) => {
    await using worlds = await startTwoWorlds(t)
    const { host, virtual, plane } = worlds
    await until(
      virtual,
      serviceAccounts,
      { namespace: 'default', name: 'default' },
      (one) => one !== undefined,
    )
    const created = await virtual.create(pods, pod('web'))
    const copy = await hostPodOf(host, 'web')
    const name = tokenSecretName(created, planeUid)
    const secret = await host.admin.get(secrets, { namespace: hostNamespace, name })
    t.ok(
      copy.spec?.volumes?.some(({ projected }) =>
        projected?.sources?.some((source) => source.secret?.name === name),
      ),
    )
    const claims = claimsOf(secret as Secret)
    t.match(claims, {
      sub: 'system:serviceaccount:default:default',
      'kubernetes.io': { namespace: 'default', pod: { name: 'web', uid: created.metadata.uid } },
    })
    t.ok(Number(claims['exp']) - Number(claims['iat']) <= 3607)
    t.equal(Number(claims['exp']) > Number(claims['iat']), true)
    t.equal(plane.epoch === '', false)

    await virtual.delete(pods, { namespace: 'default', name: 'web' }, { gracePeriodSeconds: 0 })
    await untilAll(host.admin, secrets, hostNamespace, (all) => all.length === 0)
  },
)

t.test('A22 tokens are renewed before they end, twice', async (t) => {
  await using host = await startHost(t)
  host.proxy.budget = 1_000
  const clock = new FakeClock()
  await using plane = await openPlane({ synced: syncedResources })
  const lives: number[] = []
  await using sync = await startSync({
    virtual: plane.clientFor(),
    host: host.client,
    hostNamespace,
    planeUid,
    storeEpoch: plane.epoch,
    policy: { podSecurity: 'baseline' },
    owner: host.root,
    apiAddress: () => ({ host: '10.96.0.99', port: 443 }),
    workloadServiceAccount: 'workload',
    issueToken: async ({ expirationSeconds, pod: bound }) => {
      lives.push(clock.monotonic())
      const expirationTimestamp = new Date(clock.now() + expirationSeconds * 1_000).toISOString()
      return { token: `token ${lives.length} of ${bound.name}`, expirationTimestamp }
    },
    clock,
    random: seededRandom('tokens'),
    log: silentLogger,
  })
  await sync.ready
  const virtual = plane.clientFor()
  await until(virtual, serviceAccounts, { namespace: 'default', name: 'default' }, (one) => one !== undefined)
  const created = await virtual.create(pods, pod('web'))
  await hostPodOf(host, 'web')
  for (let step = 0; step < 800 && lives.length < 3; step += 1) {
    await host.proxy.settled()
    await clock.advance(10_000)
  }
  await host.proxy.settled()
  const [first = 0, second = 0, third = 0] = lives
  for (const life of [second - first, third - second]) {
    t.ok(life >= 0.8 * 3_607_000, `renewed after ${life} ms`)
    t.ok(life < 0.85 * 3_607_000, `renewed after ${life} ms`)
  }
  const name = tokenSecretName(created, planeUid)
  const secret = await until(
    host.admin,
    secrets,
    { namespace: hostNamespace, name },
    (one) => Buffer.from(one?.data?.['token-0'] ?? '', 'base64').toString() === 'token 3 of web',
  )
  t.ok(secret)
})

t.test('a pod that mounts a token is told when it cannot reach the API', async (t) => {
  await using worlds = await startTwoWorlds(t, { host: { apiAddress: undefined } })
  const { host, virtual } = worlds
  await virtual.create(pods, pod('web'))
  const copy = await hostPodOf(host, 'web')
  const own = copy.spec?.containers[0]?.env?.find(({ name }) => name === 'KUBERNETES_SERVICE_HOST')
  t.ok(own, "the host's API is not what it finds instead")
  const events = { group: '', version: 'v1', resource: 'events', isNamespaced: true }
  await untilAll(virtual, events, 'default', (all) =>
    all.some((event) => (event as unknown as { reason: string }).reason === 'APIUnreachable'),
  )
})
