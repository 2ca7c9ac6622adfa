import { test } from 'tap'
import type { ObjectMeta } from '../../src/api/object.ts'
import { validateLabelSelector } from '../../src/api/validate/labels.ts'
import {
  finalizerWarnings,
  validateFieldManager,
  validateMeta,
  validateMetaUpdate,
} from '../../src/api/validate/meta.ts'

const check = (metadata: ObjectMeta, options = {}) =>
  validateMeta({ metadata }, { isNamespaced: true, nameRule: 'dns-subdomain', ...options }).map(
    ({ field, message }) => `${field}: ${message}`,
  )
const good: ObjectMeta = { name: 'web', namespace: 'default' }

test('validateMeta() lets plain metadata through', async (t) => {
  t.strictSame(check(good), [])
  t.strictSame(check({ ...good, generateName: 'web-' }), [])
  t.strictSame(check({ name: 'n' }, { isNamespaced: false }), [])
  t.strictSame(check({ name: 'system:node' }, { isNamespaced: false, nameRule: 'path-segment' }), [])
})

test('validateMeta() refuses names with upstream texts', async (t) => {
  t.strictSame(check({ ...good, name: 'Web' }), [
    `metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`,
  ])
  t.strictSame(check({ ...good, name: 'a.b' }, { nameRule: 'dns-label' }), [
    'metadata.name: Invalid value: "a.b": must not contain dots',
  ])
  t.strictSame(check({ ...good, name: '1a' }, { nameRule: 'dns-1035-label' }), [
    `metadata.name: Invalid value: "1a": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ])
  t.strictSame(check({ ...good, name: 'a/b%' }, { nameRule: 'path-segment' }), [
    `metadata.name: Invalid value: "a/b%": may not contain '/'`,
    `metadata.name: Invalid value: "a/b%": may not contain '%'`,
  ])
  t.strictSame(check({ namespace: 'default' }), [
    'metadata.name: Required value: name or generateName is required',
  ])
  t.match(check({ ...good, name: 'a'.repeat(254) }), [/must be no more than 253 bytes/])
})

test('validateMeta() checks the namespace against the scope', async (t) => {
  t.strictSame(check({ name: 'a' }), ['metadata.namespace: Required value'])
  t.strictSame(check(good, { isNamespaced: false }), [
    'metadata.namespace: Forbidden: not allowed on this type',
  ])
  t.match(check({ ...good, namespace: 'a.b' }), [/must not contain dots/])
})

test('validateMeta() bounds annotations and checks labels', async (t) => {
  t.strictSame(check({ ...good, annotations: { a: 'x'.repeat(256 * 1024) } }), [
    'metadata.annotations: Too long: may not be more than 262144 bytes',
  ])
  t.strictSame(check({ ...good, annotations: { 'Example.com/A': 'anything at all' } }), [])
  t.match(check({ ...good, labels: { 'a/b/c': '' } }), [/a valid label key must consist/])
  t.match(check({ ...good, labels: { '/b': '' } }), [/prefix part must be non-empty/])
  t.match(check({ ...good, labels: { a: 'not ok' } }), [/a valid label must be an empty string/])
})

test('validateMeta() wants whole owner references and one controller', async (t) => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a', uid: 'u', controller: true }
  t.strictSame(check({ ...good, ownerReferences: [owner] }), [])
  t.match(check({ ...good, ownerReferences: [owner, { ...owner, name: 'b' }] }), [
    /Only one reference can have Controller set to true. Found "true" in references for ReplicaSet\/a and ReplicaSet\/b/,
  ])
  t.strictSame(check({ ...good, ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] }), [
    'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
    'metadata.ownerReferences.kind: Invalid value: "": must not be empty',
    'metadata.ownerReferences.name: Invalid value: "": must not be empty',
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ])
})

test('validateMetaUpdate() keeps identity and forbids new finalizers of a deleting object', async (t) => {
  const texts = (next: ObjectMeta, old: ObjectMeta) =>
    validateMetaUpdate({ metadata: next }, { metadata: old }).map(
      ({ field, message }) => `${field}: ${message}`,
    )
  t.strictSame(texts(good, good), [])
  t.strictSame(texts({ ...good, uid: 'b' }, { ...good, uid: 'a' }), [
    'metadata.uid: Invalid value: "b": field is immutable',
  ])
  const deleting = { ...good, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a.io/x'] }
  t.strictSame(texts({ ...deleting, finalizers: [] }, deleting), [])
  t.strictSame(texts({ ...deleting, finalizers: ['a.io/x', 'a.io/y'] }, deleting), [
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.io/y"}',
  ])
  t.strictSame(texts({ ...good, generation: 1 }, { ...good, generation: 2 }), [
    'metadata.generation: Invalid value: 1: must not be decremented',
  ])
})

test('validateLabelSelector() checks expressions', async (t) => {
  const errors = validateLabelSelector(
    {
      matchExpressions: [
        { key: 'a', operator: 'In' },
        { key: 'b', operator: 'Exists', values: ['x'] },
      ],
    },
    'spec.selector',
  )
  t.strictSame(
    errors.map(({ field, message }) => `${field}: ${message}`),
    [
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    ],
  )
})

test('validateFieldManager() wants short printable text', async (t) => {
  t.strictSame(validateFieldManager('kubectl-client-side-apply'), [])
  t.match(validateFieldManager('a'.repeat(129)), [{ message: 'Too long: may not be more than 128 bytes' }])
  t.match(validateFieldManager('a\nb'), [
    { message: 'Invalid value: "a\\nb": invalid character U+000A (at position 1)' },
  ])
})

test('a finalizer without a slash is an error for built-in kinds and a warning for custom ones', async (t) => {
  const metadata = { ...good, finalizers: ['mine', 'a.io', 'foregroundDeletion', 'a.io/b'] }
  t.strictSame(check(metadata), [
    'metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified',
    'metadata.finalizers[1]: Invalid value: "a.io": name is neither a standard finalizer name nor is it fully qualified',
  ])
  t.strictSame(check(metadata, { isCustom: true }), [])
  t.strictSame(finalizerWarnings(metadata), [
    'metadata.finalizers[0]: "mine": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers',
    'metadata.finalizers[1]: "a.io": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
  ])
  t.strictSame(finalizerWarnings(metadata, metadata), [])
})
