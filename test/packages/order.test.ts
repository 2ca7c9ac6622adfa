import t from 'tap'
import { applyOrder } from '../../src/packages/order.ts'

const object = (apiVersion: string, kind: string, name = kind) => ({ apiVersion, kind, metadata: { name } })

t.test('applyOrder() puts what others need first, and keeps the order of equals', async (t) => {
  const given = [
    object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'),
    object('demo.dev/v1', 'Guestbook'),
    object('apps/v1', 'Deployment', 'b'),
    object('apps/v1', 'Deployment', 'a'),
    object('serving.knative.dev/v1', 'Service', 'knative'),
    object('v1', 'Service'),
    object('rbac.authorization.k8s.io/v1', 'ClusterRole'),
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    object('v1', 'Namespace'),
  ]
  t.same(
    applyOrder(given, (one) => one).map(({ metadata }) => metadata.name),
    [
      'Namespace',
      'CustomResourceDefinition',
      'ClusterRole',
      'Service',
      'b',
      'a',
      'Guestbook',
      'knative',
      'ValidatingWebhookConfiguration',
    ],
  )
})
