// Autoscalers and runtime classes: stored, with a warning, and the same object in both versions.

import { test } from 'tap'
import { startTestPlane } from '../plane/start-plane.ts'

const scaler = `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web, namespace: default, annotations: { mine: 'yes' } }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  maxReplicas: 5
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 70 } }
    - type: Pods
      pods: { metric: { name: packets }, target: { type: AverageValue, averageValue: 1k } }
  behavior: { scaleDown: { stabilizationWindowSeconds: 60 } }
`

test('an autoscaler is one object in two versions, and loses nothing on the way', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  const made = await kubectl('apply -f -', scaler)
  t.match(made.stderr, /NotEnforcedOnHost: horizontalpodautoscalers are stored, but/)
  t.match(await ok('get hpa web'), /Deployment\/web\s+cpu: <unknown>\/70%, <unknown>\/1k\s+1\s+5\s+0/)
  const second = JSON.parse(await ok('get horizontalpodautoscalers.v2.autoscaling web -o json'))
  t.match(second.spec.behavior.scaleUp, { selectPolicy: 'Max', stabilizationWindowSeconds: 0 })
  const first = JSON.parse(await ok('get horizontalpodautoscalers.v1.autoscaling web -o json'))
  t.equal(first.apiVersion, 'autoscaling/v1')
  t.equal(first.spec.targetCPUUtilizationPercentage, 70)
  t.same(JSON.parse(first.metadata.annotations['autoscaling.alpha.kubernetes.io/metrics']), [
    { type: 'Pods', pods: { metricName: 'packets', targetAverageValue: '1k' } },
  ])
  first.spec.targetCPUUtilizationPercentage = 90
  await ok('replace -f -', JSON.stringify(first))
  const again = JSON.parse(await ok('get horizontalpodautoscalers.v2.autoscaling web -o json'))
  t.equal(again.spec.metrics[0].resource.target.averageUtilization, 90)
  t.same(again.spec.metrics[1], second.spec.metrics[1])
  t.same(again.spec.behavior, second.spec.behavior)
  t.equal(again.metadata.annotations['autoscaling.alpha.kubernetes.io/metrics'], undefined)
  t.equal(again.metadata.annotations.mine, 'yes')
  await ok('create deployment web --image=web')
  t.match(await ok('autoscale deployment web --name=other --max=3 --cpu=50%'), /autoscaled/)
  t.match(await ok('get hpa other'), /cpu: <unknown>\/50%\s+1\s+3/)
  t.match(
    (await kubectl('apply -f -', scaler.replace('maxReplicas: 5', 'maxReplicas: 0'))).stderr,
    /maxReplicas/,
  )
  await ok('delete hpa --all')
})

test('a runtime class is stored, and its handler stays', async (t) => {
  await using cluster = await startTestPlane()
  const runtime = (handler: string) => `
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: { name: sandboxed }
handler: ${handler}
`
  const { ok, kubectl } = cluster
  t.match((await kubectl('apply -f -', runtime('gvisor'))).stderr, /NotEnforcedOnHost: runtimeclasses/)
  t.match(await ok('get runtimeclass'), /sandboxed\s+gvisor/)
  t.match(
    (await kubectl('apply -f -', runtime('kata'))).stderr,
    /handler: Invalid value: "kata": field is immutable/,
  )
  t.match((await kubectl('apply -f -', runtime('Bad_Name'))).stderr, /handler: Invalid value/)
})
