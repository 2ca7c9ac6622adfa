import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Service } from '../../src/api/models.ts'
import { jobs, nodes, pods, secrets, services } from '../../src/client/resources.ts'
import { until } from '../controllers/simulate-pods.ts'
import { isReady, script, startTestHost } from './start-host.ts'

t.test('a pod runs with its variables and volumes, becomes ready, and is read', async (t) => {
  await using one = await startTestHost()
  const node = await one.host.client.get(nodes, { name: 'k3v-host' })
  t.equal(node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status, 'True')
  await one.config('app', {
    'main.mjs': "import { name } from './name.mjs'; console.log('runs as', name)",
    'name.mjs': 'export const name = process.env.POD_NAME',
  })
  await one.host.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'key', namespace: 'default' },
    data: { key: 'c2VjcmV0' },
  })
  await one.create(
    'first',
    {
      restartPolicy: 'Never',
      containers: [
        {
          name: 'main',
          image: 'docker.io/library/node:26-alpine',
          command: ['node', '/app/main.mjs'],
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          volumeMounts: [{ name: 'app', mountPath: '/app' }],
        },
        script(
          `
        import { readFileSync, readdirSync } from 'node:fs'
        console.log(readFileSync('/keys/sub/key.txt', 'utf8'), readFileSync('/podinfo/labels', 'utf8'), process.env.COMBINED, process.env.FROM_key)
        console.log(process.env.KUBERNETES_SERVICE_HOST, readdirSync('/var/run/secrets/kubernetes.io/serviceaccount').filter((name) => !name.startsWith('..')).sort().join())
        `,
          {
            name: 'second',
            env: [
              { name: 'A', value: 'x' },
              { name: 'COMBINED', value: '$(A)-$(POD_IP)-$$(A)' },
            ],
            envFrom: [{ prefix: 'FROM_', secretRef: { name: 'key' } }],
            volumeMounts: [
              { name: 'all', mountPath: '/keys' },
              { name: 'info', mountPath: '/podinfo' },
            ],
          },
        ),
      ],
      volumes: [
        { name: 'app', configMap: { name: 'app' } },
        {
          name: 'all',
          projected: { sources: [{ secret: { name: 'key', items: [{ key: 'key', path: 'sub/key.txt' }] } }] },
        },
        {
          name: 'info',
          downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
        },
      ],
    },
    { labels: { app: 'first' } },
  )
  const pod = await one.until('first', ({ status }) => status?.phase === 'Succeeded')
  t.equal(pod.spec?.nodeName, 'k3v-host')
  t.match(pod.status?.podIP, /^10\.244\./)
  t.equal(
    await one.host.actor.logs({ namespace: 'default', pod: 'first', container: 'main' }),
    'runs as first\n',
  )
  t.equal(
    await one.host.actor.logs({ namespace: 'default', pod: 'first', container: 'second' }),
    'secret app="first" x-$(POD_IP)-$(A) secret\n10.96.0.1 ca.crt,namespace,token\n',
  )
  await t.rejects(
    one.host.actor.logs({ namespace: 'default', pod: 'first' }),
    /a container name must be specified for pod first/,
  )
  t.same(one.host.actor.processes(), [])
})

t.test(
  'a pod is ready when its probe says so, serves under its service name, and speaks to the API with its token',
  async (t) => {
    await using one = await startTestHost()
    await one.create(
      'server',
      {
        hostname: 'zero',
        containers: [
          script(
            "import http from 'node:http'; import os from 'node:os'; http.createServer((q, r) => r.end(os.hostname() + q.url)).listen(8080)",
            {
              ports: [{ name: 'web', containerPort: 8080 }],
              readinessProbe: { httpGet: { path: '/ready', port: 'web' }, periodSeconds: 1 },
              livenessProbe: { tcpSocket: { port: 8080 } },
              startupProbe: {
                exec: {
                  command: [
                    'node',
                    '-e',
                    "require('net').connect(8080, '127.0.0.1').on('error', () => process.exit(1)).on('connect', () => process.exit(0))",
                  ],
                },
                periodSeconds: 1,
                failureThreshold: 20,
              },
            },
          ),
        ],
      },
      { labels: { app: 'server' } },
    )
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default', annotations: { 'k3v.dev/publish': 'true' } },
      spec: { selector: { app: 'server' }, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
    }
    await one.host.client.create(services, service)
    await one.until('server', isReady)
    await one.create('client', {
      restartPolicy: 'OnFailure',
      containers: [
        script(`
        import { readFileSync } from 'node:fs'
        import https from 'node:https'
        console.log(await (await fetch('http://web.default.svc/path')).text())
        console.log(await (await fetch('http://' + process.env.WEB_SERVICE_HOST + ':' + process.env.WEB_SERVICE_PORT)).text())
        const folder = '/var/run/secrets/kubernetes.io/serviceaccount/'
        const [token, ca] = ['token', 'ca.crt'].map((name) => readFileSync(folder + name, 'utf8'))
        const get = (url) => new Promise((resolve, reject) => https.get(url, { ca, headers: { authorization: 'Bearer ' + token } }, (answer) => { let text = ''; answer.on('data', (part) => { text += part }); answer.on('end', () => resolve(answer.statusCode + ' ' + text)) }).on('error', reject))
        console.log(await get('https://kubernetes.default.svc/version'))
        console.log(await get('https://' + process.env.KUBERNETES_SERVICE_HOST + ':' + process.env.KUBERNETES_SERVICE_PORT + '/api/v1/namespaces/default/pods'))
      `),
      ],
    })
    await one.until('client', ({ status }) => status?.phase === 'Succeeded')
    const log = await one.host.actor.logs({ namespace: 'default', pod: 'client' })
    const [byName, byVariable, version, refused] = log
      .split('\n')
      .filter((line) => line !== '' && !/^ |^}|^{/.test(line))
    t.equal(byName, 'zero/path')
    t.equal(byVariable, 'zero/')
    t.match(version, /^200 /)
    t.match(refused, /^403 .*system:serviceaccount:default:default/)
    const [address] = one.host.actor.resolve('web.default.svc')
    const socket = await one.host.actor.dial({ address: address ?? '', port: 80 })
    socket.end('GET /dialled HTTP/1.0\r\n\r\n')
    let answer = ''
    for await (const part of socket) answer += part
    t.match(answer, 'zero/dialled')
    const published = await one.host.client.get(services, { namespace: 'default', name: 'web' })
    const loopback = published?.metadata.annotations?.['k3v.dev/loopback-80']
    t.equal(await (await fetch(`http://${loopback}/people`)).text(), 'zero/people')
  },
)

t.test('what prepares a pod runs in order, a sidecar goes on, and failures are told', async (t) => {
  await using one = await startTestHost()
  await one.create('prepared', {
    restartPolicy: 'Never',
    initContainers: [
      script("import fs from 'node:fs'; fs.appendFileSync('/work/order', 'a')", {
        name: 'a',
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      }),
      script(
        "import fs from 'node:fs'; fs.appendFileSync('/work/order', 'side'); process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000)",
        {
          name: 'side',
          restartPolicy: 'Always',
          startupProbe: {
            exec: {
              command: [
                'node',
                '-e',
                "process.exit(require('fs').readFileSync('/work/order', 'utf8').endsWith('side') ? 0 : 1)",
              ],
            },
            periodSeconds: 1,
          },
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ),
      script("import fs from 'node:fs'; fs.appendFileSync('/work/order', 'b')", {
        name: 'b',
        volumeMounts: [{ name: 'work', mountPath: '/work', subPath: '.' }],
      }),
    ],
    containers: [
      script("import fs from 'node:fs'; console.log(fs.readFileSync('/work/order', 'utf8'))", {
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      }),
    ],
    volumes: [{ name: 'work', emptyDir: {} }],
  })
  const pod = await one.until('prepared', ({ status }) => status?.phase === 'Succeeded')
  t.equal(await one.host.actor.logs({ namespace: 'default', pod: 'prepared' }), 'asideb\n')
  t.equal(pod.status?.initContainerStatuses?.[1]?.state?.terminated?.exitCode, 0)
  await one.create('failed', {
    restartPolicy: 'Never',
    initContainers: [
      script(
        "import fs from 'node:fs'; fs.writeFileSync('/dev/termination-log', 'last words'); process.exit(3)",
        { name: 'a' },
      ),
    ],
    containers: [script('1')],
  })
  const failed = await one.until('failed', ({ status }) => status?.phase === 'Failed')
  t.match(failed.status?.initContainerStatuses?.[0]?.state?.terminated, {
    exitCode: 3,
    reason: 'Error',
    message: 'last words',
  })
  t.equal(failed.status?.containerStatuses?.[0]?.state?.waiting?.reason, 'PodInitializing')
})

t.test('a container that fails is started again at once and then waits', async (t) => {
  await using one = await startTestHost()
  await one.create('crash', { containers: [script("console.log('try'); process.exit(7)")] })
  const pod = await one.until(
    'crash',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
  )
  const [status] = pod.status?.containerStatuses ?? []
  t.equal(status?.restartCount, 1)
  t.equal(status?.lastState?.terminated?.exitCode, 7)
  t.match(
    status?.state?.waiting?.message,
    /^back-off 10s restarting failed container=main pod=crash_default\(/,
  )
  t.equal(pod.status?.phase, 'Running')
  t.equal(await one.host.actor.logs({ namespace: 'default', pod: 'crash', previous: true }), 'try\n')
})

t.test('a deleted pod is asked to end, made to when it does not, and is gone then', async (t) => {
  await using one = await startTestHost()
  await one.create('polite', {
    terminationGracePeriodSeconds: 20,
    containers: [
      script(
        "process.on('SIGTERM', () => { console.log('bye'); process.exit(0) }); setInterval(() => {}, 1000); console.log('up')",
      ),
    ],
  })
  await one.create('deaf', {
    terminationGracePeriodSeconds: 1,
    containers: [script("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')")],
  })
  await Promise.all([one.untilLogged('polite', 'up'), one.untilLogged('deaf', 'up')])
  const uid = one.pods.get('default', 'polite')?.metadata.uid ?? ''
  t.ok(existsSync(join(one.directory, 'node/pods', uid)))
  const [pid] = one.host.actor.processes().map((running) => running.pid)
  await one.host.client.delete(pods, { namespace: 'default', name: 'polite' })
  await one.host.client.delete(pods, { namespace: 'default', name: 'deaf' })
  await Promise.all([one.untilGone('polite'), one.untilGone('deaf')])
  t.same(one.host.actor.processes(), [])
  t.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' })
})

t.test('hooks run after the start and before the end', async (t) => {
  await using one = await startTestHost()
  const touch = (name: string) => ({
    exec: { command: ['node', '-e', `require('fs').writeFileSync('/work/${name}', '')`] },
  })
  await one.create('hooked', {
    terminationGracePeriodSeconds: 20,
    containers: [
      script(
        `
        import fs from 'node:fs'
        const look = () => console.log('finds', fs.readdirSync('/work').sort().join())
        process.on('SIGTERM', () => { look(); process.exit(0) })
        fs.watch('/work', look)
        setInterval(() => {}, 1000)
        look()
        `,
        {
          lifecycle: { postStart: touch('after'), preStop: touch('before') },
          volumeMounts: [{ name: 'work', mountPath: '/work' }],
        },
      ),
    ],
    volumes: [{ name: 'work', emptyDir: {} }],
  })
  await one.untilLogged('hooked', 'finds after')
  const said = Array.fromAsync(one.host.actor.followLogs({ namespace: 'default', pod: 'hooked' }))
  await one.host.client.delete(pods, { namespace: 'default', name: 'hooked' })
  await one.untilGone('hooked')
  t.match((await said).join('').trim().split('\n').at(-1), 'finds after,before')
})

t.test('an image that is not run is simulated, and says so', async (t) => {
  await using one = await startTestHost()
  await one.create('web', {
    initContainers: [{ name: 'wait', image: 'busybox', command: ['sh', '-c', 'sleep 1'] }],
    containers: [{ name: 'main', image: 'nginx:1.27', readinessProbe: { httpGet: { port: 80 } } }],
  })
  const pod = await one.until('web', isReady)
  t.equal(pod.status?.message, 'simulated: image "nginx:1.27" is not run by the embedded host')
  t.equal(pod.status?.phase, 'Running')
  await one.host.client.create(jobs, {
    metadata: { name: 'job', namespace: 'default' },
    spec: {
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'busybox' }] } },
    },
  })
  await until(one.host.client, jobs, ([job]) => job?.status?.succeeded === 1)
})
