// What informers of client-go 1.35 and later open first, over the real door: state, a bookmark, then changes.

import { createInterface } from 'node:readline'
import t from 'tap'
import type { Call } from '../../src/api/contracts.ts'
import { startTestEdge, type TestEdge } from './start-edge.ts'

const path = '/api/v1/namespaces/default/configmaps'

async function create(edge: TestEdge, name: string): Promise<void> {
  const call: Call = {
    user: { name: 'tester', groups: [] },
    ...{
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'configmaps',
      subresource: '',
      namespace: 'default',
      name: '',
    },
    options: {},
    object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } },
    signal: new AbortController().signal,
  }
  await edge.door.handle(call)
}

t.test('a watch list sends what is there, marks its end, and goes on with what changes', async (t) => {
  await using edge = await startTestEdge()
  await create(edge, 'before')
  const session = edge.session()
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
  const stream = session.request({ ':path': `${path}?${query}` })
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  const next = async () => JSON.parse((await lines.next()).value ?? 'null')
  t.match(await next(), { type: 'ADDED', object: { metadata: { name: 'before' } } })
  const annotations = { 'k8s.io/initial-events-end': 'true' }
  t.match(await next(), { type: 'BOOKMARK', object: { kind: 'ConfigMap', metadata: { annotations } } })
  await create(edge, 'after')
  t.match(await next(), { type: 'ADDED', object: { metadata: { name: 'after' } } })
  session.destroy()
})

t.test('a long list is read in pieces of one revision', async (t) => {
  await using edge = await startTestEdge()
  for (const name of ['a', 'b', 'c']) await create(edge, name)
  const first = (await edge.h2(`${path}?limit=2`)).json() as {
    metadata: Record<string, string>
    items: object[]
  }
  t.equal(first.items.length, 2)
  t.equal(first.metadata['remainingItemCount'], 1)
  const rest = (
    await edge.h2(`${path}?limit=2&continue=${first.metadata['continue']}`)
  ).json() as typeof first
  t.match(rest.items, [{ metadata: { name: 'c' } }])
  t.equal(rest.metadata['resourceVersion'], first.metadata['resourceVersion'])
  t.equal(rest.metadata['continue'], undefined)
})
