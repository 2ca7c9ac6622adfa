import { readFileSync } from 'node:fs'
import t from 'tap'
import { compile } from '../../src/cel/program.ts'
import { typeOfSchema } from '../../src/cel/schema-type.ts'
import { boolType, dynType } from '../../src/cel/type.ts'
import { fromJson } from '../../src/cel/value.ts'
import { structuralSchema } from '../../src/crds/structural.ts'

interface Case {
  readonly rule: string
  readonly gives?: boolean
  readonly fails?: string
  readonly refused?: string
}

const corpus = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8'))
const schema = structuralSchema(corpus.schema)
const variables = new Map([['self', typeOfSchema(schema) ?? dynType]])
const bindings = new Map([['self', fromJson(corpus.object, schema)]])

t.test('rules as operators write them give what upstream gives', async (t) => {
  for (const { rule, gives, fails, refused } of corpus.rules as readonly Case[]) {
    const outcome = compile(rule, { variables, result: boolType })
    if (!outcome.ok) {
      t.match(outcome.message, refused ?? 'nothing to refuse', rule)
      continue
    }
    const result = outcome.program.evaluate(bindings)
    if (result.ok) t.equal(result.value, gives, rule)
    else t.equal(result.error, fails, rule)
  }
})

t.test('an error points at its place', async (t) => {
  const outcome = compile('self.replicas > 1 &&\n  self.color', { variables, result: boolType })
  t.match(outcome, {
    ok: false,
    reason: 'invalid',
    message: "ERROR: <input>:2:7: undefined field 'color'\n |   self.color\n | ......^",
  })
})

t.test('what upstream could run and this room cannot is told apart from mistakes', async (t) => {
  const outcome = compile('[?self.?mode].size() == 1', { variables, result: boolType })
  t.match(outcome, { ok: false, reason: 'unsupported' })
})

t.test('a program knows which variables it names', async (t) => {
  const both = new Map([...variables, ['oldSelf', dynType]])
  const outcome = compile('[1].all(oldSelf, oldSelf == 1) && self.replicas == 3', {
    variables: both,
    result: boolType,
  })
  t.ok(outcome.ok && outcome.program.uses.has('self'))
})
