import fc from 'fast-check'
import { test } from 'tap'
import type { Json } from '../../src/api/object.ts'
import { applyJsonPatch, jsonPatchWarnings, operationsMax } from '../../src/api/patch/json.ts'
import { applyMergePatch } from '../../src/api/patch/merge.ts'
import { deepFreeze } from '../../src/api/stored.ts'

const patched = (object: Json, patch: Json) =>
  applyJsonPatch(deepFreeze(structuredClone(object)) as object, deepFreeze(structuredClone(patch)))

test('applyJsonPatch() does the six operations', async (t) => {
  const cases: readonly { object: Json; patch: Json; expected: Json }[] = [
    { object: {}, patch: [{ op: 'add', path: '/a', value: 1 }], expected: { a: 1 } },
    { object: { a: [1, 2] }, patch: [{ op: 'add', path: '/a/1', value: 9 }], expected: { a: [1, 9, 2] } },
    { object: { a: [1] }, patch: [{ op: 'add', path: '/a/-', value: 9 }], expected: { a: [1, 9] } },
    { object: { a: { b: 1 } }, patch: [{ op: 'remove', path: '/a/b' }], expected: { a: {} } },
    { object: { a: [1, 2] }, patch: [{ op: 'remove', path: '/a/0' }], expected: { a: [2] } },
    { object: { a: 1 }, patch: [{ op: 'replace', path: '/a', value: [] }], expected: { a: [] } },
    { object: { a: { b: 1 } }, patch: [{ op: 'move', from: '/a/b', path: '/c' }], expected: { a: {}, c: 1 } },
    {
      object: { a: { b: 1 } },
      patch: [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      expected: { a: { b: 1 }, c: { b: 2 } },
    },
    {
      object: { a: { x: [1], y: 2 } },
      patch: [{ op: 'test', path: '/a', value: { y: 2, x: [1] } }],
      expected: { a: { x: [1], y: 2 } },
    },
    { object: { 'a/b': { '~c': 1 } }, patch: [{ op: 'remove', path: '/a~1b/~0c' }], expected: { 'a/b': {} } },
    { object: { a: 1 }, patch: [{ op: 'replace', path: '', value: { b: 2 } }], expected: { b: 2 } },
  ]
  for (const { object, patch, expected } of cases)
    t.strictSame(patched(object, patch), expected, JSON.stringify(patch))
})

test("applyJsonPatch() has the leniencies of upstream's library", async (t) => {
  t.strictSame(patched({ a: [1, 2] }, [{ op: 'remove', path: '/a/-1' }]), { a: [1] })
  t.strictSame(patched({ a: [1, 2] }, [{ op: 'add', path: '/a/-1', value: 3 }]), { a: [1, 2, 3] })
  t.strictSame(patched({}, [{ op: 'replace', path: '/a', value: 3 }]), { a: 3 })
  t.strictSame(patched({}, [{ op: 'add', path: '/a' }]), { a: null })
  t.strictSame(patched({}, [{ op: 'test', path: '/a', value: null }]), {})
})

test('applyJsonPatch() refuses with 422 what does not fit', async (t) => {
  const cases: readonly (readonly [Json, string])[] = [
    [[{ op: 'test', path: '/a', value: 2 }], 'testing value /a failed: test failed'],
    [[{ op: 'remove', path: '/b' }], 'Unable to remove nonexistent key: b'],
    [[{ op: 'add', path: '/b/c', value: 1 }], 'add operation does not apply: doc is missing path: "/b/c"'],
    [[{ op: 'add', path: '/l/5', value: 1 }], 'Unable to access invalid index: 5'],
    [[{ op: 'replace', path: '/l/x', value: 1 }], 'doc is missing key: /l/x'],
    [[{ op: 'jump', path: '/a' }], 'Unexpected kind: jump'],
    [[{ op: 'move', from: '/a', path: '/a/b' }], 'doc is missing destination path'],
    [[{ op: 'replace', path: '', value: [] }], 'the patched document is not an object'],
  ]
  for (const [patch, text] of cases) {
    t.throws(
      () => patched({ a: 1, l: [1] }, patch),
      { code: 422, message: new RegExp(literally(text)) },
      text,
    )
  }
  t.throws(() => patched({}, { op: 'add' }), { code: 400 })
})

const literally = (text: string) => text.replace(/[/\\^$*+?.()|[\]{}"]/g, '\\$&')

test('applyJsonPatch() has bounds on operations, copies and depth', async (t) => {
  const operation = { op: 'test', path: '/a', value: 1 }
  t.throws(
    () =>
      patched(
        { a: 1 },
        Array.from({ length: operationsMax + 1 }, () => operation),
      ),
    {
      code: 413,
      message: 'The allowed maximum operations in a JSON patch is 10000, got 10001',
    },
  )
  const doubling = Array.from({ length: 40 }, (_, index) => ({
    op: 'copy',
    from: '/a',
    path: `/a/k${index}`,
  }))
  t.throws(() => patched({ a: { b: 'x' } }, doubling), { code: 422, message: /accumulated size increase/ })
  const nesting = (depth: number): Json => JSON.parse(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
  const inner = `/${Array.from({ length: 800 }, () => 'a').join('/')}`
  t.throws(() => patched(nesting(800), [{ op: 'add', path: inner, value: nesting(800) }]), {
    code: 422,
    message: /nested too deeply/,
  })
})

test('a field called __proto__ is data in every patch', async (t) => {
  const evil = JSON.parse('{"__proto__":{"polluted":true}}') as Json
  const merged = applyMergePatch({ a: 1 }, evil)
  t.ok(Object.hasOwn(merged, '__proto__'))
  t.equal((merged as { polluted?: boolean }).polluted, undefined)
  const added = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
  t.equal(JSON.stringify(added), '{"__proto__":{"polluted":true}}')
  t.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/__proto__/polluted', value: true }]), { code: 422 })
  t.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]), {
    code: 422,
  })
})

test('jsonPatchWarnings() names unknown fields of operations', async (t) => {
  t.strictSame(jsonPatchWarnings([{ op: 'add', path: '/a', value: 1, foo: 1 }]), [
    'json patch unknown field "[0].foo"',
  ])
})

test('applyJsonPatch() shares what it does not change', async (t) => {
  const object = deepFreeze({ spec: { a: 1 }, status: { b: 2 } })
  const next = applyJsonPatch(object, [{ op: 'replace', path: '/spec/a', value: 2 }])
  t.equal(next.status, object.status)
  t.strictSame(object, { spec: { a: 1 }, status: { b: 2 } })
})

/** The same operations on a mutable copy, written plainly. */
function model(
  object: Json,
  operations: readonly { op: string; keys: readonly string[]; value: Json }[],
): Json {
  const root = structuredClone(object) as { [key: string]: Json }
  for (const { op, keys, value } of operations) {
    let at: { [key: string]: Json } = root
    for (const key of keys.slice(0, -1)) at = at[key] as { [key: string]: Json }
    const last = keys.at(-1) ?? ''
    if (op === 'remove') delete at[last]
    else at[last] = structuredClone(value)
  }
  return root
}

test('applyJsonPatch() does what plain assignment does', async (t) => {
  const key = fc.constantFrom('a', 'b', 'c')
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.dictionary(key, tie('node'))),
  })).node
  fc.assert(
    fc.property(
      fc.dictionary(key, tree),
      fc.array(
        fc.record({
          op: fc.constantFrom('add', 'replace', 'remove'),
          keys: fc.array(key, { minLength: 1, maxLength: 3 }),
          value: tree,
        }),
        { maxLength: 8 },
      ),
      (object, operations) => {
        const patch = operations.map(({ op, keys, value }) => ({ op, path: `/${keys.join('/')}`, value }))
        let result: Json
        try {
          result = patched(object as Json, patch as Json) as Json
        } catch {
          return
        }
        t.strictSame(result, model(object as Json, operations as never))
      },
    ),
    { numRuns: 200, seed: 7 },
  )
})

test('applyMergePatch() follows RFC 7386', async (t) => {
  const cases: readonly (readonly [Json, Json, Json])[] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [{}, { a: [null, { b: null }] }, { a: [null, {}] }],
  ]
  for (const [object, patch, expected] of cases)
    t.strictSame(
      applyMergePatch(deepFreeze(object) as object, deepFreeze(patch)),
      expected,
      JSON.stringify(patch),
    )
  t.throws(() => applyMergePatch({}, []), { code: 400 })
})

test('applyMergePatch() is idempotent, and an empty patch returns the same object', async (t) => {
  const key = fc.constantFrom('a', 'b', 'c')
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small' }, fc.integer(), fc.constant(null), fc.dictionary(key, tie('node'))),
  })).node
  const object = fc.dictionary(key, tree)
  fc.assert(
    fc.property(object, object, (before, patch) => {
      const once = applyMergePatch(deepFreeze(before), patch as Json)
      t.strictSame(applyMergePatch(once, patch as Json), once)
      t.equal(applyMergePatch(before, {}), before)
    }),
    { numRuns: 200, seed: 7 },
  )
})
