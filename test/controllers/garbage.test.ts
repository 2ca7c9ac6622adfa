import { test } from 'tap'
import {
  Graph,
  type JudgedOwner,
  judge,
  type OwnerState,
} from '../../src/controllers/lifecycle/garbage-graph.ts'
import { statusOf } from '../../src/controllers/lifecycle/namespace-status.ts'
import { contentOf } from '../../src/controllers/lifecycle/namespaces.ts'

const owners = (...states: OwnerState[]): JudgedOwner[] =>
  states.map((state, index) => ({
    state,
    reference: { apiVersion: 'v1', kind: 'X', name: `o${index}`, uid: `u${index}` },
  }))

const verdicts: [string, string[], OwnerState[], boolean, unknown][] = [
  ['an owner that is there keeps it', [], ['solid'], false, { action: 'keep' }],
  ['the last owner is gone', [], ['absent'], false, { action: 'delete', propagationPolicy: 'Background' }],
  ['one of two owners is gone', [], ['solid', 'absent'], false, { action: 'dropOwners', uids: ['u1'] }],
  [
    'an owner waits, and it has dependents of its own',
    [],
    ['waiting'],
    true,
    { action: 'delete', propagationPolicy: 'Foreground' },
  ],
  [
    'an owner waits, and nothing depends on it',
    [],
    ['waiting'],
    false,
    { action: 'delete', propagationPolicy: 'Background' },
  ],
  [
    'its own finalizer asks to orphan',
    ['orphan'],
    ['absent'],
    false,
    { action: 'delete', propagationPolicy: 'Orphan' },
  ],
]
for (const [name, finalizers, states, hasDependents, expected] of verdicts) {
  test(`judge(): ${name}`, (t) => {
    t.same(judge({ header: { finalizers } }, owners(...states), hasDependents), expected)
    t.end()
  })
}

test('the graph forgets edges with the node that made them', (t) => {
  const graph = new Graph()
  const resource = { group: '', version: 'v1', resource: 'pods', kind: 'Pod', isNamespaced: true }
  const header = { namespace: 'a', name: 'p', uid: 'p', labels: {}, finalizers: [], isDeleting: false }
  const reference = { apiVersion: 'v1', kind: 'X', name: 'o', uid: 'o' }
  graph.put({ resource, header: { ...header, ownerReferences: [reference] } })
  t.equal(graph.dependentsOf('o').length, 1)
  graph.put({ resource, header: { ...header, ownerReferences: [] } })
  t.equal(graph.dependentsOf('o').length, 0)
  graph.remove('p')
  t.equal(graph.size, 0)
  t.end()
})

test('a namespace tells what is left in it and what holds it', (t) => {
  const served = {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    kind: 'Deployment',
    isNamespaced: true,
    verbs: [],
  }
  const remaining = [{ served, count: 2, finalizers: ['a.io/x'] }]
  const status = statusOf({ phase: 'Terminating' }, { remaining, failures: [] }, '2026-01-01T00:00:00Z')
  const texts = Object.fromEntries(
    (status.conditions ?? []).map(({ type, status, message }) => [type, [status, message]]),
  )
  t.match(texts, {
    NamespaceContentRemaining: [
      'True',
      'Some resources are remaining: deployments.apps has 2 resource instances',
    ],
    NamespaceFinalizersRemaining: [
      'True',
      'Some content in the namespace has finalizers remaining: a.io/x in 1 resource instances',
    ],
    NamespaceDeletionContentFailure: [
      'False',
      'All content successfully deleted, may be waiting on finalization',
    ],
  })
  t.equal(statusOf(status, { remaining, failures: [] }, '2027-01-01T00:00:00Z'), status)
  t.end()
})

test('a namespace is emptied of one version of each namespaced resource', (t) => {
  const one = {
    group: 'g',
    version: 'v1',
    resource: 'things',
    kind: 'Thing',
    isNamespaced: true,
    verbs: ['list', 'delete'],
  }
  t.same(
    contentOf([
      one,
      { ...one, version: 'v2' },
      { ...one, resource: 'wide', isNamespaced: false },
      { ...one, resource: 'reviews', verbs: ['create'] },
    ]),
    [one],
  )
  t.end()
})
