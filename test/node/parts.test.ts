import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { Pod, TokenRequest } from '../../src/api/models.ts'
import type { Client } from '../../src/client/client.ts'
import { candidates } from '../../src/node/network/names.ts'
import { PodAddresses } from '../../src/node/pods/addresses.ts'
import { environmentOf } from '../../src/node/pods/environment.ts'
import { expand } from '../../src/node/pods/expand.ts'
import { serviceVariables } from '../../src/node/pods/service-links.ts'
import { mapNodeArguments } from '../../src/node/preload/arguments.ts'
import { createFictive } from '../../src/node/preload/fictive.ts'
import { PathMap } from '../../src/node/preload/path-map.ts'
import { commandLine, isNodeImage } from '../../src/node/process/image.ts'
import { LogFile } from '../../src/node/process/log-file.ts'
import { followLog, readLog } from '../../src/node/process/log-reader.ts'
import { judge } from '../../src/node/scheduling.ts'
import { writeAtomically } from '../../src/node/volumes/atomic.ts'
import { PodTokens } from '../../src/node/volumes/tokens.ts'
import { FakeClock } from '../../src/platform/clock.ts'

t.test('PathMap maps into the deepest mount, once', async (t) => {
  const paths = new PathMap({
    podDirectory: '/data/pods/u',
    mounts: [
      { path: '/app', source: '/data/pods/u/volumes/app', isReadOnly: true },
      { path: '/app/config', source: '/data/pods/u/volumes/config', isReadOnly: false },
      { path: '/data', source: '/data/volumes/claim', isReadOnly: false },
    ],
  })
  const cases = [
    ['/app/main.js', '/data/pods/u/volumes/app/main.js'],
    ['/app', '/data/pods/u/volumes/app'],
    ['/application', '/application'],
    ['/app/../app/config/a', '/data/pods/u/volumes/config/a'],
    ['relative', 'relative'],
    ['/etc/passwd', '/etc/passwd'],
    ['/data/file', '/data/volumes/claim/file'],
    ['/data/volumes/claim/file', '/data/volumes/claim/file'],
    ['/data/pods/u/containers/main', '/data/pods/u/containers/main'],
    ['/data/pods/u/volumes/app/config/a', '/data/pods/u/volumes/config/a'],
  ]
  for (const [path = '', real] of cases) {
    t.equal(paths.toReal(path), real)
    t.equal(paths.toReal(paths.toReal(path)), real)
  }
  t.equal(paths.toVirtual('/data/pods/u/volumes/config/a'), '/app/config/a')
  t.equal(paths.textToVirtual("open '/data/pods/u/volumes/app/x'"), "open '/app/x'")
  t.ok(paths.isReadOnly('/app/x'))
  t.notOk(paths.isReadOnly('/app/config/x'))
})

t.test('mapNodeArguments() maps what Node reads and leaves the rest', async (t) => {
  const toReal = (path: string): string => path.replace(/^\/app/, '/real')
  const cases = [
    [
      ['/app/main.js', '/app/argument'],
      ['/real/main.js', '/app/argument'],
    ],
    [
      ['--import', '/app/pre.js', '--env-file=/app/.env', 'main.js', '/app/x'],
      ['--import', '/real/pre.js', '--env-file=/real/.env', 'main.js', '/app/x'],
    ],
    [
      ['-e', "require('/app/x')", '/app/y'],
      ['-e', "require('/app/x')", '/app/y'],
    ],
    [
      ['--', '/app/main.js'],
      ['--', '/real/main.js'],
    ],
    [[], []],
  ]
  for (const [given = [], wanted] of cases) t.same(mapNodeArguments(given, toReal), wanted)
})

t.test('commandLine() is what the entry point of a Node image makes of it', async (t) => {
  t.same(commandLine({ command: ['sh', '-c'], args: ['x'] }), ['sh', '-c', 'x'])
  t.same(commandLine({ args: ['server.js'] }), ['node', 'server.js'])
  t.same(commandLine({ args: ['--test'] }), ['node', '--test'])
  t.same(commandLine({ args: ['npm', 'start'] }), ['npm', 'start'])
  t.same(commandLine({}), ['node'])
  for (const image of ['node', 'node:26-alpine', 'docker.io/library/node:26@sha256:abc'])
    t.ok(isNodeImage(image), image)
  for (const image of ['nodes', 'registry:5000/node:1', 'node/x', 'me/node'])
    t.notOk(isNodeImage(image), image)
})

t.test('expand() knows names, dollars and leaves the rest', async (t) => {
  t.equal(expand('$(A)-$(B)-$$(A)-$A-$(', { A: 'x' }), 'x-$(B)-$(A)-$A-$(')
})

t.test('environmentOf() takes later sources over earlier ones and tells what is missing', async (t) => {
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { a: '1' } },
    spec: { containers: [] },
  }
  const source = {
    configMap: (_: string, name: string) =>
      name === 'c' ? { metadata: {}, data: { K: 'from c', A: 'c' } } : undefined,
    secret: () => undefined,
  }
  const base = { pod, source, links: { A: 'link', L: 'link' }, allocatable: { cpu: '4', memory: '1Gi' } }
  const env = environmentOf({
    ...base,
    container: {
      name: 'main',
      resources: { limits: { memory: '64Mi' } },
      envFrom: [{ configMapRef: { name: 'c' } }, { configMapRef: { name: 'none', optional: true } }],
      env: [
        { name: 'K', value: 'own of $(A)' },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a']" } } },
        { name: 'MEMORY', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'GONE', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } },
      ],
    },
  })
  t.same(env, { A: 'c', L: 'link', K: 'own of c', NAME: '1', MEMORY: '64', CPU: '4' })
  const missing = {
    name: 'main',
    env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'c', key: 'none' } } }],
  }
  t.throws(() => environmentOf({ ...base, container: missing }), {
    message: "couldn't find key none in ConfigMap n/c",
  })
})

t.test('serviceVariables() names ports and the first port', async (t) => {
  const variables = serviceVariables({
    kubernetes: undefined,
    services: [
      { metadata: { name: 'my-db' }, spec: { clusterIP: '10.96.0.9', ports: [{ name: 'sql', port: 5432 }] } },
      { metadata: { name: 'none' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
    ],
  })
  t.same(variables, {
    MY_DB_SERVICE_HOST: '10.96.0.9',
    MY_DB_SERVICE_PORT: '5432',
    MY_DB_SERVICE_PORT_SQL: '5432',
    MY_DB_PORT: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP: 'tcp://10.96.0.9:5432',
    MY_DB_PORT_5432_TCP_PROTO: 'tcp',
    MY_DB_PORT_5432_TCP_PORT: '5432',
    MY_DB_PORT_5432_TCP_ADDR: '10.96.0.9',
  })
})

t.test('candidates() follows search domains and ndots', async (t) => {
  const search = { searches: ['a', 'b'], ndots: 2 }
  t.same(candidates('web', search), ['web.a', 'web.b', 'web'])
  t.same(candidates('x.y.z', search), ['x.y.z', 'x.y.z.a', 'x.y.z.b'])
  t.same(candidates('x.', search), ['x'])
})

t.test('createFictive() tells the cluster from loopback and from the rest', async (t) => {
  const fictive = createFictive([{ network: '10.244.0.0', prefix: 16 }])
  t.ok(fictive.isCluster('10.244.3.4'))
  t.notOk(fictive.isCluster('10.245.0.1'))
  t.notOk(fictive.isCluster('example.com'))
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0'])
    t.ok(fictive.isLoopback(address), address)
})

t.test('PodAddresses keeps an address for its pod and gives none twice', async (t) => {
  const addresses = new PodAddresses('10.244')
  t.equal(addresses.take('b', '10.244.0.2'), '10.244.0.2')
  const other = addresses.take('a', undefined)
  t.not(other, '10.244.0.2')
  t.not(addresses.take('c', '10.244.0.2'), '10.244.0.2')
  addresses.release('b')
  t.equal(addresses.take('d', '10.244.0.2'), '10.244.0.2')
})

t.test('judge() binds what fits and says why not', async (t) => {
  const base = {
    nodeName: 'k3v-host',
    nodeLabels: { 'kubernetes.io/os': 'linux' },
    isCordoned: false,
    claim: () => 'bound' as const,
  }
  const pod = (spec: Partial<Pod['spec']>): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [], ...spec },
  })
  t.equal(judge({ ...base, pod: pod({}) }).type, 'bind')
  t.equal(judge({ ...base, pod: pod({ nodeName: 'k3v-host' }) }).type, 'leave')
  t.equal(judge({ ...base, pod: pod({ schedulerName: 'mine' }) }).type, 'leave')
  t.equal(judge({ ...base, pod: pod({ schedulingGates: [{ name: 'g' }] }) }).type, 'leave')
  t.same(judge({ ...base, pod: pod({ nodeSelector: { disk: 'ssd' } }) }), {
    type: 'refuse',
    message: "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
  })
  t.same(judge({ ...base, isCordoned: true, pod: pod({}) }), {
    type: 'refuse',
    message: '0/1 nodes are available: 1 node(s) were unschedulable.',
  })
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }]
  t.match(judge({ ...base, claim: () => 'pending', pod: pod({ volumes }) }), {
    message: /unbound immediate PersistentVolumeClaims/,
  })
})

t.test('a log is bounded, keeps long lines in parts, and is read from its end', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-log-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, '0.log')
  const file = await LogFile.open({ path, clock: new FakeClock(), bytesMax: 4_000 })
  for (let line = 0; line < 200; line += 1) await file.write('stdout', Buffer.from(`line ${line}\n`))
  await file.write('stderr', Buffer.from('no end'))
  await file[Symbol.asyncDispose]()
  const text = await readLog(path)
  t.notMatch(text, /line 0\n/)
  t.ok(text.endsWith('line 199\nno end\n'), text.slice(-40))
  t.equal(await readLog(path, { tail: 2 }), 'line 199\nno end\n')
  t.match(await readLog(path, { tail: 1, timestamps: true }), /^2026-01-01T00:00:00\.\d+Z no end\n$/)
  t.equal(await readLog(path, { limitBytes: 4, tail: 1 }), 'no e')
  t.equal(await readLog(join(folder, 'none')), '')
})

t.test('a followed log shows each line once, also when its file gives way to a new one', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'k3v-log-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = await LogFile.open({ path: join(folder, '0.log'), clock: new FakeClock(), bytesMax: 4_000 })
  await file.write('stdout', Buffer.from('first\nsecond\n'))
  const lines = followLog(file, { tail: 1 })
  t.equal((await lines.next()).value, 'second\n')
  const rest = Array.fromAsync(lines)
  for (let line = 0; line < 100; line += 1) await file.write('stdout', Buffer.from(`line ${line}\n`))
  await file[Symbol.asyncDispose]()
  // A reader that falls behind by more than a file misses lines, but shows none twice and none out of order.
  const seen = (await rest).join('').trim().split('\n')
  const numbers = seen.map((line) => Number(line.replace('line ', '')))
  t.same(
    numbers,
    [...new Set(numbers)].sort((a, b) => a - b),
  )
  t.equal(seen.at(-1), 'line 99')
})

t.test('a token is asked for once, and again when a fifth of its life is left', async (t) => {
  const clock = new FakeClock()
  const asked: unknown[] = []
  const client = {
    create: async (_resource: unknown, request: TokenRequest, target: unknown) => {
      asked.push([request.spec?.audiences, request.spec?.boundObjectRef, target])
      const seconds = request.spec?.expirationSeconds ?? 0
      const expirationTimestamp = new Date(clock.now() + seconds * 1_000).toISOString()
      return { status: { token: `token ${asked.length}`, expirationTimestamp } }
    },
  } as unknown as Client
  const tokens = new PodTokens({ client, clock })
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { serviceAccountName: 'robot', containers: [] },
  }
  const projection = { path: 'token', expirationSeconds: 1_000 }
  t.equal(await tokens.get(pod, projection), 'token 1')
  await clock.advance(799_000)
  t.equal(await tokens.get(pod, projection), 'token 1')
  await clock.advance(1_000)
  t.equal(tokens.renewAtMs, clock.now())
  t.equal(await tokens.get(pod, projection), 'token 2')
  t.match(asked[0], [[], { kind: 'Pod', name: 'p', uid: 'u' }, { name: 'robot', namespace: 'n' }])
})

t.test(
  'writeAtomically() swaps all files at once, removes what is gone, and writes nothing when nothing changed',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'k3v-atomic-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const payload = (files: Record<string, string>) =>
      new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o644 }]))
    t.ok(await writeAtomically(folder, payload({ a: '1', 'sub/b': '2' }), '1'))
    t.equal(await readFile(join(folder, 'sub/b'), 'utf8'), '2')
    t.notOk(await writeAtomically(folder, payload({ a: '1', 'sub/b': '2' }), '2'))
    t.ok(await writeAtomically(folder, payload({ a: '3' }), '3'))
    t.same((await readdir(folder)).sort(), ['..3', '..data', 'a'])
    t.equal(await readFile(join(folder, 'a'), 'utf8'), '3')
    await writeFile(join(folder, '..data_tmp'), 'left by a crash')
    t.ok(await writeAtomically(folder, payload({ a: '4' }), '4'))
  },
)
