// What a newcomer types, with the real kubectl, against a plane on its own.

import { test } from 'tap'
import { startTestPlane } from './start-plane.ts'

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: widgets, singular: widget, kind: Widget, shortNames: [wd] }
  versions:
    - name: v1
      served: true
      storage: true
      additionalPrinterColumns:
        - { name: Size, type: integer, jsonPath: .spec.size }
      subresources: { status: {}, scale: { specReplicasPath: .spec.size, statusReplicasPath: .status.size } }
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              required: [size]
              properties:
                size: { type: integer, minimum: 1, maximum: 5, description: How many of them }
                color: { type: string, default: blue, enum: [blue, red] }
            status: { type: object, properties: { size: { type: integer } } }
`

const widget = (size: number): string =>
  `apiVersion: example.com/v1\nkind: Widget\nmetadata: { name: first, namespace: default }\nspec: { size: ${size} }\n`

test('kubectl applies a CRD and uses what it defines', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  t.match(
    await ok('apply -f -', definition),
    /customresourcedefinition.apiextensions.k8s.io\/widgets.example.com created/,
  )
  t.match(await ok('wait --for=condition=Established crd/widgets.example.com --timeout=10s'), /condition met/)
  t.match(await ok('apply -f -', widget(2)), /widget.example.com\/first created/)
  t.match(await ok('apply -f -', widget(2)), /unchanged/)
  t.match(await ok('get wd'), /NAME +SIZE\nfirst +2/)
  t.match(await ok('get widget first -o jsonpath={.spec.color}'), /^blue$/)
  const refused = await kubectl('apply -f -', widget(9))
  t.equal(refused.code, 1)
  t.match(refused.stderr, /spec.size in body should be less than or equal to 5/)
  t.match(await ok('scale widget first --replicas=3'), /scaled/)
  t.match(await ok('get widget first -o jsonpath={.spec.size}'), /^3$/)
  t.match(await ok('explain widget.spec.size'), /How many of them/)
  t.match(await ok('delete crd widgets.example.com --timeout=20s'), /deleted/)
  t.match(
    (await kubectl('get widgets')).stderr,
    /could not find the requested resource|doesn't have a resource type/,
  )
})

test('kubectl creates, changes and deletes ordinary objects', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  t.match(await ok('create namespace shop'), /namespace\/shop created/)
  t.match(
    await ok('create deployment web --image=nginx:1.27 --replicas=2 -n shop'),
    /deployment.apps\/web created/,
  )
  t.match(await ok('wait --for=create pod -l app=web -n shop --timeout=20s'), /condition met/)
  await t.test('sees the pods that the controllers made', async (t) => {
    await ok(`wait --for=jsonpath={.status.replicas}=2 deployment/web -n shop --timeout=20s`)
    t.match(
      await ok('get pods -n shop --no-headers'),
      /web-[a-z0-9]+-[a-z0-9]{5} +0\/1 +Pending +0 +\S+\n.*Pending/,
    )
  })
  t.match(await ok('get deployment web -n shop'), /NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/2 +2 +0/)
  t.match(await ok('scale deployment web --replicas=3 -n shop'), /deployment.apps\/web scaled/)
  t.match(await ok(`patch deployment web -n shop -p '{"spec":{"replicas":1}}'`), /patched/)
  t.match(await ok('label deployment web tier=front -n shop'), /labeled/)
  t.match(await ok('annotate deployment web note=hello -n shop'), /annotated/)
  t.match(await ok('get deployment -l tier=front -n shop -o name'), /deployment.apps\/web/)
  t.match(await ok('describe deployment web -n shop'), /Annotations: +.*\n +note: hello/)
  t.match(await ok('set image deployment/web nginx=nginx:1.28 -n shop'), /image updated/)
  const rollout = await kubectl('rollout status deployment/web -n shop --timeout=1s')
  t.match(
    rollout.stdout + rollout.stderr,
    /Waiting for deployment "web" (rollout to finish|spec update to be observed)/,
  )
  t.match(await ok('explain deployment.spec.replicas'), /Number of desired pods/)
  t.match(await ok('create configmap settings --from-literal=a=1 -n shop'), /created/)
  t.match(await ok('get configmap settings -n shop -o yaml'), /a: "1"/)
  t.match(await ok('get all -A'), /deployment.apps\/web/)
  t.match(await ok('delete namespace shop --timeout=30s'), /namespace "shop" deleted/)
  t.match((await kubectl('get namespace shop')).stderr, /namespaces "shop" not found/)
})

test('kubectl asks what there is and what it may', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  t.match(await ok('api-resources'), /deployments +deploy +apps\/v1 +true +Deployment/)
  t.match(await ok('api-versions'), /rbac.authorization.k8s.io\/v1/)
  t.match(await ok('version'), /Server Version: v1.36/)
  t.match(await ok('auth can-i create pods'), /yes/)
  t.match(await ok('auth whoami'), /kubernetes-admin/)
  const denied = await kubectl('auth can-i delete nodes --as=system:serviceaccount:default:default')
  t.match(denied.stdout, /no/)
  const forbidden = await kubectl('get secrets --as=jane')
  t.match(
    forbidden.stderr,
    /secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "default"/,
  )
  t.match(await ok('get namespaces'), /kube-system +Active/)
  t.match(await ok('get serviceaccount default'), /default/)
  t.match(await ok('get configmap kube-root-ca.crt -o name'), /kube-root-ca.crt/)
  t.match(await ok('create token default'), /^eyJ/)
})

test('a wrong object is refused in upstream words', async (t) => {
  await using cluster = await startTestPlane()
  const { kubectl } = cluster
  const unknown = await kubectl(
    'apply -f -',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: default }\ndatum: {}\n',
  )
  t.match(unknown.stderr, /unknown field "datum"/)
  const missing = await kubectl(
    'apply -f -',
    'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a, namespace: nowhere }\n',
  )
  t.match(missing.stderr, /namespaces "nowhere" not found/)
  const name = await kubectl('create configmap Bad_Name')
  t.match(name.stderr, /a lowercase RFC 1123 subdomain must consist of/)
})
