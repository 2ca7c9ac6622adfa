import t from 'tap'
import { renderPackage } from '../../src/packages/pack.ts'
import type { RenderedObject } from '../../src/packages/render/objects.ts'
import { configMapText, filesOf, manifestText, sandbox } from './make-package.ts'

const templated = manifestText('[{ templates: templates }]', '  values: values.yaml\n')

async function render(template: string, values = 'x: 1\n') {
  const files = filesOf({ 'k3v.yaml': templated, 'templates/a.yaml.hbs': template, 'values.yaml': values })
  const { objects } = await renderPackage({ files, sandbox })
  return objects
}

async function renderData(data: string, values?: string): Promise<unknown> {
  const [first] = await render(`apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n${data}\n`, values)
  return first?.object['data']
}

const namesOf = (objects: readonly RenderedObject[]) =>
  objects.map(({ object }) => `${object.kind} ${object.metadata.name}`)

t.test(
  'plain manifests: all documents of all files, lists flattened, in the order of application',
  async (t) => {
    const files = filesOf({
      'k3v.yaml': manifestText('[{ manifests: b }, { manifests: a.json }]'),
      'b/2.yaml': `${configMapText('second')}---\n---\n${configMapText('third')}`,
      'b/1.yml': `apiVersion: v1\nkind: List\nitems:\n- { apiVersion: apps/v1, kind: Deployment, metadata: { name: first } }\n- { apiVersion: v1, kind: Namespace, metadata: { name: n } }\n`,
      'b/README.md': 'no manifest',
      'a.json': '{"apiVersion":"demo.k3v.dev/v1","kind":"Service","metadata":{"name":"foreign"}}',
    })
    const { objects } = await renderPackage({ files, sandbox })
    t.same(namesOf(objects), [
      'Namespace n',
      'ConfigMap second',
      'ConfigMap third',
      'Deployment first',
      'Service foreign',
    ])
    t.same(objects[2]?.origin, { file: 'b/2.yaml', document: 3 })
  },
)

t.test('a folder of everything does not apply the package’s own files', async (t) => {
  const files = filesOf({
    'k3v.yaml': manifestText('[{ manifests: . }]', '  values: values.yaml\n'),
    'values.yaml': 'a: 1',
    'values.schema.json': '{}',
    'a.yaml': configMapText(),
  })
  t.same(namesOf((await renderPackage({ files, sandbox })).objects), ['ConfigMap a'])
})

t.test('what is no object is refused by its place', async (t) => {
  const cases: [string, RegExp][] = [
    ['just text', /^manifests\/a\.yaml: not an object/],
    ['kind: ConfigMap', /apiVersion: required/],
    ['apiVersion: v1', /kind: required/],
    ['apiVersion: v1\nkind: ConfigMap\nmetadata: {}', /ConfigMap: metadata\.name: required/],
    [
      'apiVersion: v1\nkind: Pod\nmetadata: { generateName: a- }',
      /generateName: a package names its objects/,
    ],
    [`${configMapText()}---\nkind: X`, /^manifests\/a\.yaml: document 2: apiVersion: required/],
    [
      `${configMapText()}---\n${configMapText()}`,
      /document 2: ConfigMap "a" is already in manifests\/a\.yaml, document 1/,
    ],
    ['# nothing', /the sources hold no object/],
  ]
  for (const [text, message] of cases) {
    const files = filesOf({ 'k3v.yaml': manifestText(), 'manifests/a.yaml': text })
    await t.rejects(renderPackage({ files, sandbox }), { message }, text)
  }
})

t.test('a value that stands alone keeps its type', async (t) => {
  const values = 'n: 3\nb: true\ns: "3"\nl: [1, { a: 2 }]\nz: null\n'
  t.same(
    await renderData('data: { n: {{n}}, b: {{b}}, s: {{s}}, z: {{z}}, l: {{toYaml l}}, m: {{l}} }', values),
    {
      n: 3,
      b: true,
      s: '3',
      z: null,
      l: [1, { a: 2 }],
      m: [1, { a: 2 }],
    },
  )
})

t.test('a value inside text becomes text', async (t) => {
  const data =
    'data:\n  a: v{{n}}-{{s}}\n  b: "{{s}}"\n  c: |\n    one {{s}}\n    two\n  d: {{quote n}}\n  e: {{json l}}'
  t.same(await renderData(data, 'n: 3\ns: "x: [y"\nl: { a: [1] }\n'), {
    a: 'v3-x: [y',
    b: 'x: [y',
    c: 'one x: [y\ntwo\n',
    d: '3',
    e: '{"a":[1]}',
  })
})

t.test('blocks choose and repeat what the author wrote', async (t) => {
  const data =
    'data:\n{{#each names}}\n  {{#if (eq this "b")}}\n  only: {{this}}\n  {{else}}\n  other{{@index}}: x\n  {{/if}}\n{{/each}}'
  await t.rejects(renderData(data, 'names: [a, b]'), {
    message: /^templates\/a\.yaml\.hbs:9: @index is used as a key/,
  })
  const list =
    'data:\n  list:\n{{#each names}}\n    - {{this}}-{{@index}}{{#unless @last}}-more{{/unless}}\n{{/each}}\n  v: {{@package.version}}'
  t.same(await renderData(list, 'names: [a, b]'), { list: ['a-0-more', 'b-1'], v: '1.2.3' })
})

t.test('helpers', async (t) => {
  const cases: [string, unknown][] = [
    ['{{default missing "d"}}', 'd'],
    ['{{default n 5}}', 3],
    ['{{upper s}}', 'ABC'],
    ['{{lower (upper s)}}', 'abc'],
    ['{{b64enc s}}', 'YWJj'],
    ['{{join l ","}}', 'a,b'],
    ['{{concat s "-" n}}', 'abc-3'],
    ['{{and n s}}', 'abc'],
    ['{{or missing s}}', 'abc'],
    ['{{not n}}', false],
    ['{{ne n 3}}', false],
    ['{{lt n 4}}', true],
    ['{{gt n 4}}', false],
    ['{{required "set s" s}}', 'abc'],
    ['{{lookup l 1}}', 'b'],
  ]
  // One rendering for all: each takes a process of its own.
  const data = `data:\n${cases.map(([expression]) => `  - ${expression}`).join('\n')}`
  const printed = (await renderData(data, 'n: 3\ns: abc\nl: [a, b]')) as unknown[]
  for (const [index, [expression, value]] of cases.entries()) t.same(printed[index], value, expression)
})

t.test('a template’s faults name file and line', async (t) => {
  const cases: [string, RegExp][] = [
    ['a: 1\nb: {{nope}}', /^templates\/a\.yaml\.hbs:2: nope has no value; set it/],
    ['a: {{x.y.z}}', /:1: x\.y\.z has no value/],
    ['a: {{foo x}}', /:1: foo is not a helper; there are eq, /],
    ['{{#if}}{{/if}}', /:1: /],
    ['a: 1\n{{#if x}}', /:2: not a template: /],
    ['a: {{> part}}', /:1: partials and decorators are not served/],
    ['{{#frobnicate x}}{{/frobnicate}}', /:1: \{\{#frobnicate\}\} is not known/],
    ['a: {{required "say the password" nope}}', /say the password/],
    ['a: {{x', /not a template/],
    ['a: [{{x}}', /not YAML/],
  ]
  for (const [template, message] of cases) await t.rejects(render(template), { message }, template)
})

t.test('C8: no value adds a document, a kind, a key or an item', async (t) => {
  const hostile = [
    'x\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: evil }',
    'x"\nevil: "y',
    'x, evil: y',
    'x }\nevil: { y: z',
    '*anchor',
    '&anchor x',
    '!!binary x',
    '# comment',
    '| block',
    '{{x}}',
    "it's",
    '',
    '\u0000\u2028',
    'k3vValue0N0E',
  ]
  const data = 'data: { plain: {{this}}, quoted: "{{this}}", inside: a{{this}}b }\n# {{this}}'
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a{{@index}} }'
  const objects = await render(
    `{{#each xs}}\n---\n${head}\n${data}\n{{/each}}\n`,
    `xs: ${JSON.stringify(hostile)}`,
  )
  t.same(
    objects.map(({ object }) => object.metadata.name),
    hostile.map((_, index) => `a${index}`),
  )
  for (const [index, value] of hostile.entries()) {
    const wanted = { plain: value, quoted: value, inside: `a${value}b` }
    t.same(objects[index]?.object['data'], wanted, `value ${index}`)
  }
})

t.test('C8: a value that would change the structure is refused by its name', async (t) => {
  const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n'
  const cases: [string, RegExp][] = [
    [`${head}data: { {{x}}: b }`, /:4: x is used as a key/],
    ['apiVersion: v1\nkind: {{x}}\nmetadata: { name: a }', /:2: x is used as apiVersion or kind/],
    ['apiVersion: {{x}}\nkind: Pod', /:1: x is used as apiVersion or kind/],
    [`apiVersion: v1\nkind: List\nitems: [{ kind: {{x}} }]`, /:3: x is used as apiVersion or kind/],
    [`${head}data: { a: "is {{l}}" }`, /:4: l is a list or a mapping and cannot stand inside text/],
    ['{{x}}', /:1: x is used as apiVersion or kind/],
  ]
  for (const [template, message] of cases)
    await t.rejects(render(template, 'x: Secret\nl: [1]'), { message }, template)
})
