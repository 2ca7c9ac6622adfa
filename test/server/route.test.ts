import fc from 'fast-check'
import t from 'tap'
import { ApiError } from '../../src/api/status.ts'
import { parseRoute, type Route } from '../../src/server/route.ts'

const parse = (method: string, target: string): Route => {
  const [path = '', query = ''] = target.split('?')
  return parseRoute({ method, path, query: new URLSearchParams(query) })
}

// Method and target, then verb, group, version, namespace, resource, subresource, name: upstream's own table.
const resources: readonly (readonly [string, string, string])[] = [
  ['GET', '/api/v1/namespaces', 'list||v1||namespaces||'],
  ['GET', '/api/v1/namespaces/other', 'get||v1|other|namespaces||other'],
  ['GET', '/api/v1/namespaces/other/pods', 'list||v1|other|pods||'],
  ['GET', '/api/v1/namespaces/other/pods/foo', 'get||v1|other|pods||foo'],
  ['HEAD', '/api/v1/namespaces/other/pods/foo', 'get||v1|other|pods||foo'],
  ['GET', '/api/v1/pods', 'list||v1||pods||'],
  ['HEAD', '/api/v1/pods', 'list||v1||pods||'],
  ['GET', '/api/v1/pods/', 'list||v1||pods||'],
  ['POST', '/api/v1/pods', 'create||v1||pods||'],
  ['GET', '/api/v1/watch/pods', 'watch||v1||pods||'],
  ['GET', '/api/v1/pods?watch=true', 'watch||v1||pods||'],
  ['GET', '/api/v1/pods?watch=1', 'watch||v1||pods||'],
  ['GET', '/api/v1/pods?watch=', 'watch||v1||pods||'],
  ['GET', '/api/v1/pods?watch=false', 'list||v1||pods||'],
  ['GET', '/api/v1/pods?watch=0', 'list||v1||pods||'],
  ['GET', '/api/v1/watch/namespaces/other/pods', 'watch||v1|other|pods||'],
  ['GET', '/api/v1/watch/namespaces/other/pods/foo', 'watch||v1|other|pods||foo'],
  ['GET', '/api/v1/namespaces/other/pods?fieldSelector=metadata.name%3Dfoo', 'list||v1|other|pods||foo'],
  [
    'GET',
    '/api/v1/namespaces/other/pods?watch=true&fieldSelector=metadata.name=foo',
    'watch||v1|other|pods||foo',
  ],
  ['GET', '/api/v1/pods?fieldSelector=metadata.name%3D..%2Fx', 'list||v1||pods||'],
  ['GET', '/api/v1/pods?fieldSelector=metadata.name!%3Dfoo', 'list||v1||pods||'],
  ['GET', '/api/v1/namespaces/other/pods/foo/status', 'get||v1|other|pods|status|foo'],
  ['PUT', '/api/v1/namespaces/other/finalize', 'update||v1|other|namespaces|finalize|other'],
  ['PUT', '/api/v1/namespaces/other/status', 'update||v1|other|namespaces|status|other'],
  ['POST', '/api/v1/namespaces/other/pods/foo/exec', 'create||v1|other|pods|exec|foo'],
  ['DELETE', '/api/v1/namespaces/other/pods', 'deletecollection||v1|other|pods||'],
  ['DELETE', '/api/v1/namespaces/other/pods/foo', 'delete||v1|other|pods||foo'],
  ['PATCH', '/apis/apps/v1/namespaces/other/deployments/foo', 'patch|apps|v1|other|deployments||foo'],
  [
    'PUT',
    '/apis/apps/v1/namespaces/other/deployments/foo/scale',
    'update|apps|v1|other|deployments|scale|foo',
  ],
  ['GET', '/apis/example.com/v1/namespaces/other/things', 'list|example.com|v1|other|things||'],
  ['OPTIONS', '/api/v1/pods', '||v1||pods||'],
  [
    'GET',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    'get|rbac.authorization.k8s.io|v1||clusterroles||system:node',
  ],
]

t.test('parseRoute() reads resource paths as upstream does', async (t) => {
  for (const [method, target, expected] of resources) {
    const route = parse(method, target)
    const { verb, group, version, namespace, resource, subresource, name } = route
    t.equal(
      [verb, group, version, namespace, resource, subresource, name].join('|'),
      expected,
      `${method} ${target}`,
    )
    t.equal(route.isResource, true)
  }
})

t.test('parseRoute() takes everything else for a path, by its method in lower case', async (t) => {
  for (const path of [
    '/',
    '/api',
    '/api/',
    '/apis',
    '/api/v1',
    '/apis/apps',
    '/apis/apps/v1',
    '/healthz/ping',
    '/version',
  ]) {
    const route = parse('GET', path)
    t.equal(route.isResource, false)
    t.equal(route.verb, 'get')
    t.equal(route.path, path)
  }
})

t.test('parseRoute() keeps what follows a proxy as it came', async (t) => {
  const route = parse('GET', '/api/v1/namespaces/a/services/b/proxy/x//y/%2e%2e/%2Fz%zz')
  t.equal(route.subresource, 'proxy')
  t.equal(route.rest, '/x//y/%2e%2e/%2Fz%zz')
})

t.test('parseRoute() refuses paths that two readers could take for different things', async (t) => {
  const refused: readonly (readonly [string, number])[] = [
    ['/api/v1/namespaces/a%2Fb/pods', 400],
    ['/api/v1/pods/a%00b', 400],
    ['/api/v1/pods/a%5Cb', 400],
    ['/api/v1/pods/%zz', 400],
    ['/api/v1/pods/%ff', 400],
    ['/api/v1/watch', 400],
    ['/healthz/%2e%2e/metrics', 404],
    ['/api/v1/namespaces/../pods', 404],
    ['/api/v1/namespaces/%2e%2e/pods', 404],
    ['/api/v1//pods', 404],
    ['//api/v1/pods', 404],
    ['/api//v1/pods', 404],
    ['/apis/apps/v1/namespaces//deployments', 404],
  ]
  for (const [path, code] of refused) {
    t.throws(() => parse('GET', path), { code }, path)
  }
})

t.test(
  'B13: whatever a path looks like, no part of a route holds a separator, a dot segment or a control',
  async (t) => {
    const piece = fc.constantFrom(
      'api',
      'apis',
      'v1',
      'namespaces',
      'watch',
      'proxy',
      'x',
      '..',
      '.',
      '',
      '%2f',
      '%2e%2e',
      '%00',
      '..;',
      '%252f',
      'status',
    )
    const method = fc.constantFrom('GET', 'PUT', 'DELETE')
    t.doesNotThrow(() =>
      fc.assert(fc.property(fc.array(piece, { maxLength: 9 }), method, isSoundOrRefused), { numRuns: 5_000 }),
    )
  },
)

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const odd = /[/\\\u0000-\u001f]/

function isSoundOrRefused(pieces: readonly string[], method: string): boolean {
  try {
    const route = parse(method, `/${pieces.join('/')}`)
    const parts = [route.group, route.version, route.namespace, route.resource, route.subresource, route.name]
    const isSound = (part: string) => !odd.test(part) && part !== '.' && part !== '..'
    return parts.every(isSound) && (route.isResource || route.path.split('/').every(isSound))
  } catch (error) {
    return error instanceof ApiError && (error.code === 400 || error.code === 404)
  }
}
