// What the tests of this room start from: small objects, a store with a cache over it, and a reader of watches.

import type { Test } from 'tap'
import type { WatchItem } from '../../src/api/contracts.ts'
import { encodeForStore } from '../../src/api/stored.ts'
import { FakeClock } from '../../src/platform/clock.ts'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import type { Store } from '../../src/store/store.ts'
import { openWatchCache, type WatchCache, type WatchCacheOptions } from '../../src/watch/cache.ts'

export const pods = 'core/pods/'

export function pod(
  name: string,
  fields: Record<string, unknown> = {},
  labels: Record<string, string> = {},
): Buffer {
  return encodeForStore({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels },
    ...fields,
  })
}

export async function start(
  t: Test,
  options: Omit<Partial<WatchCacheOptions>, 'clock'> = {},
): Promise<{ store: Store; cache: WatchCache; clock: FakeClock }> {
  const clock = new FakeClock()
  const store = options.store ?? (await openMemoryStore({ clock }))
  const cache = await openWatchCache({ ...options, store, clock })
  t.teardown(async () => {
    await cache.close()
    await store.close()
  })
  return { store, cache, clock }
}

export async function put(store: Store, key: string, value: Uint8Array | undefined): Promise<number> {
  const result = await store.commit({ conditions: [], changes: [{ key, value }] })
  return result.ok ? result.revision : 0
}

/** One short line an event, bookmark or error, for comparing. */
export function describe(item: WatchItem): string[] {
  if (item.type === 'bookmark') return [`BOOKMARK ${item.revision}${item.isInitialEventsEnd ? ' end' : ''}`]
  if (item.type === 'error')
    return [`ERROR ${item.status.code} ${item.status.reason}: ${item.status.message}`]
  return item.events.map(({ type, object }) => {
    const { metadata, value } = object.object
    return `${type} ${metadata.name}@${metadata.resourceVersion}${value === undefined ? '' : ` ${String(value)}`}`
  })
}

/** Reads lines until `count` are there or the watch ends. */
export async function read(
  items: AsyncIterable<WatchItem>,
  count = Number.POSITIVE_INFINITY,
): Promise<string[]> {
  const iterator = items[Symbol.asyncIterator]()
  const lines: string[] = []
  while (lines.length < count) {
    const { done, value } = await iterator.next()
    if (done === true) break
    lines.push(...describe(value))
  }
  return lines
}
