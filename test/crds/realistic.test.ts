// Whole definitions as operators ship them: certificates with issuers, monitors with selectors and templates.
// Each is checked, made into a kind, and used with a good object and a bad one.

import { test } from 'tap'
import type { KubeObject } from '../../src/api/object.ts'
import { kindsOfDefinition } from '../../src/crds/kind.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { definition, problemsOf, stored, version } from './definitions.ts'

type Json = Readonly<Record<string, unknown>>

const text = { type: 'string' }
const texts = { type: 'array', items: text }
const object = (properties: Json, rest: Json = {}): Json => ({ type: 'object', properties, ...rest })

const conditions = {
  type: 'array',
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['type'],
  items: object(
    {
      type: text,
      status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
      lastTransitionTime: { type: 'string', format: 'date-time' },
      observedGeneration: { type: 'integer', format: 'int64' },
      message: text,
    },
    { required: ['status', 'type'] },
  ),
}

const certificate = definition({
  group: 'pki.example.com',
  kind: 'Certificate',
  plural: 'certificates',
  spec: {
    names: { plural: 'certificates', kind: 'Certificate', shortNames: ['cert'], categories: ['pki'] },
    conversion: { strategy: 'None' },
  },
  versions: [
    version(
      object(
        {
          apiVersion: text,
          kind: text,
          metadata: { type: 'object' },
          spec: object(
            {
              secretName: { type: 'string', minLength: 1, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' },
              dnsNames: texts,
              duration: text,
              renewBeforePercentage: { type: 'integer', format: 'int32', minimum: 1, maximum: 99 },
              issuerRef: object(
                { name: text, kind: { type: 'string', default: 'Issuer' }, group: text },
                { required: ['name'] },
              ),
              privateKey: object({
                algorithm: { type: 'string', enum: ['RSA', 'ECDSA', 'Ed25519'] },
                size: { type: 'integer' },
              }),
              keystores: object({
                jks: object(
                  {
                    create: { type: 'boolean' },
                    password: text,
                    passwordSecretRef: object({ name: text, key: text }, { required: ['name'] }),
                  },
                  {
                    required: ['create'],
                    oneOf: [{ required: ['password'] }, { required: ['passwordSecretRef'] }],
                  },
                ),
              }),
            },
            { required: ['secretName', 'issuerRef'] },
          ),
          status: object({ conditions, notAfter: { type: 'string', format: 'date-time' } }),
        },
        { required: ['spec'] },
      ),
      {
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.issuerRef.name' }],
        additionalPrinterColumns: [
          { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type == "Ready")].status' },
          { name: 'Secret', type: 'string', jsonPath: '.spec.secretName' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      },
    ),
  ],
})

const monitor = definition({
  group: 'monitoring.example.com',
  kind: 'Monitor',
  plural: 'monitors',
  versions: [
    version(
      object({
        spec: object(
          {
            replicas: { type: 'integer', format: 'int32', default: 1 },
            scrapeTimeout: {
              type: 'string',
              pattern: '^(0|(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$',
            },
            selector: object(
              {
                matchLabels: { type: 'object', additionalProperties: text },
                matchExpressions: {
                  type: 'array',
                  'x-kubernetes-list-type': 'atomic',
                  items: object(
                    { key: text, operator: text, values: texts },
                    { required: ['key', 'operator'] },
                  ),
                },
              },
              { 'x-kubernetes-map-type': 'atomic' },
            ),
            endpoints: {
              type: 'array',
              items: object({
                port: text,
                targetPort: {
                  'x-kubernetes-int-or-string': true,
                  anyOf: [{ type: 'integer' }, { type: 'string' }],
                },
                params: { type: 'object', additionalProperties: texts },
              }),
            },
            resources: object({
              limits: {
                type: 'object',
                additionalProperties: {
                  'x-kubernetes-int-or-string': true,
                  anyOf: [{ type: 'integer' }, { type: 'string' }],
                  pattern:
                    '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$',
                },
              },
            }),
            template: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
          { required: ['selector'] },
        ),
        status: object({ replicas: { type: 'integer' }, selector: text }),
      }),
      {
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
      },
    ),
  ],
})

function kindOf(crd: KubeObject): Kind {
  const [kind] = kindsOfDefinition(stored(crd))
  if (kind === undefined) throw new Error('nothing is served')
  return kind
}

/** What is wrong with an object, after it went the way of a write. */
function write(kind: Kind, spec: Json): { readonly fields: readonly string[]; readonly spec: unknown } {
  const metadata = { name: 'one', namespace: 'default' }
  const sent = { apiVersion: `${kind.group}/v1`, kind: kind.kind, metadata, spec }
  const object = kind.defaults(kind.prune?.(sent).object ?? sent)
  return { fields: kind.validateCreate(object).map(({ field }) => field), spec: object['spec'] }
}

test('definitions as operators ship them are accepted', async (t) => {
  t.same(problemsOf(certificate), [])
  t.same(problemsOf(monitor), [])
})

test('a certificate is checked, filled and shown', async (t) => {
  const kind = kindOf(certificate)
  const good = { secretName: 'tls', issuerRef: { name: 'ca' }, dnsNames: ['a.example.com'] }
  t.same(write(kind, good), { fields: [], spec: { ...good, issuerRef: { name: 'ca', kind: 'Issuer' } } })
  const bad = {
    secretName: 'TLS',
    renewBeforePercentage: 100,
    privateKey: { algorithm: 'DSA' },
    issuerRef: {},
    keystores: { jks: { create: true } },
  }
  t.same(
    write(kind, bad)
      .fields.filter((field) => field !== '<nil>')
      .sort(),
    [
      'spec.issuerRef.name',
      'spec.keystores.jks.password',
      'spec.privateKey.algorithm',
      'spec.renewBeforePercentage',
      'spec.secretName',
    ],
  )
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
  const metadata = { name: 'one', creationTimestamp: '2026-01-01T00:00:00Z' }
  t.same(kind.cells({ metadata, spec: good, status: ready }, Date.parse('2026-01-01T00:01:00Z')), [
    'one',
    'True',
    'tls',
    '60s',
  ])
})

test('a monitor keeps its template and refuses odd quantities', async (t) => {
  const kind = kindOf(monitor)
  const good = {
    selector: { matchLabels: { app: 'web' } },
    endpoints: [{ port: 'http', params: { module: ['a'] } }, { targetPort: 8080 }, { targetPort: 'http' }],
    resources: { limits: { cpu: '250m', memory: '1.5Gi', 'example.com/thing': 2 } },
    template: { spec: { anything: [1, { deep: true }] } },
  }
  t.same(write(kind, good), { fields: [], spec: { ...good, replicas: 1 } })
  const bad = { selector: {}, scrapeTimeout: 'soon', resources: { limits: { cpu: 'lots' } }, replicas: -1 }
  t.same([...write(kind, bad).fields].sort(), [
    '.spec.replicas',
    'spec.resources.limits.cpu',
    'spec.scrapeTimeout',
  ])
})
