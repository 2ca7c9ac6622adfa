import t from 'tap'
import type { Client } from '../../src/client/client.ts'
import {
  configMaps,
  persistentVolumeClaims,
  roles,
  secrets,
  serviceAccounts,
  services,
  statefulSets,
} from '../../src/client/resources.ts'
import { deployRelease } from '../../src/deploy/deploy.ts'
import { readPointer } from '../../src/deploy/pointer.ts'
import { listReleases, releaseDetails } from '../../src/deploy/releases.ts'
import { removeRelease } from '../../src/deploy/remove.ts'
import { waitForRelease } from '../../src/deploy/wait.ts'
import { judgePod } from '../../src/podsecurity/podsecurity.ts'
import { simulatePods } from '../controllers/simulate-pods.ts'
import { asked, namespace, openHost, payload, program } from './host-plane.ts'

const pointerOf = async (host: Client) =>
  readPointer((await host.get(configMaps, { namespace, name: 'k3v-shop' }))?.data)

const namesIn = async (host: Client, resource: typeof secrets | typeof services | typeof serviceAccounts) =>
  (await host.list<{ metadata: object }>(resource as never, { namespace })).items.map(
    ({ metadata }) => (metadata as { name: string }).name,
  )

t.test('a user with the role admin in one namespace can deploy there', async (t) => {
  await using host = await openHost()
  const deployed = await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  t.equal(deployed.isNew, true)
  t.match(await pointerOf(host.user), { generation: 1, package: { name: 'shop', version: '1.0.0' } })
  t.strictSame((await namesIn(host.user, serviceAccounts)).sort(), [
    'default',
    'k3v-shop',
    'k3v-shop-workload',
  ])
  t.ok(await host.user.get(statefulSets, { namespace, name: 'k3v-shop' }))
  t.ok(await host.user.get(services, { namespace, name: 'k3v-shop' }))
  t.ok(await host.user.get(roles, { namespace, name: 'k3v-shop' }))
})

t.test('who lacks rights is told all of them, and nothing is written', async (t) => {
  await using host = await openHost({ role: 'edit' })
  await t.rejects(deployRelease({ ...asked(host.user), payload: payload('1.0.0') }), {
    message:
      /you may not deploy to namespace team: missing .*roles\.rbac\.authorization\.k8s\.io, rolebindings/,
  })
  t.equal(await host.admin.get(configMaps, { namespace, name: 'k3v-shop' }), undefined)
  t.strictSame(await namesIn(host.admin, secrets), [])
})

t.test('the pod passes the restricted Pod Security Standard', async (t) => {
  await using host = await openHost()
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const set = await host.user.get(statefulSets, { namespace, name: 'k3v-shop' })
  t.strictSame(judgePod(set?.spec?.template.spec as never, 'restricted'), [])
})

t.test('deploying the same again changes nothing', async (t) => {
  await using host = await openHost()
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const before = await host.user.get(configMaps, { namespace, name: 'k3v-shop' })
  const again = await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const after = await host.user.get(configMaps, { namespace, name: 'k3v-shop' })
  t.equal(again.pointer.generation, 1)
  t.equal(again.restarts, false)
  t.equal(after?.metadata.resourceVersion, before?.metadata.resourceVersion)
})

t.test('a new package moves the pointer and leaves the pod alone', async (t) => {
  await using host = await openHost()
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const before = await host.user.get(statefulSets, { namespace, name: 'k3v-shop' })
  const { restarts, pointer } = await deployRelease({ ...asked(host.user), payload: payload('1.1.0') })
  const after = await host.user.get(statefulSets, { namespace, name: 'k3v-shop' })
  t.equal(restarts, false)
  t.match(pointer, { generation: 2, package: { version: '1.1.0' } })
  t.equal(after?.metadata.generation, before?.metadata.generation)
})

t.test('a new program restarts the pod and says so', async (t) => {
  await using host = await openHost()
  const steps: string[] = []
  await deployRelease({ ...asked(host.user) })
  const before = await host.user.get(statefulSets, { namespace, name: 'k3v-shop' })
  const onStep = (message: string) => void steps.push(message)
  const { restarts } = await deployRelease({ ...asked(host.user), program: program('next'), onStep })
  const after = await host.user.get(statefulSets, { namespace, name: 'k3v-shop' })
  t.equal(restarts, true)
  t.match(steps, ['the program of the control plane is new: its pod restarts'])
  t.not(after?.metadata.generation, before?.metadata.generation)
})

t.test('two generations of packages are kept on the host', async (t) => {
  await using host = await openHost()
  const packages = async () =>
    (await namesIn(host.user, secrets)).filter((name) => name.includes('-package-'))
  for (const version of ['1.0.0', '1.1.0', '1.2.0'])
    await deployRelease({ ...asked(host.user), payload: payload(version) })
  const pointer = await pointerOf(host.user)
  t.equal((await packages()).length, 2)
  t.ok((await packages()).includes(pointer?.package?.secrets[0] ?? ''))
})

t.test('a deploy that ended half-way is completed by the next', async (t) => {
  await using host = await openHost()
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  const old = await pointerOf(host.user)
  const body = { data: { pointer: JSON.stringify({ ...old, generation: 0 }) } }
  await host.admin.patch(configMaps, { namespace, name: 'k3v-shop' }, { type: 'merge', body })
  const { pointer } = await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  t.equal(pointer.generation, 1)
})

t.test('a second release in a namespace needs a word that they trust each other', async (t) => {
  await using host = await openHost()
  await deployRelease(asked(host.user))
  await t.rejects(deployRelease({ ...asked(host.user), release: 'other' }), {
    message: /already holds shop: .*--share-namespace/,
  })
  await deployRelease({ ...asked(host.user), release: 'other', sharesNamespace: true })
  t.strictSame(
    (await listReleases(host.user, { namespace })).map(({ name, phase }) => [name, phase]),
    [
      ['other', 'Starting'],
      ['shop', 'Starting'],
    ],
  )
})

t.test('a ConfigMap of somebody else is not taken over', async (t) => {
  await using host = await openHost()
  await host.admin.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'k3v-shop', namespace },
    data: { mine: 'yes' },
  })
  await t.rejects(deployRelease(asked(host.user)), { message: /not k3v's: choose another --name/ })
})

t.test('names that do not fit into host names are refused before anything is asked', async (t) => {
  await using host = await openHost()
  for (const release of ['Shop', '1shop', 'shop-', 'x'.repeat(41), '']) {
    await t.rejects(deployRelease({ ...asked(host.user), release }), { message: /no name for a release/ })
  }
})

t.test('a release is ready when the plane says so of what is wanted now', async (t) => {
  await using host = await openHost()
  const tell = (generation: number, phase: string, reason: string) =>
    host.admin.patch(
      configMaps,
      { namespace, name: 'k3v-shop' },
      {
        type: 'merge',
        body: {
          data: {
            status: JSON.stringify({
              generation,
              phase,
              reason,
              message: 'told',
              package: 'shop',
              version: '1',
              objects: { total: 2, ready: 1 },
              notReady: ['Deployment a/b: 0 of 1'],
            }),
          },
        },
      },
    )
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  await tell(0, 'Ready', 'Ready')
  const wait = { host: host.user, namespace, release: 'shop', generation: 1, timeoutMs: 0 }
  t.match(await waitForRelease(wait), { isReady: false, isFailed: false, message: /pod k3v-shop-0/ })
  await tell(1, 'Failed', 'CannotApply')
  t.match(await waitForRelease(wait), { isReady: false, isFailed: false })
  await tell(1, 'Failed', 'Refused')
  t.match(await waitForRelease(wait), { isReady: false, isFailed: true, message: /Deployment a\/b: 0 of 1/ })
  await tell(1, 'Ready', 'Ready')
  t.match(await waitForRelease(wait), { isReady: false, message: /pod k3v-shop-0/ }, 'nothing serves yet')
  await using _nodes = simulatePods(host.plane.clientFor())
  t.match(await waitForRelease({ ...wait, timeoutMs: 20_000 }), { isReady: true, message: 'told' })
  t.match(await releaseDetails(host.user, { namespace, release: 'shop' }), {
    phase: 'Ready',
    pod: { isReady: true },
  })
})

t.test('deleting leaves the namespace as it was, claims only when asked to', async (t) => {
  await using host = await openHost()
  const claim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data-k3v-shop-0', namespace },
    spec: { accessModes: ['ReadWriteOnce' as const], resources: { requests: { storage: '1Gi' } } },
  }
  const remove = { host: host.user, namespace, release: 'shop', timeoutMs: 10_000 }
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  await host.admin.create(persistentVolumeClaims, claim).catch(() => undefined)
  await endPod(host.admin)
  t.match(await removeRelease({ ...remove, keepsData: true }), { isGone: true, keptClaim: 'data-k3v-shop-0' })
  t.ok(await host.user.get(persistentVolumeClaims, { namespace, name: 'data-k3v-shop-0' }))
  await deployRelease({ ...asked(host.user), payload: payload('1.0.0') })
  await endPod(host.admin)
  t.match(await removeRelease(remove), { isGone: true, keptClaim: undefined })
  t.equal(await host.user.get(persistentVolumeClaims, { namespace, name: 'data-k3v-shop-0' }), undefined)
  t.strictSame(await namesIn(host.user, secrets), [])
  t.strictSame(await namesIn(host.user, serviceAccounts), ['default'])
  await t.rejects(removeRelease(remove), { message: 'there is no release shop in namespace team' })
})

/** The host has no node: its controller is scaled away, so that no pod waits for one. */
async function endPod(admin: Client): Promise<void> {
  const body = { spec: { replicas: 0 } }
  await admin.patch(statefulSets, { namespace, name: 'k3v-shop' }, { type: 'merge', body })
}
