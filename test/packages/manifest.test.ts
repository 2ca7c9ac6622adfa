import t from 'tap'
import type { PackageError } from '../../src/packages/failure.ts'
import { readManifest } from '../../src/packages/manifest/manifest.ts'
import { configMapText, filesOf, manifestText, sandbox } from './make-package.ts'

const manifests = { 'manifests/a.yaml': configMapText() }

t.test('readManifest() reads what is there and fills in the rest', async (t) => {
  const manifest = await readManifest(filesOf({ 'k3v.yaml': manifestText(), ...manifests }), sandbox)
  t.same(manifest, {
    name: 'sample',
    version: '1.2.3',
    description: '',
    sources: [{ manifests: 'manifests' }],
    values: undefined,
    health: [],
    expose: [],
    plane: {},
  })
})

t.test('readManifest() names file, line and field of each fault, and the mend', async (t) => {
  const cases: [string, string, RegExp][] = [
    [
      'a misspelt field',
      manifestText('[{ manifest: manifests }]'),
      /^k3v\.yaml:5: spec\.sources\[0\]\.manifest: unknown field; did you mean "manifests"\?$/,
    ],
    [
      'an unknown field',
      manifestText(undefined, '  zebra: 1\n'),
      /^k3v\.yaml:6: spec\.zebra: unknown field$/,
    ],
    [
      'no metadata',
      'apiVersion: k3v.dev/v1\nkind: Package\nspec: { sources: [{ manifests: m }] }',
      /^k3v\.yaml:1: metadata: required$/,
    ],
    [
      'another kind',
      manifestText().replace('Package', 'Chart'),
      /^k3v\.yaml:2: kind: must be "Package", not "Chart"$/,
    ],
    [
      'a number as version',
      manifestText().replace('1.2.3', '1.2'),
      /^k3v\.yaml:3: metadata\.version: must be text; put it in quotes$/,
    ],
    [
      'a version that is none',
      manifestText().replace('1.2.3', 'v1.2'),
      /^k3v\.yaml:3: metadata\.version: "v1\.2" is no semantic version; write it like 1\.4\.0$/,
    ],
    ['a version that climbs', manifestText().replace('1.2.3', '1.0.0-/../x'), /no semantic version/],
    [
      'a name that climbs',
      manifestText().replace('sample', '..'),
      /^k3v\.yaml:3: metadata\.name: "\.\." is not of the form/,
    ],
    ['no sources', manifestText('[]'), /^k3v\.yaml:5: spec\.sources: must NOT have fewer than 1 items/],
    [
      'a folder that is not there',
      manifestText('[{ manifests: nope }]'),
      /^k3v\.yaml:5: spec\.sources\[0\]\.manifests: there is no nope in the package/,
    ],
    ['a path that climbs', manifestText('[{ manifests: ../up }]'), /is not of the form/],
    [
      'a helm chart',
      manifestText('[{ helm: { chart: c } }]'),
      /helm: not served by this version; run `helm template`/,
    ],
    [
      'a kustomization',
      manifestText('[{ kustomize: k }]'),
      /kustomize: not served by this version; run `kubectl kustomize`/,
    ],
    [
      'missing values',
      manifestText(undefined, '  values: v.yaml\n'),
      /^k3v\.yaml:6: spec\.values: there is no file v\.yaml$/,
    ],
    ['no mapping at all', '- a', /k3v\.yaml:1: the document: must be object/],
    ['an empty file', '', /k3v\.yaml: the document: must be object/],
    ['no YAML', 'a: [', /^k3v\.yaml:\d: not YAML/],
  ]
  for (const [name, text, message] of cases) {
    const error = await readManifest(filesOf({ 'k3v.yaml': text, ...manifests }), sandbox).catch(
      (caught: Error) => caught,
    )
    t.match((error as Error).message, message, name)
  }
})

t.test('readManifest() says all faults at once', async (t) => {
  const text = manifestText('[{ manifest: a }, { templates: 3 }]').replace('sample', 'Sample')
  const error = await readManifest(filesOf({ 'k3v.yaml': text }), sandbox).catch((caught: Error) => caught)
  t.equal((error as PackageError).problems.length, 3)
})

t.test('readManifest() says that k3v.yaml is missing', async (t) => {
  await t.rejects(readManifest(filesOf({ 'a.yaml': '' }), sandbox), { message: /^k3v\.yaml: missing/ })
})
