import t from 'tap'
import { createProof } from '../../src/deploy/prove/prove.ts'
import { renderPackage } from '../../src/packages/pack.ts'
import { bootProofPlane } from '../../src/plane/proof.ts'
import { configMapText, filesOf, manifestText, sandbox } from '../packages/make-package.ts'

async function proveText(text: string, stalledAfterMs = 5_000) {
  const files = filesOf({ 'k3v.yaml': manifestText(), 'manifests/a.yaml': text })
  const { objects, manifest } = await renderPackage({ files, sandbox })
  return createProof({ bootPlane: bootProofPlane, stalledAfterMs })({ objects, health: manifest.health })
}

const workload = (kind: string, more = '') => `apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${kind.toLowerCase()} }
spec:
  replicas: 2
  selector: { matchLabels: { a: ${kind} } }
  ${more}
  template: { metadata: { labels: { a: ${kind} } }, spec: { containers: [{ name: c, image: web:1 }] } }
`

t.test('a package whose workloads become ready is proved, by the plane’s real controllers', async (t) => {
  const report = await proveText(
    [
      workload('Deployment'),
      workload('StatefulSet', 'serviceName: s'),
      'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { type: LoadBalancer, selector: { a: b }, ports: [{ port: 80 }] }\n',
      'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: c }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Gi } } }\n',
    ].join('---\n'),
  )
  t.same(report.refused, [])
  t.same(report.notReady, [])
  t.equal(report.accepted, 4)
  t.same(report.unproved, ['image web:1: its containers did not run; their pods were taken as ready'])
})

t.test('what the API refuses is reported by file and document', async (t) => {
  const report = await proveText(
    `${workload('Deployment').replace('replicas: 2', 'replicas: -2')}---\n${workload('StatefulSet')}`,
  )
  t.match(report.refused, [
    {
      file: 'manifests/a.yaml',
      document: 1,
      field: 'spec.replicas',
      message: /"deployment" is invalid: spec\.replicas: Invalid value: -2/,
    },
  ])
})

t.test('what does not become ready is reported with the reason', async (t) => {
  const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: as.x.dev }
spec:
  group: x.dev
  scope: Cluster
  names: { kind: A, plural: as, singular: a, listKind: AList }
  versions: [{ name: v1, served: true, storage: true, schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } } }]
`
  const custom = `apiVersion: x.dev/v1
kind: A
metadata: { name: a }
status: { conditions: [{ type: Ready, status: 'False', reason: Never, message: no operator came }] }
`
  const report = await proveText(`${custom}---\n${definition}`, 200)
  t.same(report.refused, [])
  t.match(report.notReady, [
    { file: 'manifests/a.yaml', document: 1, message: 'does not become ready: A a: no operator came' },
  ])
  t.ok(report.unproved.includes('A a: its operator did not run; only its schema was checked'))
})

t.test('webhooks are tried and not stored: nothing could answer them', async (t) => {
  const webhook = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: { name: w }
webhooks:
  - name: w.x.dev
    sideEffects: None
    admissionReviewVersions: [v1]
    clientConfig: { service: { namespace: default, name: s } }
    rules: [{ apiGroups: [''], apiVersions: [v1], operations: ['*'], resources: [configmaps] }]
`
  const report = await proveText(`${webhook}---\n${configMapText()}`)
  t.same(report.refused, [])
  t.equal(report.accepted, 2)
  t.match(report.unproved, [/^ValidatingWebhookConfiguration w: nothing answers it yet/])
})
