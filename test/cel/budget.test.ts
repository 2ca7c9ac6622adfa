// Attack B6: expressions that are made to take long. Each must end for its budget, whatever the clock says.
import t from 'tap'
import { callCostMax, compile } from '../../src/cel/program.ts'
import { boolType, dynType } from '../../src/cel/type.ts'
import { fromJson } from '../../src/cel/value.ts'

const million = 1_000_000
const object = {
  numbers: Array.from({ length: 20_000 }, (_, index) => index),
  text: 'a'.repeat(million),
  words: Array.from({ length: 5_000 }, (_, index) => `word-${index}`),
  map: Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`key-${index}`, index])),
}
const variables = new Map([['self', dynType]])
const bindings = new Map([['self', fromJson(object, undefined)]])

const nested = (depth: number): string =>
  depth === 0 ? 'true' : `self.numbers.all(x${depth}, ${nested(depth - 1)})`

const worst: readonly string[] = [
  nested(2),
  nested(8),
  'self.numbers.exists(x, self.numbers.exists(y, x + y < 0))',
  'self.map.all(k, self.map.all(l, k != l || self.map[k] == self.map[l]))',
  'self.words.map(w, self.words.map(v, w + v)).size() > 0',
  'self.words.all(w, (self.text + w).size() > 0)',
  'self.words.all(w, self.text.matches("(a+)+$"))',
  'self.words.all(w, !self.text.matches(w + "(a|b|ab)*c"))',
  'self.text.findAll("a").size() > 0 && self.words.all(w, self.text.findAll("a*b").size() == 0)',
  'self.text.replace("a", self.text).size() > 0',
  'self.text.replace("", self.text).size() > 0',
  'self.words.all(w, self.text.split("").size() > 0)',
  'self.text.split("").join(self.text).size() > 0',
  'self.words.all(w, self.text.lastIndexOf("aaaaaaaaab") < 0)',
  'lists.range(9223372036854775807).size() > 0',
  'lists.range(1000000).all(x, lists.range(1000000).size() > x)',
  'self.words.map(w, self.numbers).flatten().size() > 0',
  'self.numbers.map(n, [n]).distinct().size() > 0',
  'sets.equivalent(self.numbers, self.numbers.reverse())',
  'self.words.all(w, self.words.sort().size() > 0)',
  '"%s".format([self.words.map(w, self.numbers)]).size() > 0',
  'self.words.all(w, optional.of(self.numbers).optMap(n, n + n).value().size() > 0)',
  '[self.numbers].map(a, a + a).map(b, b + b).map(c, c + c).map(d, d + d).map(e, e + e).map(f, f + f).size() > 0',
]

t.test('B6: what would run too long is stopped by its budget', async (t) => {
  for (const rule of worst) {
    const outcome = compile(rule, { variables, result: boolType })
    if (!outcome.ok) {
      t.fail(`${rule}: ${outcome.message}`)
      continue
    }
    const result = outcome.program.evaluate(bindings)
    t.ok(result.cost <= callCostMax, rule)
    t.match(result, { ok: false, isOverBudget: true, error: /cost limit exceeded/ }, rule)
  }
})

t.test('B6: what would take too long to compile is refused', async (t) => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [nested(9), /loops may not be nested deeper than 8/],
    [`${'('.repeat(5_000)}true${')'.repeat(5_000)}`, /exceeded maxDepth/],
    [`1${'+1'.repeat(9_000)} > 0`, /exceeded maxAstNodes|recursion limit/],
    [`${'!'.repeat(5_000)}true`, /recursion limit/],
    [`self.a == "${'x'.repeat(40_000)}"`, /longer than/],
    [`self${'.a'.repeat(5_000)} == 1`, /exceeded maxDepth/],
    [`self.a.matches("${'(a{1000}){1000}'}")`, /invalid matches argument/],
  ]
  for (const [rule, message] of refused) {
    const outcome = compile(rule, { variables, result: boolType })
    t.match(outcome, { ok: false, message }, rule.slice(0, 40))
  }
})

t.test('long chains of logic are no nesting', async (t) => {
  const rule = Array.from({ length: 900 }, (_, index) => `self.numbers[${index}] == ${index}`).join(' && ')
  const outcome = compile(rule, { variables, result: boolType })
  t.match(outcome.ok && outcome.program.evaluate(bindings), { ok: true, value: true })
})

t.test('a smaller budget stops earlier', async (t) => {
  const outcome = compile('self.words.all(w, w != "")', { variables, result: boolType })
  if (!outcome.ok) return t.fail(outcome.message)
  t.match(outcome.program.evaluate(bindings), { ok: true, value: true })
  t.match(outcome.program.evaluate(bindings, 1_000), { ok: false, isOverBudget: true })
})
