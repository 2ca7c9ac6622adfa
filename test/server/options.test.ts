import t from 'tap'
import type { PatchType, Verb } from '../../src/api/contracts.ts'
import { ApiError } from '../../src/api/status.ts'
import { parseOptions } from '../../src/server/options.ts'
import { deleteOptions } from '../../src/server/request/delete-options.ts'

const parse = (verb: Verb, query: string, patchType?: PatchType) =>
  parseOptions({ verb, query: new URLSearchParams(query), patchType })

const refusal = (run: () => unknown): { code: number; message: string } => {
  try {
    run()
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, message: error.message }
    throw error
  }
  return { code: 0, message: '' }
}

t.test('parseOptions() reads what kubectl and informers send', async (t) => {
  t.same(parse('list', 'limit=500&labelSelector=a%3Db'), { limit: 500, labelSelector: 'a=b' })
  t.same(
    parse(
      'watch',
      'allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&timeoutSeconds=5',
    ),
    {
      allowWatchBookmarks: true,
      resourceVersionMatch: 'NotOlderThan',
      sendInitialEvents: true,
      timeoutSeconds: 5,
    },
  )
  t.same(parse('watch', 'resourceVersion=7'), { resourceVersion: '7' })
  t.same(parse('create', 'fieldManager=kubectl-create&fieldValidation=Strict&dryRun=All'), {
    fieldManager: 'kubectl-create',
    fieldValidation: 'Strict',
    dryRun: true,
  })
  t.same(parse('patch', 'fieldManager=k&force=false', 'apply'), { fieldManager: 'k', force: false })
})

t.test('a watch from nowhere in particular starts with what is there', async (t) => {
  for (const query of ['', 'resourceVersion=0', 'resourceVersion=']) {
    t.equal(parse('watch', query).sendInitialEvents, true, query)
    t.equal(parse('watch', query).resourceVersionMatch, 'NotOlderThan', query)
  }
})

t.test('a path that names one object to watch selects it', async (t) => {
  const query = new URLSearchParams()
  t.equal(parseOptions({ verb: 'watch', query, name: 'a' }).fieldSelector, 'metadata.name=a')
})

t.test('options that make no sense are refused in upstream words', async (t) => {
  const list = 'ListOptions.meta.k8s.io "" is invalid: '
  const table: readonly (readonly [Verb, string, number, string, PatchType?])[] = [
    ['list', 'limit=x', 400, 'strconv.ParseInt: parsing "x": invalid syntax'],
    [
      'list',
      'resourceVersionMatch=Exact',
      422,
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided`,
    ],
    [
      'list',
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"`,
    ],
    [
      'list',
      'resourceVersion=1&resourceVersionMatch=Some',
      422,
      `${list}resourceVersionMatch: Unsupported value: "Some": supported values: "", "Exact", "NotOlderThan"`,
    ],
    [
      'list',
      'sendInitialEvents=true',
      422,
      `${list}sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
    ],
    [
      'watch',
      'sendInitialEvents=true',
      422,
      `${list}resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan`,
    ],
    [
      'watch',
      'resourceVersion=1&resourceVersionMatch=NotOlderThan',
      422,
      `${list}resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided`,
    ],
    [
      'create',
      'dryRun=yes',
      422,
      'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"yes"}: supported values: "All"',
    ],
    [
      'update',
      'fieldValidation=Maybe',
      422,
      'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    ],
    [
      'patch',
      '',
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      'apply',
    ],
    [
      'patch',
      'force=true',
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      'merge',
    ],
    [
      'create',
      'fieldManager=a%0Ab',
      422,
      'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\nb": invalid character U+000A (at position 1)',
    ],
  ]
  for (const [verb, query, code, message, patchType] of table) {
    t.same(
      refusal(() => parse(verb, query, patchType)),
      { code, message },
      `${verb} ${query}`,
    )
  }
  t.equal(refusal(() => parse('create', `fieldManager=${'x'.repeat(129)}`)).code, 422)
})

t.test('deleteOptions() takes the body, or the query when there is none, and never both', async (t) => {
  const none = new URLSearchParams('gracePeriodSeconds=5&propagationPolicy=Orphan')
  t.same(deleteOptions(undefined, none), { gracePeriodSeconds: 5, propagationPolicy: 'Orphan' })
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: 'Foreground',
    preconditions: { uid: 'u' },
  }
  t.same(deleteOptions(body, none), { propagationPolicy: 'Foreground', preconditions: { uid: 'u' } })
  t.same(deleteOptions({ orphanDependents: true, dryRun: ['All'] }, none), {
    propagationPolicy: 'Orphan',
    dryRun: true,
  })
  t.equal(
    refusal(() => deleteOptions({ kind: 'Pod' }, none)).message,
    'decoded object cannot be converted to DeleteOptions',
  )
  t.equal(refusal(() => deleteOptions({ gracePeriodSeconds: 'soon' }, none)).code, 400)
  t.equal(
    refusal(() => deleteOptions({ propagationPolicy: 'Later' }, none)).message,
    'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Later": supported values: "Background", "Foreground", "Orphan", "nil"',
  )
  t.equal(
    refusal(() => deleteOptions({ orphanDependents: true, propagationPolicy: 'Orphan' }, none)).code,
    422,
  )
})
