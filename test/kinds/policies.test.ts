import { test } from 'tap'
import { customResourceDefinition } from '../../src/kinds/apiextensions/custom-resource-definition.ts'
import { lease } from '../../src/kinds/coordination/lease.ts'
import { endpointSlice } from '../../src/kinds/discovery/endpoint-slice.ts'
import { at } from '../../src/kinds/fields.ts'
import { ingress } from '../../src/kinds/networking/ingress.ts'
import { ingressClass } from '../../src/kinds/networking/ingress-class.ts'
import { networkPolicy } from '../../src/kinds/networking/network-policy.ts'
import { podDisruptionBudget } from '../../src/kinds/policy/pod-disruption-budget.ts'
import { clusterRole } from '../../src/kinds/rbac/cluster-role.ts'
import { clusterRoleBinding } from '../../src/kinds/rbac/cluster-role-binding.ts'
import { role } from '../../src/kinds/rbac/role.ts'
import { roleBinding } from '../../src/kinds/rbac/role-binding.ts'
import { localSubjectAccessReview, subjectAccessReview } from '../../src/kinds/reviews/access-reviews.ts'
import { priorityClass } from '../../src/kinds/scheduling/priority-class.ts'
import { storageClass } from '../../src/kinds/storage/storage-class.ts'
import { changed, created, createErrors, errorTexts, updateErrors } from './errors.ts'

test('a role’s rules name verbs, groups and resources', async (t) => {
  t.same(createErrors(role, { rules: [{}] }), [
    'rules[0].verbs: Required value: verbs must contain at least one value',
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ])
  t.same(createErrors(role, { rules: null }), [])
  t.same(createErrors(role, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }), [
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ])
  t.same(createErrors(clusterRole, { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }), [])
})

test('names of roles may hold colons', async (t) => {
  for (const kind of [role, roleBinding, clusterRole, clusterRoleBinding])
    t.equal(kind.nameRule, 'path-segment')
})

const roleRef = { kind: 'ClusterRole', name: 'view' }

test('a binding fills in groups and refuses another role later', async (t) => {
  const object = created(roleBinding, { roleRef, subjects: [{ kind: 'User', name: 'u' }] })
  t.equal(at(object, 'roleRef', 'apiGroup'), 'rbac.authorization.k8s.io')
  t.match(object['subjects'], [{ apiGroup: 'rbac.authorization.k8s.io' }])
  t.same(updateErrors(roleBinding, { roleRef }, { roleRef: { ...roleRef, name: 'edit' } }), [
    'roleRef: Invalid value: {"kind":"ClusterRole","name":"edit","apiGroup":"rbac.authorization.k8s.io"}: cannot change roleRef',
  ])
})

test('a cluster role binding gives cluster roles only, and accounts need a namespace', async (t) => {
  const subjects = [{ kind: 'ServiceAccount', name: 's' }]
  t.same(createErrors(clusterRoleBinding, { roleRef: { kind: 'Role', name: 'r' }, subjects }), [
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    'subjects[0].namespace: Required value',
  ])
})

test('a storage class never changes what it means', async (t) => {
  const fields = { provisioner: 'example.com/disk' }
  t.same(createErrors(storageClass, fields), [])
  t.same(createErrors(storageClass, {}), ['provisioner: Required value'])
  t.same(updateErrors(storageClass, fields, { provisioner: 'example.com/other' }), [
    'provisioner: Invalid value: "example.com/other": field is immutable',
  ])
})

test('a priority class of a user stays below the system’s, and keeps its value', async (t) => {
  t.same(createErrors(priorityClass, { value: 2_000_000_000 }), [
    'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
  ])
  t.same(createErrors(priorityClass, {}), [])
  t.same(updateErrors(priorityClass, { value: 1 }, { value: 2 }), [
    'value: Forbidden: may not be changed in an update.',
  ])
  t.match(createErrors(priorityClass, { metadata: { name: 'system-mine' }, value: 1 }), [
    /^metadata\.name: Forbidden: priority class names with 'system-' prefix are reserved/,
  ])
})

test('a budget names one limit', async (t) => {
  t.match(createErrors(podDisruptionBudget, { spec: { minAvailable: 1, maxUnavailable: '101%' } }), [
    /^spec: Invalid value: .*: minAvailable and maxUnavailable cannot be both set$/,
    'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
  ])
})

test('a lease lasts, and is not written without a revision', async (t) => {
  t.notOk(lease.allowsUnconditionalUpdate)
  t.same(createErrors(lease, { spec: { leaseDurationSeconds: 0 } }), [
    'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0',
  ])
})

test('a network policy is about what it speaks of', async (t) => {
  const object = created(networkPolicy, { spec: { egress: [{ ports: [{ port: 53 }] }] } })
  t.same(object['spec'], {
    egress: [{ ports: [{ port: 53, protocol: 'TCP' }] }],
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  })
})

test('a peer of a network policy is addresses or pods', async (t) => {
  const from = [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }, {}]
  t.same(createErrors(networkPolicy, { spec: { ingress: [{ from }] } }), [
    'spec.ingress[0].from[0]: Forbidden: may not specify both ipBlock and another peer',
    'spec.ingress[0].from[1]: Required value: must specify a peer',
  ])
})

test('an ingress leads somewhere', async (t) => {
  t.same(createErrors(ingress, { spec: {} }), [
    'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ])
  const backend = { service: { name: 's', port: { number: 80 } } }
  const rules = [{ host: '*.example.com', http: { paths: [{ path: 'a', pathType: 'Prefix', backend }] } }]
  t.same(createErrors(ingress, { spec: { rules } }), [
    'spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path',
  ])
  t.same(createErrors(ingress, { spec: { defaultBackend: backend } }), [])
})

test('the parameters of an ingress class are the cluster’s unless it says otherwise', async (t) => {
  const spec = { controller: 'example.com/c', parameters: { kind: 'K', name: 'n' } }
  t.equal(at(created(ingressClass, { spec }), 'spec', 'parameters', 'scope'), 'Cluster')
  t.same(createErrors(ingressClass, { spec }), [])
})

test('an endpoint slice holds addresses of its family', async (t) => {
  const slice = (address: string) => ({
    addressType: 'IPv4',
    endpoints: [{ addresses: [address] }],
    ports: [{}],
  })
  t.same(createErrors(endpointSlice, slice('10.0.0.1')), [])
  t.same(createErrors(endpointSlice, slice('fd00::1')), [
    'endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address',
  ])
  t.same(created(endpointSlice, slice('10.0.0.1'))['ports'], [{ name: '', protocol: 'TCP' }])
})

test('a review asks one question about somebody', async (t) => {
  const errors = errorTexts(subjectAccessReview.validateCreate({ metadata: {}, spec: {} }))
  t.same(errors, [
    'spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    'spec.user: Invalid value: "": at least one of user or group must be specified',
  ])
  const local = { metadata: { namespace: 'a' }, spec: { user: 'u', resourceAttributes: { namespace: 'b' } } }
  t.same(errorTexts(localSubjectAccessReview.validateCreate(local)), [
    'spec.resourceAttributes.namespace: Invalid value: "b": must match metadata.namespace',
  ])
})

const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }
const definition = (spec: object = {}, name = 'things.example.com') => ({
  metadata: { name },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: [version],
    ...spec,
  },
})

test('a definition gets names, a conversion and its stored version', async (t) => {
  const object = created(customResourceDefinition, definition())
  t.match(at(object, 'spec', 'names'), { singular: 'thing', listKind: 'ThingList' })
  t.same(at(object, 'spec', 'conversion'), { strategy: 'None' })
  t.same(object['status'], { storedVersions: ['v1'] })
  t.same(createErrors(customResourceDefinition, definition()), [])
})

const definitions: readonly (readonly [string, object, readonly (string | RegExp)[]])[] = [
  [
    'of another name',
    definition({}, 'other.example.com'),
    ['metadata.name: Invalid value: "other.example.com": must be spec.names.plural+"."+spec.group'],
  ],
  [
    'of two storage versions',
    definition({ versions: [version, { ...version, name: 'v2' }] }),
    [/^spec\.versions: Invalid value: .*: must have exactly one version marked as storage version$/],
  ],
  [
    'without a schema',
    definition({ versions: [{ ...version, schema: undefined }] }),
    ['spec.versions[0].schema.openAPIV3Schema: Required value'],
  ],
  [
    'of an unknown scope',
    definition({ scope: 'Galaxy' }),
    ['spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'],
  ],
  [
    'of the community’s group without approval',
    definition({ group: 'things.k8s.io' }, 'things.things.k8s.io'),
    [/^metadata\.annotations\[api-approved\.kubernetes\.io\]: Required value: protected groups/],
  ],
]

for (const [what, fields, expected] of definitions) {
  test(`a definition ${what} is refused`, async (t) => {
    t.match(createErrors(customResourceDefinition, fields as Record<string, unknown>), expected)
  })
}

test('a version that is not stored need not say so', async (t) => {
  const other = { name: 'v2', schema: version.schema }
  t.same(createErrors(customResourceDefinition, definition({ versions: [version, other] })), [])
})

test('a new storage version joins the stored ones, and an old one stays', async (t) => {
  const old = created(customResourceDefinition, definition())
  const versions = [
    { ...version, storage: false },
    { ...version, name: 'v2' },
  ]
  const next = changed(customResourceDefinition, old, definition({ versions }))
  t.same(at(next, 'status', 'storedVersions'), ['v1', 'v2'])
  const dropped = changed(
    customResourceDefinition,
    next,
    definition({ versions: [{ ...version, name: 'v2' }] }),
  )
  t.match(errorTexts(customResourceDefinition.validateUpdate(dropped, next)), [
    /^status\.storedVersions\[0\]: Invalid value: "v1": missing from spec\.versions/,
  ])
})
