// What kubectl sees of pod security levels and of limit ranges.

import { test } from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

const pod = (name: string, spec: string): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: { name: ${name} }\nspec: ${spec}\n`

const privileged = '{ containers: [{ name: a, image: x, securityContext: { privileged: true } }] }'
const violation =
  'violates PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)'

test('the operator’s level refuses pods in every namespace and warns of workloads', async (t) => {
  await using cluster = await startTestPlane({ podSecurity: 'baseline' })
  const { ok, kubectl } = cluster
  const refused = await kubectl('apply -f -', pod('root', privileged))
  t.match(refused.stderr, `pods "root" is forbidden: ${violation}`)
  const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: root }
spec:
  selector: { matchLabels: { app: root } }
  template: { metadata: { labels: { app: root } }, spec: ${privileged} }
`
  const { code, stderr } = await kubectl('apply -f -', deployment)
  t.equal(code, 0)
  t.match(stderr, `Warning: would ${violation.replace('violates', 'violate')}`)
  await ok('run plain --image=x')
})

test('a namespace’s labels enforce and warn as upstream', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  await ok('create namespace strict')
  await ok('run loose --image=x -n strict')
  const { stderr } = await kubectl('label namespace strict pod-security.kubernetes.io/enforce=restricted')
  t.match(
    stderr,
    'existing pods in namespace "strict" violate the new PodSecurity enforce level "restricted:latest"',
  )
  t.match(stderr, 'Warning: loose: allowPrivilegeEscalation != false, unrestricted capabilities')
  t.match(
    (await kubectl('run other --image=x -n strict')).stderr,
    'pods "other" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
  )
  await ok('label pod loose -n strict still=changeable')
  await ok('label namespace default pod-security.kubernetes.io/warn=restricted')
  const warned = await kubectl('run other --image=x')
  t.equal(warned.code, 0)
  t.match(warned.stderr, 'Warning: would violate PodSecurity "restricted:latest": ')
  t.match(
    (await kubectl('label namespace default pod-security.kubernetes.io/enforce=none')).stderr,
    'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, baseline, restricted',
  )
})

const range = (limit: string): string =>
  `apiVersion: v1\nkind: LimitRange\nmetadata: { name: range }\nspec: { limits: [${limit}] }\n`

test('a limit range fills in what containers leave out and holds them to its bounds', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  const applied = await kubectl(
    'apply -f -',
    range(
      '{ type: Container, default: { cpu: 300m }, defaultRequest: { cpu: 100m, memory: 64Mi }, max: { cpu: 500m }, maxLimitRequestRatio: { cpu: "3" } }',
    ),
  )
  t.equal(applied.stderr, '')
  await ok('run plain --image=x')
  const json = await ok('get pod plain -o json')
  const { metadata, spec } = JSON.parse(json)
  t.strictSame(spec.containers[0].resources, {
    requests: { cpu: '100m', memory: '64Mi' },
    limits: { cpu: '300m' },
  })
  t.equal(
    metadata.annotations['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu, memory request for container plain; cpu limit for container plain',
  )
  const big = '{ containers: [{ name: a, image: x, resources: { limits: { cpu: "1" } } }] }'
  t.match(
    (await kubectl('apply -f -', pod('big', big))).stderr,
    'pods "big" is forbidden: maximum cpu usage per Container is 500m, but limit is 1',
  )
  const steep =
    '{ containers: [{ name: a, image: x, resources: { requests: { cpu: 100m }, limits: { cpu: 400m } } }] }'
  t.match(
    (await kubectl('apply -f -', pod('steep', steep))).stderr,
    'pods "steep" is forbidden: cpu max limit to request ratio per Container is 3, but provided ratio is 4.000000',
  )
})

test('a limit range holds whole pods and claims to its bounds', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  await ok(
    'apply -f -',
    range(
      '{ type: Pod, min: { memory: 100Mi }, max: { memory: 200Mi } }, { type: PersistentVolumeClaim, max: { storage: 1Gi } }',
    ),
  )
  const two = (amount: string): string => {
    const resources = `{ requests: { memory: ${amount} }, limits: { memory: ${amount} } }`
    return `{ containers: [{ name: a, image: x, resources: ${resources} }, { name: b, image: x, resources: ${resources} }] }`
  }
  await ok('apply -f -', pod('fits', two('60Mi')))
  t.match(
    (await kubectl('apply -f -', pod('small', two('40Mi')))).stderr,
    'minimum memory usage per Pod is 100Mi, but request is 80Mi',
  )
  t.match(
    (await kubectl('apply -f -', pod('large', two('120Mi')))).stderr,
    'maximum memory usage per Pod is 200Mi, but limit is 240Mi',
  )
  t.match(
    (await kubectl('run silent --image=x')).stderr,
    'pods "silent" is forbidden: [minimum memory usage per Pod is 100Mi.  No request is specified, maximum memory usage per Pod is 200Mi.  No limit is specified]',
  )
  const claim =
    'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: disk }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 2Gi } } }\n'
  t.match(
    (await kubectl('apply -f -', claim)).stderr,
    'persistentvolumeclaims "disk" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
  )
})
