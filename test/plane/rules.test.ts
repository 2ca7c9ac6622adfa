// Validation rules of a CRD as a user of kubectl meets them.

import { test } from 'tap'
import { startTestPlane } from './start-plane.ts'

const definition = (rule: string): string => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: pools.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: pools, singular: pool, kind: Pool }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              x-kubernetes-validations:
                - { rule: "${rule}" }
                - { rule: self.zone == oldSelf.zone, message: a pool stays in its zone, fieldPath: .zone }
              properties:
                min: { type: integer }
                max: { type: integer }
                zone: { type: string }
            status: { type: object, x-kubernetes-preserve-unknown-fields: true }
`

const pool = (spec: string): string =>
  `apiVersion: example.com/v1\nkind: Pool\nmetadata: { name: first, namespace: default }\nspec: ${spec}\n`

test('kubectl shows which rule an object breaks', async (t) => {
  await using cluster = await startTestPlane()
  const { ok, kubectl } = cluster
  const wrong = await kubectl('apply -f -', definition('self.low <= self.max'))
  t.equal(wrong.code, 1)
  t.match(wrong.stderr, /x-kubernetes-validations\[0\]\.rule: Invalid value: .*compilation failed: ERROR/)
  t.match(wrong.stderr, /undefined field 'low'/)
  const created = await kubectl('apply -f -', definition('self.min <= self.max'))
  t.match(created, { code: 0, stderr: '' }, 'and no warning')
  await ok('wait --for=condition=Established crd/pools.example.com --timeout=10s')

  const broken = await kubectl('apply -f -', pool('{ min: 3, max: 2, zone: a }'))
  t.match(
    broken.stderr,
    /The Pool "first" is invalid: spec: Invalid value: failed rule: self.min <= self.max/,
  )
  await ok('apply -f -', pool('{ min: 1, max: 2, zone: a }'))
  const moved = await kubectl('apply -f -', pool('{ min: 1, max: 2, zone: b }'))
  t.match(moved.stderr, /The Pool "first" is invalid: spec.zone: Invalid value: a pool stays in its zone/)
  const patched = await kubectl('patch pool first -n default --type=merge -p {"spec":{"min":9}}')
  t.match(patched.stderr, /failed rule: self.min <= self.max/)
  t.match(await ok('patch pool first -n default --type=merge -p {"spec":{"max":5}}'), /patched/)
})
