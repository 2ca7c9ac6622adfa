// What the catalog serves of the definitions that a store holds: at the start, after changes, and despite poison.
// The conditions that make a definition served come from the controller; here they are written by hand.

import { type Test, test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { encodeForStore } from '../../src/api/stored.ts'
import { Catalog } from '../../src/catalog/catalog.ts'
import { serveCustomResources } from '../../src/catalog/custom.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { createLogger } from '../../src/platform/log.ts'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import { openWatchCache } from '../../src/watch/cache.ts'
import { definition, version } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const prefix = 'apiextensions.k8s.io/customresourcedefinitions/'
const established = { conditions: [{ type: 'Established', status: 'True' }] }

async function start(t: Test, before: Readonly<Record<string, Uint8Array>> = {}) {
  const store = await openMemoryStore({})
  const write = async (key: string, value: Uint8Array | undefined) => {
    const current = await store.get(key)
    const conditions = [{ key, revision: current?.revision ?? 0 }]
    return await store.commit({ conditions, changes: [{ key, ...(value === undefined ? {} : { value }) }] })
  }
  for (const [key, value] of Object.entries(before)) await write(key, value)
  const cache = await openWatchCache({ store })
  const catalog = new Catalog({ store, cache, kinds: [] })
  const lines: string[] = []
  const stop = serveCustomResources({
    catalog,
    log: createLogger({ write: (line: string) => void lines.push(line) }),
  })
  t.teardown(async () => {
    stop()
    await cache.close()
    await store.close()
  })
  const put = async (object: KubeObject) =>
    await write(`${prefix}${object.metadata.name}`, encodeForStore(object))
  const remove = async (object: KubeObject) => await write(`${prefix}${object.metadata.name}`, undefined)
  const find = (resource = 'widgets'): Kind | undefined =>
    catalog.find({ group: 'example.com', version: 'v1', resource })
  return { store, catalog, put, remove, write, find, lines }
}

const with_ = (spec: Json, status: Json = established): KubeObject =>
  definition({ versions: [version({ type: 'object', properties: { spec } })], status })

test('an established definition is served at once when the store is opened', async (t) => {
  const { find } = await start(t, {
    [`${prefix}widgets.example.com`]: encodeForStore(definition({ status: established })),
  })
  t.equal(find()?.kind, 'Widget')
})

test('a definition is served from Established on until it is gone', async (t) => {
  const { put, remove, find } = await start(t)
  await put(definition())
  t.equal(find(), undefined)
  await put(definition({ status: established }))
  t.ok(find())
  const terminating = { conditions: [...established.conditions, { type: 'Terminating', status: 'True' }] }
  await put(definition({ status: terminating }))
  t.notOk(find()?.verbs.includes('create'))
  await remove(definition())
  t.equal(find(), undefined)
})

test('watches end when the schema changes and go on when only conditions do', async (t) => {
  const { put, find, catalog } = await start(t)
  await put(with_({ type: 'object' }))
  const first = find() as Kind
  const signal = catalog.servedSignal(first)
  await put(
    with_({ type: 'object' }, { conditions: [...established.conditions, { type: 'Other', status: 'True' }] }),
  )
  t.equal(find(), first, 'the same kind is served')
  t.equal(signal?.aborted, false)
  await put(
    with_(
      { type: 'object' },
      { conditions: [...established.conditions, { type: 'Terminating', status: 'True' }] },
    ),
  )
  t.equal(signal?.aborted, false, 'who watches sees the instances go')
  await put(with_({ type: 'string' }))
  t.equal(signal?.aborted, true)
  t.equal(catalog.servedSignal(first)?.aborted, true, 'a kind of the past has no watches')
  t.equal(catalog.servedSignal(find() as Kind)?.aborted, false)
})

test('objects that are older than a default are shown with it', async (t) => {
  const { put, find, catalog, write } = await start(t)
  await put(with_({ type: 'object' }))
  const key = 'example.com/widgets/default/first'
  const widget = {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'first', namespace: 'default' },
  }
  await write(key, encodeForStore({ ...widget, spec: {} }))
  const get = () => catalog.get(find() as Kind, 'default', 'first')
  t.same(get()?.object['spec'], {})
  const revision = get()?.revision
  await put(with_({ type: 'object', properties: { size: { type: 'integer', default: 3 } } }))
  t.same(get()?.object['spec'], { size: 3 })
  t.equal(get()?.revision, revision)
  t.equal(get(), get(), 'shown once, kept')
})

test('a definition that cannot be used is logged and does not stop the others', async (t) => {
  const poison = (spec: unknown) =>
    encodeForStore({ ...definition({ status: established }), metadata: { name: 'poison.example.com' }, spec })
  const { find, lines, put, write } = await start(t, {
    [`${prefix}a.example.com`]: Buffer.from('{"metadata":{"name":1'),
    [`${prefix}b.example.com`]: poison(null),
    [`${prefix}c.example.com`]: poison({ versions: [{ served: true, schema: { openAPIV3Schema: 5 } }] }),
    [`${prefix}widgets.example.com`]: encodeForStore(definition({ status: established })),
  })
  t.ok(find())
  t.match(lines.join('\n'), /a custom resource definition cannot be served/)
  await write(`${prefix}d.example.com`, Buffer.from('"metadata":{ nonsense'))
  await put(definition({ plural: 'gadgets', kind: 'Gadget', status: established }))
  t.ok(find('gadgets'))
})

test('a definition cannot take the place of a built-in resource', async (t) => {
  const store = await openMemoryStore({})
  const cache = await openWatchCache({ store })
  const builtIn = {
    group: 'example.com',
    version: 'v1',
    plural: 'widgets',
    isCustom: false,
  } as unknown as Kind
  const catalog = new Catalog({ store, cache, kinds: [builtIn] })
  const stop = serveCustomResources({ catalog, log: createLogger({ write: () => undefined }) })
  const key = `${prefix}widgets.example.com`
  const value = encodeForStore(definition({ status: established }))
  await store.commit({ conditions: [{ key, revision: 0 }], changes: [{ key, value }] })
  t.equal(catalog.find({ group: 'example.com', version: 'v1', resource: 'widgets' }), builtIn)
  stop()
  await cache.close()
  await store.close()
})
