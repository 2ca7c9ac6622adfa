// Many writers of one object on a store that takes its time: none of them is told of a conflict it did not ask about.
// What a store answers to a stale revision is the store suite's.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { ConfigMap } from '../../src/api/models.ts'
import { configMaps } from '../../src/client/resources.ts'
import { openPlane } from '../../src/plane/plane.ts'

const writersMax = 64
const at = { namespace: 'default', name: 'shared' }

const configMap = (data: Record<string, string>, resourceVersion?: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: resourceVersion === undefined ? at : { ...at, resourceVersion },
  data,
})

t.test('of many patches and applies at once each one is written', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'k3v-writers-'))
  t.teardown(() => rm(dataDirectory, { recursive: true, force: true }))
  await using plane = await openPlane({ dataDirectory, runsControllers: false })
  const client = plane.clientFor()
  await client.create(configMaps, configMap({}))
  const writers = Array.from({ length: writersMax }, (_, number) => `writer-${number}`)
  await Promise.all(
    writers.map((name, number) =>
      number % 2 === 0
        ? client.patch(configMaps, at, { type: 'merge', body: { data: { [name]: 'merged' } } })
        : client.apply(configMaps, configMap({ [name]: 'applied' }), { fieldManager: name }),
    ),
  )
  const data = (await client.get(configMaps, at))?.data ?? {}
  t.same(Object.keys(data).sort(), [...writers].sort())
})

t.test('an apply that names an old revision is a conflict', async (t) => {
  await using plane = await openPlane({ runsControllers: false })
  const client = plane.clientFor()
  const made = await client.create(configMaps, configMap({}))
  await client.patch(configMaps, at, { type: 'merge', body: { data: { a: 'b' } } })
  const stale = configMap({ c: 'd' }, made.metadata.resourceVersion)
  await t.rejects(client.apply(configMaps, stale, { fieldManager: 'late' }), /object has been modified/)
})
