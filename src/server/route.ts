// Path and method -> what is asked for, parsed once: the authoriser and the handlers see the same value.
// Upstream: apiserver/pkg/endpoints/request.RequestInfoFactory, whose answers these are, quirks included.

import { parseFieldSelector, requiredFieldValue } from '../api/select.ts'
import { badRequest, pathNotFound } from '../api/status.ts'

export interface Route {
  readonly isResource: boolean
  /** A resource verb, `''` for a method that means nothing here, or the lower-case method of a non-resource path. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  /** Of the namespace itself too: `/api/v1/namespaces/x` has namespace and name `x`. */
  readonly namespace: string
  readonly name: string
  /** Decoded; what a non-resource request is authorised by. */
  readonly path: string
  /** Whatever follows the subresource, undecoded, with its leading slash: the path behind a proxy. */
  readonly rest: string
  /** `/api/v1/watch/…`, which takes selectors and names its own way. */
  readonly isWatchPath: boolean
}

const verbsOfMethods: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

const namespaceSubresources = ['status', 'finalize']

interface RouteInput {
  readonly method: string
  /** Undecoded. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Throws 400 for a path that two readers could understand differently, and 404 for one that nothing can have. */
export function parseRoute({ method, path, query }: RouteInput): Route {
  const raw = rawSegments(path)
  const segments = raw.map(decodeSegment)
  const route = resourceRoute({ method, query, segments, raw })
  if (route !== undefined) return route
  refuseOddSegments(segments)
  return {
    ...nothing,
    isResource: false,
    verb: method.toLowerCase(),
    path: `/${segments.join('/')}${path.length > 1 && path.endsWith('/') ? '/' : ''}`,
  }
}

const nothing = {
  group: '',
  version: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  rest: '',
  isWatchPath: false,
}

interface Segments {
  readonly method: string
  readonly query: URLSearchParams
  readonly segments: readonly string[]
  readonly raw: readonly string[]
}

function resourceRoute({ method, query, segments, raw }: Segments): Route | undefined {
  const grouped = segments[0] === 'apis'
  const start = grouped ? 3 : 2
  if ((!grouped && segments[0] !== 'api') || segments.length <= start) return undefined
  const group = grouped ? (segments[1] ?? '') : ''
  const version = segments[start - 1] ?? ''
  const isWatchPath = segments[start] === 'watch'
  if (isWatchPath && segments.length === start + 1) {
    throw badRequest(`unable to determine kind and namespace from url, /${segments.join('/')}`)
  }
  let at = isWatchPath ? start + 1 : start
  let namespace = ''
  if (segments[at] === 'namespaces' && segments.length > at + 1) {
    namespace = segments[at + 1] ?? ''
    const third = segments[at + 2]
    if (third !== undefined && !namespaceSubresources.includes(third)) at += 2
  }
  const [resource = '', name = '', subresource = ''] = segments.slice(at)
  refuseOddSegments(segments.slice(0, at + 3))
  const tail = raw.slice(at + 3)
  const verb = isWatchPath ? 'watch' : (verbsOfMethods[method] ?? '')
  return {
    isResource: true,
    ...{ group, version, resource, subresource, namespace, isWatchPath },
    ...withoutName({ verb, name, query }),
    path: `/${segments.slice(0, at + 3).join('/')}`,
    rest: tail.length === 0 ? '' : `/${tail.join('/')}`,
  }
}

/** A GET without a name is a list or a watch, possibly of the one object that its field selector names. */
function withoutName({ verb, name, query }: { verb: string; name: string; query: URLSearchParams }): {
  readonly verb: string
  readonly name: string
} {
  if (name !== '') return { verb, name }
  if (verb === 'delete') return { verb: 'deletecollection', name }
  if (verb !== 'get') return { verb, name }
  return {
    verb: isTrue(query.get('watch')) ? 'watch' : 'list',
    name: selectedName(query.get('fieldSelector')),
  }
}

/** Upstream's reading of a boolean parameter: there, and neither `0` nor `false`. */
export function isTrue(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}

function selectedName(fieldSelector: string | null): string {
  if (fieldSelector === null) return ''
  try {
    const name = requiredFieldValue(parseFieldSelector(fieldSelector), 'metadata.name') ?? ''
    return /[/%]/.test(name) || name === '.' || name === '..' ? '' : name
  } catch {
    // A selector that does not parse names nothing here; the list itself refuses it with the reason.
    return ''
  }
}

function rawSegments(path: string): readonly string[] {
  const inner = path.replace(/^\//, '').replace(/\/$/, '')
  return inner === '' ? [] : inner.split('/')
}

// What cannot be decoded gets a character that no examined segment may have; behind a proxy nobody minds.
function decodeSegment(raw: string): string {
  try {
    return decodeURIComponent(raw)
  } catch {
    return `\u0000${raw}`
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unsafe = /[/\\\u0000-\u001f\u007f]/

function refuseOddSegments(segments: readonly string[]): void {
  for (const segment of segments) {
    if (unsafe.test(segment)) throw badRequest(`the path segment ${JSON.stringify(segment)} is not allowed`)
    if (segment === '' || segment === '.' || segment === '..') throw pathNotFound()
  }
}
