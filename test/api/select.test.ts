import { test } from 'tap'
import {
  escapeFieldValue,
  fromLabelMap,
  fromLabelSelectorObject,
  matchesFields,
  parseFieldSelector,
  parseLabelSelector,
  refuseUnknownFields,
} from '../../src/api/select.ts'

const labels = { app: 'web', tier: 'front', 'example.com/size': '12', empty: '' }

test('parseLabelSelector() selects as upstream does', async (t) => {
  const cases: readonly (readonly [string, boolean])[] = [
    ['', true],
    ['app=web', true],
    ['app==web', true],
    [' app = web , tier in ( front , back ) ', true],
    ['app!=web', false],
    ['missing!=web', true],
    ['missing notin (a)', true],
    ['app notin (web)', false],
    ['app', true],
    ['!app', false],
    ['! missing', true],
    ['empty=', true],
    ['empty in ()', true],
    ['app in (,web)', true],
    ['app in (db,)', false],
    ['example.com/size>11', true],
    ['example.com/size<12', false],
    ['app>1', false],
    ['constructor', false],
    ['in in (in,notin)', false],
  ]
  for (const [text, expected] of cases) {
    t.equal(parseLabelSelector(text).matches(labels), expected, text)
  }
})

test('parseLabelSelector() gives a canonical text, sorted by key', async (t) => {
  t.equal(parseLabelSelector('z notin (b,a), !x ,a=1,m==2').text, 'a=1,m==2,!x,z notin (a,b)')
  t.equal(parseLabelSelector('x in ()').text, 'x in ()')
  t.equal(parseLabelSelector('').isEmpty, true)
})

test('parseLabelSelector() refuses with upstream texts', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['a,', "found '', expected: identifier after ','"],
    [',a', "found ',', expected: !, identifier, or 'end of string'"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a=b=c', "found '=', expected: ',' or 'end of string'"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',' or ')'"],
    [
      'a>x',
      `unable to parse requirement: values[0]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must be an integer`,
    ],
    [
      'a=-b',
      `unable to parse requirement: values[0][a]: Invalid value: "-b": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
    [
      '-a=b',
      `unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ]
  for (const [text, message] of cases) {
    t.throws(() => parseLabelSelector(text), { code: 400, message }, text)
  }
})

test('an absent selector object matches nothing, an empty one everything', async (t) => {
  t.equal(fromLabelSelectorObject(undefined).matches({}), false)
  t.equal(fromLabelSelectorObject({}).matches({}), true)
  t.equal(fromLabelMap({}).matches({ a: 'b' }), false)
  t.equal(fromLabelMap({ app: 'web' }).matches(labels), true)
})

test('fromLabelSelectorObject() joins labels and expressions', async (t) => {
  const selector = fromLabelSelectorObject({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['front', 'back'] },
      { key: 'gone', operator: 'DoesNotExist' },
    ],
  })
  t.equal(selector.matches(labels), true)
  t.equal(selector.text, 'app=web,!gone,tier in (back,front)')
  t.throws(() => fromLabelSelectorObject({ matchExpressions: [{ key: 'a', operator: 'in' }] }), {
    message: '"in" is not a valid label selector operator',
  })
  t.throws(() => fromLabelSelectorObject({ matchExpressions: [{ key: 'a', operator: 'In' }] }), {
    message: "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty",
  })
})

test('parseFieldSelector() reads operators and escapes', async (t) => {
  const selector = parseFieldSelector('spec.x!=a,metadata.name==b,,status.y=c\\,d\\=e\\\\')
  t.strictSame(selector.requirements, [
    { field: 'metadata.name', operator: '=', value: 'b' },
    { field: 'spec.x', operator: '!=', value: 'a' },
    { field: 'status.y', operator: '=', value: 'c,d=e\\' },
  ])
  t.equal(parseFieldSelector('').isEmpty, true)
  t.equal(parseFieldSelector(`a=${escapeFieldValue('x,y=z\\')}`).requirements[0]?.value, 'x,y=z\\')
  t.throws(() => parseFieldSelector('nonsense'), {
    code: 400,
    message: "invalid selector: 'nonsense'; can't understand 'nonsense'",
  })
  t.throws(() => parseFieldSelector('a=b=c'), {
    message: 'invalid field selector: unescaped character in value: 61',
  })
  t.throws(() => parseFieldSelector('a=\\b'), {
    message: 'invalid field selector: invalid escape sequence: \\b',
  })
})

test('matchesFields() takes a missing field for the empty text', async (t) => {
  const fields: Readonly<Record<string, string>> = { 'spec.nodeName': 'n1' }
  const matches = (text: string) => matchesFields(parseFieldSelector(text), (field) => fields[field])
  t.equal(matches('spec.nodeName=n1'), true)
  t.equal(matches('spec.nodeName!=n1'), false)
  t.equal(matches('status.phase='), true)
  t.equal(matches('status.phase!=Running,spec.nodeName=n1'), true)
})

test('refuseUnknownFields() names the first field that a kind does not know', async (t) => {
  const selector = parseFieldSelector('metadata.name=a,spec.foo=b')
  t.doesNotThrow(() => refuseUnknownFields(selector, (field) => field === 'spec.foo'))
  t.throws(() => refuseUnknownFields(selector, () => false), {
    code: 400,
    message: 'field label not supported: spec.foo',
  })
})
