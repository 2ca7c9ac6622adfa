// Paths that are no resources: health, version, metrics, discovery, OpenAPI, and the list of them all.
// Each document is made elsewhere; here is who may read it and where it stands.

import { ApiError, pathNotFound } from '../api/status.ts'
import type { AskedBy, Edge } from './edge.ts'
import { answerHealth, healthPaths } from './health/health.ts'
import type { HttpResponse } from './http/exchange.ts'
import { judge } from './request/judge.ts'
import { versionDocument } from './version.ts'

/** Throws 403, 404 or 405. */
export async function answerDocument(edge: Edge, asked: AskedBy): Promise<HttpResponse> {
  const { request, route, user } = asked
  judge(edge.authorizer, route, user)
  if (request.method !== 'GET' && request.method !== 'HEAD') throw notHere()
  const path = route.path.length > 1 ? route.path.replace(/\/$/, '') : route.path
  const document = await find(edge, asked, path)
  if (document === undefined) throw pathNotFound()
  return document
}

async function find(
  edge: Edge,
  { request, query }: AskedBy,
  path: string,
): Promise<HttpResponse | undefined> {
  const { headers, closing } = request
  const accept = headers.get('accept')
  const ifNoneMatch = headers.get('if-none-match')
  if (path === '/') return json({ paths: pathsOf(edge) })
  if (path === '/version') return json(versionDocument(edge.build ?? 'k3v'))
  if (path === '/metrics') return edge.metrics.answer()
  if (/^\/apis?(\/|$)/.test(path)) return edge.discovery.answer({ path, accept, ifNoneMatch })
  if (path.startsWith('/openapi/')) return edge.openApi.answer({ path, query, accept, ifNoneMatch })
  const given =
    edge.documents !== undefined && Object.hasOwn(edge.documents, path) ? edge.documents[path]?.() : undefined
  if (given !== undefined)
    return { status: 200, headers: { 'content-type': given.contentType }, body: given.body }
  return answerHealth(edge.health, { path, query, closing, log: edge.log })
}

function pathsOf(edge: Edge): readonly string[] {
  return [
    ...new Set([
      ...edge.discovery.paths(),
      ...healthPaths(edge.health),
      ...Object.keys(edge.documents ?? {}),
      '/apis',
      '/metrics',
      '/openapi/v2',
      '/openapi/v3',
      '/version',
    ]),
  ].sort()
}

const json = (value: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: `${JSON.stringify(value, null, 2)}\n`,
})

const notHere = (): ApiError =>
  new ApiError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: 'the server does not allow this method on the requested resource',
    details: {},
  })
