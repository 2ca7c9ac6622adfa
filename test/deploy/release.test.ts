import t from 'tap'
import type { Json, KubeObject } from '../../src/api/object.ts'
import type { AnyObject, Client } from '../../src/client/client.ts'
import { configMaps, secrets } from '../../src/client/resources.ts'
import { findIn } from '../../src/deploy/apply/served.ts'
import { deployRelease } from '../../src/deploy/deploy.ts'
import type { Payload } from '../../src/deploy/payload.ts'
import { type ReleaseStatus, readStatus } from '../../src/deploy/pointer.ts'
import { openPlane } from '../../src/plane/plane.ts'
import { startReleaseLoop } from '../../src/plane/release.ts'
import { releases } from '../../src/plane/release-report.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { silentLogger } from '../../src/platform/log.ts'
import { asked, namespace, openHost, payload } from './host-plane.ts'

const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})

async function openRelease(first: Payload | undefined, { programDigest }: { programDigest?: string } = {}) {
  const host = await openHost()
  const plane = await openPlane()
  const virtual = plane.clientFor()
  await deployRelease({ ...asked(host.user), payload: first })
  const start = () =>
    startReleaseLoop({
      virtual,
      findResource: findIn(plane.served),
      host: host.admin,
      hostNamespace: namespace,
      root: 'k3v-shop',
      release: 'shop',
      lookAgainMs: 100,
      programDigest,
      clock: systemClock,
      log: silentLogger,
    })
  let loop = start()
  return {
    host,
    virtual,
    deploy: (next: Payload) => deployRelease({ ...asked(host.user), payload: next }),
    restart: async () => {
      await loop[Symbol.asyncDispose]()
      loop = start()
    },
    [Symbol.asyncDispose]: async () => {
      await loop[Symbol.asyncDispose]()
      await plane.close()
      await host[Symbol.asyncDispose]()
    },
  }
}

/** The next status that fits, as the host's ConfigMap tells it. */
async function told(host: Client, fits: (status: ReleaseStatus) => boolean): Promise<ReleaseStatus> {
  const fieldSelector = 'metadata.name=k3v-shop'
  for await (const item of host.watch(configMaps, {
    namespace,
    fieldSelector,
    signal: AbortSignal.timeout(20_000),
  })) {
    if (item.type === 'BOOKMARK') continue
    const status = readStatus(item.version.object.data)
    if (status !== undefined && fits(status)) return status
  }
  throw new Error('the watch ended')
}

const isReady = (generation: number) => (status: ReleaseStatus) =>
  status.generation === generation && status.phase === 'Ready'

t.test('a package is applied, recorded as a Release, and told to who deployed it', async (t) => {
  await using release = await openRelease(payload('1.0.0'))
  const status = await told(release.host.admin, isReady(1))
  t.match(status, { package: 'shop', version: '1.0.0', objects: { total: 1, ready: 1 }, notReady: [] })
  t.match(await release.virtual.get(configMaps, { namespace: 'default', name: 'prices' }), {
    data: { version: '1.0.0' },
  })
  t.match(await release.virtual.get(releases, { name: 'shop' }), {
    spec: { package: 'shop', version: '1.0.0', generation: 1 },
    status: {
      phase: 'Ready',
      observedGeneration: 1,
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Progressing', status: 'False' },
      ],
    },
  } as Record<string, Json> as never)
})

t.test('an empty virtual cluster is ready without a package', async (t) => {
  await using release = await openRelease(undefined)
  t.match(await told(release.host.admin, isReady(1)), {
    package: '',
    message: 'the virtual cluster is ready',
  })
})

t.test('a new version changes what is there and removes what it no longer has', async (t) => {
  const extra = configMap('extra', {})
  const first = payload('1.0.0')
  await using release = await openRelease({ ...first, objects: [...first.objects, extra] })
  await told(release.host.admin, isReady(1))
  await release.deploy(payload('1.1.0'))
  await told(release.host.admin, isReady(2))
  t.match(await release.virtual.get(configMaps, { namespace: 'default', name: 'prices' }), {
    data: { version: '1.1.0' },
  })
  t.equal(await release.virtual.get(configMaps, { namespace: 'default', name: 'extra' }), undefined)
})

t.test('what the API refuses is told with the reason, and the next version mends it', async (t) => {
  const bad = { ...configMap('bad', {}), data: { 'not a key': 'x' } }
  await using release = await openRelease(payload('1.0.0', { objects: [bad] }))
  const status = await told(release.host.admin, ({ phase }) => phase === 'Failed')
  t.equal(status.reason, 'Refused')
  t.match(status.notReady[0], /ConfigMap default\/bad: .*not a key/)
  await release.deploy(payload('1.1.0'))
  t.match(await told(release.host.admin, isReady(2)), { version: '1.1.0' })
})

t.test('a piece of the package that is missing is named', async (t) => {
  await using host = await openHost()
  const { pointer } = await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const [name = ''] = pointer.package?.secrets ?? []
  await host.admin.delete(secrets, { namespace, name })
  await using plane = await openPlane()
  const loop = startReleaseLoop({
    virtual: plane.clientFor(),
    findResource: findIn(plane.served),
    host: host.admin,
    hostNamespace: namespace,
    root: 'k3v-shop',
    release: 'shop',
    clock: systemClock,
    log: silentLogger,
  })
  const status = await told(host.admin, ({ phase }) => phase === 'Failed')
  t.match(status, { reason: 'CannotApply', message: `Secret ${name} with a piece of the package is missing` })
  await loop[Symbol.asyncDispose]()
})

t.test('a loop that was stopped takes up the release again', async (t) => {
  await using release = await openRelease(payload('1.0.0'))
  await told(release.host.admin, isReady(1))
  await release.deploy(payload('1.1.0'))
  await release.restart()
  t.match(await told(release.host.admin, isReady(2)), { version: '1.1.0' })
})

t.test('a plane leaves a pointer to another program to the pod that will run that', async (t) => {
  await using release = await openRelease(payload('1.0.0'), { programDigest: 'another' })
  await using ours = await openRelease(payload('1.0.0'))
  await told(ours.host.admin, isReady(1))
  const root = await release.host.admin.get(configMaps, { namespace, name: 'k3v-shop' })
  t.equal(readStatus(root?.data), undefined)
})

t.test('a release that was ready and is not says so', async (t) => {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 0,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'web', image: 'web' }] },
      },
    },
  } as const
  await using release = await openRelease(payload('1.0.0', { objects: [deployment] }))
  await told(release.host.admin, isReady(1))
  const deployments = { group: 'apps', version: 'v1', resource: 'deployments', isNamespaced: true }
  const body = { spec: { replicas: 1 } }
  await release.virtual.patch<AnyObject>(
    deployments,
    { namespace: 'default', name: 'web' },
    { type: 'merge', body },
  )
  const status = await told(release.host.admin, ({ phase }) => phase === 'Waiting')
  t.match(status, { reason: 'Degraded', notReady: [/Deployment default\/web/] })
})
