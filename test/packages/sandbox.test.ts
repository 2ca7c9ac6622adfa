import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import { createSandbox, programOf } from '../../src/packages/sandbox/sandbox.ts'
import { sandbox } from './make-package.ts'

const about = { name: 'sample', version: '1.0.0' }

const render = (text: string, values: unknown = { x: 'X' }) =>
  sandbox.render({ templates: [{ file: 't.hbs', text }], values, about, nonce: 'n' })

// Ways that were tried on Handlebars and its kin: through prototypes, constructors, helpers, partials and decorators.
const inert = [
  '{{constructor}}',
  '{{constructor.constructor}}',
  '{{this.constructor.name}}',
  '{{__proto__}}',
  '{{x.__proto__.constructor}}',
  '{{lookup this "constructor"}}',
  '{{lookup (lookup this "constructor") "constructor"}}',
  '{{lookup x "constructor"}}',
  '{{#with (lookup x "constructor")}}{{this}}{{/with}}',
  '{{#with x as |s|}}{{s.constructor}}{{/with}}',
  '{{#each this}}{{@root.constructor}}{{/each}}',
  '{{@root.constructor}}',
  '{{@root.__proto__.toString}}',
  '{{toString}}',
  '{{valueOf}}',
  '{{hasOwnProperty}}',
  '{{__defineGetter__ "x" x}}',
  '{{__lookupGetter__ "x"}}',
  '{{x.toUpperCase}}',
  '{{x.split}}',
  '{{helperMissing}}',
  '{{blockHelperMissing x}}',
  '{{#helperMissing}}{{/helperMissing}}',
  '{{#blockHelperMissing x}}{{/blockHelperMissing}}',
  '{{log x}}',
  '{{log "x" level="error"}}',
  '{{> x}}',
  '{{> (lookup . "x")}}',
  '{{#> layout}}{{/layout}}',
  '{{#*inline "a"}}{{/inline}}',
  '{{* decorator}}',
  '{{process}}',
  '{{process.env.PATH}}',
  '{{global.process}}',
  '{{globalThis.process.exit}}',
  '{{require "fs"}}',
  '{{import "node:fs"}}',
  '{{eval "1"}}',
  '{{Function "return process"}}',
  '{{[constructor]}}',
  '{{[__proto__].[constructor]}}',
  '{{x.[constructor].[constructor]}}',
  '{{"constructor"}}{{this.[constructor]}}',
  '{{lookup @root "__proto__"}}',
  '{{lookup (lookup @root "__proto__") "constructor"}}',
  '{{#with "s" as |string|}}{{#with string.sub}}{{this}}{{/with}}{{/with}}',
  '{{#with "e"}}{{#with split as |conslist|}}{{this.pop}}{{/with}}{{/with}}',
  '{{@data}}',
  '{{@package.constructor}}',
  '{{@package.__proto__.polluted}}',
  '{{json constructor}}',
  '{{json (lookup this "constructor")}}',
  '{{toYaml __proto__}}',
  '{{b64enc (lookup "" "constructor")}}',
  '{{concat (lookup this "constructor") ""}}',
  '{{#if (lookup this "constructor")}}leak{{/if}}',
  '{{#unless (lookup this "constructor")}}{{else}}leak{{/unless}}',
  '{{#each (lookup this "__proto__")}}leak{{/each}}',
  '{{[k3v value] x "name" 1}}',
  '{{eq.constructor x}}',
]

t.test('C7: sixty ways to reach code render nothing', async (t) => {
  t.equal(inert.length, 60)
  const answers = await Promise.all(inert.map((text) => render(text).catch((error: Error) => error)))
  for (const [index, answer] of answers.entries()) {
    const text = inert[index] ?? ''
    if (answer instanceof Error) {
      t.equal(answer.name, 'PackageError', text)
      continue
    }
    const printed = answer.flatMap((one) => one.values.map(({ value }) => value))
    t.notMatch(answer[0]?.text, /leak|native code|function/, text)
    t.ok(
      printed.every(
        (value) => value === null || value === 'constructor' || value === '' || value === 'InVuZGVmaW5lZCI=',
      ),
      `${text} printed ${JSON.stringify(printed)}`,
    )
  }
})

t.test('C11: the child has no file, network, process, thread, environment or addon', async (t) => {
  const { program, readable } = programOf(
    new URL('../../src/packages/sandbox/sandbox.ts', import.meta.url).href,
  )
  t.equal(basename(program), 'child.ts')
  t.equal(readable.length, 2)
  t.notOk(readable.some((path) => path === '/' || path === '*' || path.endsWith('/test/')))
  const source = readFileSync(new URL('../../src/packages/sandbox/sandbox.ts', import.meta.url), 'utf8')
  t.notMatch(source, /--allow-(fs-write|child-process|worker|net|addons|wasi|inspector)/)
  t.match(source, /env: \{\}/)
})

t.test('C9: a template that does not end is ended', async (t) => {
  const short = createSandbox({ timeoutMs: 700 })
  const many = Array.from({ length: 3_000 }, () => 1)
  const text = '{{#each q}}{{#each ../q}}{{#each ../../q}}{{#if this}}{{/if}}{{/each}}{{/each}}{{/each}}'
  const asking = short.render({
    templates: [{ file: 't.hbs', text }],
    values: { q: many },
    about,
    nonce: 'n',
  })
  await t.rejects(asking, { message: /rendering took longer than 0\.7 s/ })
})

t.test('C9: a schema that backtracks without end is ended', async (t) => {
  const short = createSandbox({ timeoutMs: 700 })
  const schema = { type: 'string', pattern: '^(a+)+$' }
  await t.rejects(short.check({ schema, data: `${'a'.repeat(40)}b` }, 'values.schema.json'), {
    message: /^values\.schema\.json: rendering took longer/,
  })
})

t.test('C9: a template that prints too much is refused', async (t) => {
  const q = Array.from({ length: 2_000 }, () => 1)
  await t.rejects(render('{{#each q}}{{#each ../q}}0123456789{{/each}}{{/each}}', { q }), {
    message: /print too much/,
  })
  await t.rejects(render('{{#each q}}{{#each ../q}}{{this}}{{/each}}{{/each}}', { q }), {
    message: /more than 100000 values/,
  })
})

t.test('check() knows both drafts, and says what is wrong with a schema', async (t) => {
  const draft07 = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    items: [{ type: 'string' }],
    type: 'array',
  }
  t.match(await sandbox.check({ schema: draft07, data: [1] }, 's'), [{ pointer: '/0', keyword: 'type' }])
  t.same(await sandbox.check({ schema: { prefixItems: [{ type: 'string' }] }, data: ['a'] }, 's'), [])
  t.match(await sandbox.check({ schema: { format: 'email' }, data: 'x' }, 's'), [{ keyword: 'format' }])
  await t.rejects(sandbox.check({ schema: { type: 'strin' }, data: 1 }, 's.json'), {
    message: /^s\.json: schema is invalid/,
  })
})
