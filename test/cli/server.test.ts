// `k3v server` as a person meets it: started, ended, killed, started again, and told the wrong thing.

import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { configMaps } from '../../src/client/resources.ts'
import { run, serverFolder } from './server-process.ts'

test('k3v server is ready, keeps its files to their owner, and ends cleanly', async (t) => {
  await using folder = await serverFolder()
  const first = await folder.start()
  t.match(first.readyLine, /^k3v is ready at https:\/\/127\.0\.0\.1:\d+ in [\d.]+ s/)
  t.equal((await stat(join(folder.path, 'data'))).mode & 0o777, 0o700)
  t.equal((await stat(folder.kubeconfig)).mode & 0o777, 0o600)
  const client = await first.client()
  const made = await client.create(configMaps, {
    metadata: { name: 'kept', namespace: 'default' },
    data: { a: '1' },
  })
  t.equal(await first.stop('SIGTERM'), 0)

  await t.test('a second start finds everything', async (t) => {
    const second = await folder.start()
    const found = await (await second.client()).get(configMaps, { namespace: 'default', name: 'kept' })
    t.equal(found?.metadata.uid, made.metadata.uid)
    t.equal(found?.metadata.resourceVersion, made.metadata.resourceVersion)
    t.equal(await second.stop('SIGINT'), 0)
  })
})

test('kill -9 in the middle of a write load loses no acknowledged object', async (t) => {
  await using folder = await serverFolder()
  const server = await folder.start()
  const client = await server.client()
  const acknowledged: string[] = []
  const writer = async (id: number): Promise<void> => {
    for (let count = 0; ; count += 1) {
      const name = `w${id}-${count}`
      try {
        await client.create(configMaps, {
          metadata: { name, namespace: 'default' },
          data: { value: 'x'.repeat(500) },
        })
      } catch {
        return
      }
      acknowledged.push(name)
      if (acknowledged.length === 400) server.child.kill('SIGKILL')
    }
  }
  const exited = once(server.child, 'exit')
  await Promise.all(Array.from({ length: 8 }, (_, id) => writer(id)))
  await exited
  const again = await folder.start()
  const { items } = await (await again.client()).list(configMaps, { namespace: 'default' })
  const found = new Set(items.map((item) => item.metadata.name))
  t.ok(acknowledged.length >= 400)
  t.same(
    acknowledged.filter((name) => !found.has(name)),
    [],
  )
  await again.stop('SIGTERM')
})

test('a port in use is named, and nothing is left behind', async (t) => {
  await using folder = await serverFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as { port: number }
  const { child, stderr } = run([
    'server',
    '--no-sync',
    '--listen-port',
    String(port),
    '--data-dir',
    join(folder.path, 'data'),
    '--write-kubeconfig',
    folder.kubeconfig,
  ])
  const [code] = await once(child, 'exit')
  t.equal(code, 1)
  t.match(stderr(), new RegExp(`port ${port} (on 127.0.0.1 )?is in use`))
  t.notMatch(stderr(), /\n\s+at /)
  t.notOk((await readdir(folder.path)).includes('kubeconfig.yaml'))
  taken.close()
})

test('a second server on the same data is refused', async (t) => {
  await using folder = await serverFolder()
  const server = await folder.start()
  const { child, stderr } = run([
    'server',
    '--no-sync',
    '--listen-port',
    '0',
    '--data-dir',
    join(folder.path, 'data'),
  ])
  const [code] = await once(child, 'exit')
  t.equal(code, 1)
  t.match(stderr(), /in use by another process|is locked|locked/)
  await server.stop('SIGTERM')
})

test('no host at all is a usage error that names the mend', async (t) => {
  const { child, stderr } = run(['server'])
  const [code] = await once(child, 'exit')
  t.equal(code, 2)
  t.match(stderr(), /--kubeconfig FILE/)
  t.match(stderr(), /--no-sync/)
})

test('a kubeconfig that is not there is named', async (t) => {
  await using folder = await serverFolder()
  const { child, stderr } = run([
    '--kubeconfig',
    join(folder.path, 'no-such.yaml'),
    '--data-dir',
    join(folder.path, 'data'),
  ])
  const [code] = await once(child, 'exit')
  t.equal(code, 1)
  t.match(stderr(), /no-such\.yaml/)
  t.notMatch(stderr(), /\n\s+at /)
})
