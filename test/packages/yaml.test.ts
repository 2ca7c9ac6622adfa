import t from 'tap'
import { linesOf } from '../../src/packages/yaml/lines.ts'
import { loadOneYaml, loadYaml } from '../../src/packages/yaml/load.ts'

t.test('loadYaml() reads scalars as kubectl does', async (t) => {
  const cases: [string, unknown][] = [
    ['0644', 420],
    ['0o644', 420],
    ['0x1f', 31],
    ['1_000', 1000],
    ['-12', -12],
    ['yes', true],
    ['Off', false],
    ['"yes"', 'yes'],
    ['1.5', 1.5],
    ['2026-01-01', '2026-01-01'],
    ['12:30', '12:30'],
    ['~', null],
    ['089', 89],
  ]
  for (const [text, value] of cases) t.same(loadOneYaml(`a: ${text}`, 'x.yaml'), { a: value }, text)
})

t.test('loadYaml() reads many documents, JSON, anchors and merge keys', async (t) => {
  t.same(loadYaml('a: 1\n---\n---\nb: 2\n', 'x.yaml'), [{ a: 1 }, null, { b: 2 }])
  t.same(loadYaml('{"a": [1, "b"]}', 'x.json'), [{ a: [1, 'b'] }])
  t.same(loadYaml('a: &x { b: 1 }\nc: { <<: *x, d: 2 }', 'x.yaml'), [{ a: { b: 1 }, c: { b: 1, d: 2 } }])
})

t.test('loadYaml() names file and line of what is not YAML', async (t) => {
  t.throws(() => loadYaml('a: 1\nb: [', 'm/x.yaml'), { message: /^m\/x\.yaml:\d: not YAML: / })
  t.throws(() => loadYaml('a: 1\na: 2', 'm/x.yaml'), { message: /^m\/x\.yaml:2: not YAML: / })
})

t.test('loadYaml() refuses aliases that multiply', async (t) => {
  const level = (index: number) =>
    `a${index}: &a${index} [${Array(9)
      .fill(`*a${index - 1}`)
      .join(', ')}]`
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x]', ...[1, 2, 3, 4, 5, 6, 7, 8].map(level)].join('\n')
  t.throws(() => loadYaml(bomb, 'x.yaml'), { message: /more than 200000 values, aliases followed/ })
})

t.test(
  'loadYaml() refuses what is nested too deep, and more than one document where one is meant',
  async (t) => {
    t.throws(() => loadYaml('['.repeat(500), 'x.yaml'), { message: /^x\.yaml/ })
    t.throws(() => loadOneYaml('a: 1\n---\nb: 1', 'x.yaml'), { message: /more than one document/ })
  },
)

t.test('linesOf() knows the line of each field of the document that is asked for', async (t) => {
  const text = 'a: 1\nb:\n  - c: 2\n    d/e: 3\n  - 4\n---\na:\n  b: 1\n'
  t.same(
    [...linesOf(text)],
    [
      ['', 1],
      ['/a', 1],
      ['/b', 2],
      ['/b/0', 3],
      ['/b/0/c', 3],
      ['/b/0/d~1e', 4],
      ['/b/1', 5],
    ],
  )
  t.equal(linesOf(text, 2).get('/a/b'), 8)
  t.equal(linesOf(text, 3).size, 0)
  t.equal(linesOf('a: [').size, 0)
})
