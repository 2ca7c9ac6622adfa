// How many durable writes a second over TLS: creates of 1 KiB config maps, by one client and by 64 at once?

import { performance } from 'node:perf_hooks'
import type { HttpClient } from '../src/client/http.ts'
import { configMaps } from '../src/client/resources.ts'
import { median, startServer } from './rig/server-process.ts'

const seconds = 5
await using server = await startServer()
const client = await server.client()
const data = { value: 'x'.repeat(1_024) }

await load(client, { writers: 8, forMs: 2_000, prefix: 'warm' })
for (const writers of [1, 64]) {
  const { count, latencies } = await load(client, { writers, forMs: seconds * 1_000, prefix: `w${writers}` })
  const p50 = median(latencies).toFixed(1)
  console.log(`${writers} in flight: ${(count / seconds).toFixed(0)} creates a second, p50 ${p50} ms`)
}

interface Load {
  readonly writers: number
  readonly forMs: number
  readonly prefix: string
}

async function load(
  client: HttpClient,
  { writers, forMs, prefix }: Load,
): Promise<{ count: number; latencies: number[] }> {
  const latencies: number[] = []
  const until = performance.now() + forMs
  const writer = async (id: number): Promise<void> => {
    for (let index = 0; performance.now() < until; index += 1) {
      const started = performance.now()
      await client.create(configMaps, {
        metadata: { name: `${prefix}-${id}-${index}`, namespace: 'default' },
        data,
      })
      latencies.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, id) => writer(id)))
  return { count: latencies.length, latencies }
}
