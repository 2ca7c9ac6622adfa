import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startBench } from './bench-of-pods.ts'

const folder = async (directory: string, files: Record<string, string>): Promise<string> => {
  await mkdir(directory, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}

t.test('a container reads and writes below its mounts, and errors name its own paths', async (t) => {
  await using bench = await startBench()
  const source = await folder(join(bench.directory, 'config'), { 'a.txt': 'alpha' })
  const data = await folder(join(bench.directory, 'data'), {})
  const one = await bench.run({
    podIP: '10.244.0.2',
    mounts: [
      { path: '/etc/config', source, isReadOnly: true },
      { path: '/data', source: data, isReadOnly: false },
    ],
    source: `
      import fs, { readFileSync, existsSync } from 'node:fs'
      import { readFile, writeFile, realpath } from 'node:fs/promises'
      import { DatabaseSync } from 'node:sqlite'
      const say = (...words) => console.log(JSON.stringify(words))
      say('sync', readFileSync('/etc/config/a.txt', 'utf8'), existsSync('/etc/config/../config/a.txt'))
      say('promise', await readFile(new URL('file:///etc/config/a.txt'), 'utf8'), await realpath('/data'))
      fs.readFile('/etc/config/a.txt', 'utf8', (error, text) => say('callback', error, text))
      await readFile('/etc/config/none').catch((error) => say('error', error.message, error.path))
      await writeFile('/etc/config/b.txt', 'x').catch((error) => say('read-only', error.code))
      await writeFile('/data/out.txt', 'written')
      fs.createWriteStream('/data/stream.txt').end('streamed')
      new DatabaseSync('/data/base.db').exec('create table a (b)')
      say('env', process.env.GIVEN, process.env.USER, Object.keys(process.env).filter((name) => name.startsWith('npm')))
    `,
    env: { GIVEN: '/etc/config/a.txt' },
  })
  t.equal((await one.exited).exitCode, 0, await one.log())
  const said = Object.fromEntries(
    (await one.log())
      .trim()
      .split('\n')
      .map((line) => {
        const [key, ...rest] = JSON.parse(line)
        return [key, rest]
      }),
  )
  t.same(said['sync'], ['alpha', true])
  t.same(said['promise'], ['alpha', '/data'])
  t.same(said['callback'], [null, 'alpha'])
  t.same(said['error'], ["ENOENT: no such file or directory, open '/etc/config/none'", '/etc/config/none'])
  t.same(said['read-only'], ['EROFS'])
  t.same(said['env'], ['/etc/config/a.txt', null, []])
  t.equal(await readFile(join(data, 'out.txt'), 'utf8'), 'written')
  t.equal(await readFile(join(data, 'stream.txt'), 'utf8'), 'streamed')
  t.ok((await readFile(join(data, 'base.db'))).length > 0)
})

t.test('modules below mounts are imported, required, run as workers and as children', async (t) => {
  await using bench = await startBench()
  const source = await folder(join(bench.directory, 'library'), {
    'm.mjs': "export const m = 'module'",
    'c.cjs': "module.exports = 'common'",
    'w.mjs':
      "import { parentPort } from 'node:worker_threads'; import { readFileSync } from 'node:fs'; parentPort.postMessage(readFileSync('/library/m.mjs', 'utf8').length)",
    'child.mjs':
      "import { readFileSync } from 'node:fs'; console.log('child', readFileSync('/library/m.mjs', 'utf8').length, process.argv[2])",
  })
  const one = await bench.run({
    podIP: '10.244.0.2',
    mounts: [{ path: '/library', source, isReadOnly: true }],
    source: `
      import { createRequire } from 'node:module'
      import { spawn, execFileSync, fork } from 'node:child_process'
      import { Worker } from 'node:worker_threads'
      import { m } from '/library/m.mjs'
      const require = createRequire('/library/x.js')
      console.log(m, require('/library/c.cjs'), require('./c.cjs'), (await import('file:///library/m.mjs')).m)
      const worker = new Worker('/library/w.mjs')
      console.log('worker', await new Promise((resolve) => worker.on('message', resolve)))
      const end = (child) => new Promise((resolve) => child.on('exit', resolve))
      await end(spawn('node', ['/library/child.mjs', '/library/argument'], { stdio: 'inherit' }))
      await end(fork('/library/child.mjs', ['forked']))
      console.log(String(execFileSync(process.execPath, ['/library/child.mjs', 'sync'])).trim())
      await end(spawn('sh', ['-c', 'node /library/child.mjs shell'], { stdio: 'inherit', env: { ...process.env, PATH: '/nowhere:' + process.execPath.replace(/.node$/, '') + ':/bin:/usr/bin' } }))
    `,
  })
  t.equal((await one.exited).exitCode, 0, await one.log())
  t.same((await one.log()).trim().split('\n'), [
    'module common common module',
    'worker 25',
    'child 25 /library/argument',
    'child 25 forked',
    'child 25 sync',
    'child 25 shell',
  ])
})

t.test('two pods listen on one port, and reach each other by address', async (t) => {
  await using bench = await startBench()
  const server = `
    import http from 'node:http'
    const server = http.createServer((request, response) => response.end(process.env.NAME + ' ' + request.url))
    server.listen(8080, () => console.log('address', JSON.stringify(server.address())))
  `
  const first = await bench.run({ podIP: '10.244.0.2', source: server, env: { NAME: 'first' } })
  const second = await bench.run({ podIP: '10.244.0.3', source: server, env: { NAME: 'second' } })
  await Promise.all([first.logged('address'), second.logged('address')])
  t.match(await first.log(), '"port":8080')
  const client = await bench.run({
    podIP: '10.244.0.4',
    source: `
      import http from 'node:http'
      import net from 'node:net'
      const get = (url) => new Promise((resolve, reject) => http.get(url, (answer) => { answer.setEncoding('utf8'); let text = ''; answer.on('data', (part) => { text += part }); answer.on('end', () => resolve(text)) }).on('error', reject))
      console.log(await get('http://10.244.0.2:8080/a'))
      console.log(await (await fetch('http://10.244.0.3:8080/b')).text())
      const socket = net.connect(8080, '10.244.0.2')
      socket.write('GET /raw HTTP/1.0\\r\\n\\r\\n')
      let raw = ''
      for await (const part of socket) raw += part
      console.log(raw.split('\\r\\n').at(-1))
      await get('http://10.244.0.2:9/').catch((error) => console.log(error.code, error.message))
      net.connect(8080, '127.0.0.1').on('error', (error) => console.log('own', error.code))
    `,
  })
  t.equal((await client.exited).exitCode, 0, await client.log())
  t.same((await client.log()).trim().split('\n'), [
    'first /a',
    'second /b',
    'first /raw',
    'ECONNREFUSED connect ECONNREFUSED 10.244.0.2:9',
    'own ECONNREFUSED',
  ])
})

t.test('a service is reached by its names, and its address leads to a ready endpoint', async (t) => {
  await using bench = await startBench()
  bench.services.push(
    {
      metadata: { name: 'web', namespace: 'default' },
      spec: { clusterIP: '10.96.0.20', ports: [{ name: 'http', port: 80 }] },
    },
    {
      metadata: { name: 'set', namespace: 'default' },
      spec: { clusterIP: 'None', ports: [{ name: 'http', port: 8080 }] },
    },
  )
  const port = { name: 'http', port: 8080, protocol: 'TCP' }
  bench.slices.push(
    {
      metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [port],
      endpoints: [
        { addresses: ['10.244.0.9'], conditions: { ready: false } },
        { addresses: ['10.244.0.2'], conditions: { ready: true } },
      ],
    },
    {
      metadata: { name: 'set-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'set' } },
      addressType: 'IPv4',
      ports: [port],
      endpoints: [{ addresses: ['10.244.0.2'], hostname: 'set-0', conditions: { ready: true } }],
    },
  )
  const server = await bench.run({
    podIP: '10.244.0.2',
    name: 'set-0',
    source: `
      import http from 'node:http'
      import os from 'node:os'
      http.createServer((request, response) => response.end(os.hostname())).listen({ port: 8080, host: '0.0.0.0' }, () => console.log('up'))
    `,
  })
  await server.logged('up')
  const client = await bench.run({
    podIP: '10.244.0.4',
    source: `
      import dns from 'node:dns'
      import { lookup } from 'node:dns/promises'
      for (const name of ['web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local', 'set-0.set:8080', 'set:8080']) {
        console.log(name, await (await fetch('http://' + name + '/')).text())
      }
      console.log((await lookup('web')).address)
      console.log(await dns.promises.resolve4('set.default.svc.cluster.local'))
      console.log((await dns.promises.resolveSrv('_http._tcp.web.default.svc.cluster.local'))[0].port)
      await lookup('none.default.svc.cluster.local').catch((error) => console.log(error.code))
    `,
  })
  t.equal((await client.exited).exitCode, 0, await client.log())
  t.same((await client.log()).trim().split('\n'), [
    'web set-0',
    'web.default set-0',
    'web.default.svc set-0',
    'web.default.svc.cluster.local set-0',
    'set-0.set:8080 set-0',
    'set:8080 set-0',
    '10.96.0.20',
    "[ '10.244.0.2' ]",
    '80',
    'ENOTFOUND',
  ])
})

t.test(
  'within a pod loopback is shared, a taken port is an error, and nobody else reaches loopback',
  async (t) => {
    await using bench = await startBench()
    const server = await bench.run({
      podIP: '10.244.0.2',
      source: `
      import net from 'node:net'
      net.createServer((socket) => socket.end('own')).listen(5000, '127.0.0.1', () => console.log('up'))
    `,
    })
    await server.logged('up')
    const sibling = await bench.run({
      podIP: '10.244.0.2',
      source: `
      import net from 'node:net'
      const socket = net.connect(5000, 'localhost')
      for await (const part of socket) console.log(String(part))
      net.createServer().on('error', (error) => console.log(error.code)).listen(5000)
    `,
    })
    t.equal((await sibling.exited).exitCode, 0, await sibling.log())
    t.equal(await sibling.log(), 'own\nEADDRINUSE\n')
    t.throws(() => bench.network.route({ address: '10.244.0.2', port: 5000 }), { code: 'ECONNREFUSED' })
  },
)

t.test('a secure server and an http2 client find each other under a service name', async (t) => {
  await using bench = await startBench()
  const server = await bench.run({
    podIP: '10.244.0.2',
    source: `
      import http2 from 'node:http2'
      const server = http2.createServer()
      server.on('stream', (stream) => { stream.respond({ ':status': 200 }); stream.end('over http2') })
      server.listen(8443, () => console.log('up'))
    `,
  })
  await server.logged('up')
  const client = await bench.run({
    podIP: '10.244.0.3',
    source: `
      import http2 from 'node:http2'
      const session = http2.connect('http://10.244.0.2:8443')
      const request = session.request({ ':path': '/' })
      for await (const part of request) console.log(String(part))
      session.close()
    `,
  })
  t.equal((await client.exited).exitCode, 0, await client.log())
  t.equal(await client.log(), 'over http2\n')
})

t.test('a container ends when the host is gone', async (t) => {
  await using bench = await startBench()
  const one = await bench.run({
    podIP: '10.244.0.2',
    source: "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')",
  })
  await one.logged('up')
  await bench.network[Symbol.asyncDispose]()
  t.equal((await one.exited).exitCode, 137)
})

t.test('a pod with nameservers of its own asks those, where the map says that they listen', async (t) => {
  await using bench = await startBench()
  bench.services.push({
    metadata: { name: 'dns', namespace: 'default' },
    spec: { clusterIP: '10.96.0.53', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
  })
  bench.slices.push({
    metadata: { name: 'dns-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'dns' } },
    addressType: 'IPv4',
    ports: [{ name: 'dns', port: 1053, protocol: 'UDP' }],
    endpoints: [{ addresses: ['10.244.0.2'] }],
  })
  const server = await bench.run({
    podIP: '10.244.0.2',
    source: `
      import dgram from 'node:dgram'
      const socket = dgram.createSocket('udp4')
      // Answers every A question with 10.96.7.7, and says what was asked.
      socket.on('message', (query, from) => {
        let at = 12
        const labels = []
        while (query[at] !== 0) { labels.push(query.toString('latin1', at + 1, at + 1 + query[at])); at += query[at] + 1 }
        const name = labels.join('.')
        console.log('asked', name)
        const answer = Buffer.from(query.subarray(0, at + 5))
        answer.writeUInt16BE(name.startsWith('known.default') ? 0x8180 : 0x8183, 2)
        answer.writeUInt16BE(1, 4)
        answer.writeUInt16BE(name.startsWith('known.default') ? 1 : 0, 6)
        answer.writeUInt16BE(0, 8)
        answer.writeUInt16BE(0, 10)
        const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 96, 7, 7])
        socket.send(name.startsWith('known.default') ? Buffer.concat([answer, record]) : answer, from.port, from.address)
      })
      socket.bind(1053, () => console.log('up', socket.address().port))
    `,
  })
  await server.logged('up 1053')
  const client = await bench.run({
    podIP: '10.244.0.3',
    spec: {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['10.96.0.53'],
        searches: ['default.svc.cluster.local'],
        options: [{ name: 'ndots', value: '5' }],
      },
    },
    source: `
      import { lookup } from 'node:dns/promises'
      console.log((await lookup('known')).address)
      await lookup('unknown').catch((error) => console.log(error.code))
    `,
  })
  t.equal((await client.exited).exitCode, 0, await client.log())
  t.equal(await client.log(), '10.96.7.7\nENOTFOUND\n')
})

t.test('the workers of a cluster share the port that each of them asks for', async (t) => {
  await using bench = await startBench()
  const server = await bench.run({
    podIP: '10.244.0.2',
    source: `
      import cluster from 'node:cluster'
      import http from 'node:http'
      if (cluster.isPrimary) {
        for (let count = 0; count < 2; count += 1) cluster.fork()
        let listening = 0
        cluster.on('listening', () => { listening += 1; if (listening === 2) console.log('up') })
      } else {
        http.createServer((request, response) => response.end('shared')).listen(8080)
      }
    `,
  })
  await server.logged('up')
  const { host, port } = bench.network.route({ address: '10.244.0.2', port: 8080 })
  t.equal(await (await fetch(`http://${host}:${port}/`)).text(), 'shared')
})
