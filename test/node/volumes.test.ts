import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { PersistentVolumeClaim } from '../../src/api/models.ts'
import { configMaps, persistentVolumeClaims, persistentVolumes, pods } from '../../src/client/resources.ts'
import { script, startTestHost } from './start-host.ts'

t.test('a mounted ConfigMap follows its object while the pod runs', async (t) => {
  await using one = await startTestHost()
  const config = await one.config('live', { value: 'old' })
  await one.create('watcher', {
    containers: [
      script(
        `
        import fs from 'node:fs'
        let last = ''
        const look = () => { const now = fs.readFileSync('/etc/live/value', 'utf8'); if (now !== last) console.log('sees', last = now) }
        fs.watch('/etc/live', look)
        look()
        `,
        { volumeMounts: [{ name: 'live', mountPath: '/etc/live' }] },
      ),
    ],
    volumes: [{ name: 'live', configMap: { name: 'live' } }],
  })
  await one.untilLogged('watcher', 'sees old')
  await one.host.client.update(configMaps, { ...config, data: { value: 'new' } })
  t.match(await one.untilLogged('watcher', 'sees new'), 'sees old\nsees new')
})

t.test('what a pod needs and does not find is told, and the pod starts when it is there', async (t) => {
  await using one = await startTestHost()
  await one.create('needs', {
    containers: [
      script('console.log(process.env.X)', {
        env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'later', key: 'x' } } }],
      }),
    ],
    restartPolicy: 'Never',
  })
  const waiting = await one.until(
    'needs',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
  )
  t.equal(waiting.status?.containerStatuses?.[0]?.state?.waiting?.message, 'configmap "later" not found')
  t.equal(waiting.status?.phase, 'Pending')
  await one.config('later', { x: 'there' })
  await one.until('needs', ({ status }) => status?.phase === 'Succeeded')
  t.equal(await one.host.actor.logs({ namespace: 'default', pod: 'needs' }), 'there\n')
  await one.create('path', {
    containers: [script('1')],
    volumes: [{ name: 'machine', hostPath: { path: '/' } }],
  })
  const refused = await one.until(
    'path',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError',
  )
  t.equal(
    refused.status?.containerStatuses?.[0]?.state?.waiting?.message,
    'volume "machine": the embedded host does not offer hostPath volumes',
  )
})

t.test('a claim is a folder that outlives its pods and goes with the claim', async (t) => {
  await using one = await startTestHost()
  const { client } = one.host
  const claim: PersistentVolumeClaim = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data', namespace: 'default' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const writer = (name: string, source: string) =>
    one.create(name, {
      restartPolicy: 'Never',
      containers: [script(source, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
    })
  await writer('early', "import fs from 'node:fs'; fs.writeFileSync('/data/kept', 'kept')")
  const pending = await one.until(
    'early',
    ({ status }) => status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true,
  )
  t.match(
    pending.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message,
    'persistentvolumeclaim "data" not found',
  )
  await client.create(persistentVolumeClaims, claim)
  await one.until('early', ({ status }) => status?.phase === 'Succeeded')
  await writer('late', "import fs from 'node:fs'; console.log(fs.readFileSync('/data/kept', 'utf8'))")
  await one.until('late', ({ status }) => status?.phase === 'Succeeded')
  t.equal(await one.host.actor.logs({ namespace: 'default', pod: 'late' }), 'kept\n')
  const bound = await client.get(persistentVolumeClaims, { namespace: 'default', name: 'data' })
  t.equal(bound?.status?.phase, 'Bound')
  t.equal(bound?.spec?.storageClassName, 'standard')
  const folder = join(one.directory, 'node/volumes')
  t.same(await readdir(folder), [bound?.spec?.volumeName])
  for (const name of ['early', 'late']) await client.delete(pods, { namespace: 'default', name })
  await client.delete(persistentVolumeClaims, { namespace: 'default', name: 'data' })
  for (let tries = 0; tries < 500 && (await readdir(folder)).length > 0; tries += 1)
    await client.list(persistentVolumes)
  t.same(await readdir(folder), [])
})
