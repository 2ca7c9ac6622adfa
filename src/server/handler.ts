// From an HTTP request to an HTTP answer: who asks, for what, may they; then the door, or one of the documents.
// Objects are the door's; this only reads and writes the wire.

import { systemRandom } from '../platform/random.ts'
import { Discovery } from './discovery/discovery.ts'
import { answerDocument } from './documents.ts'
import type { Asked, Edge, HandlerOptions } from './edge.ts'
import type { HealthSource } from './health/health.ts'
import { Metrics } from './health/metrics.ts'
import type { Handler, HttpRequest, HttpResponse } from './http/exchange.ts'
import { OpenApi } from './openapi/openapi.ts'
import { identify } from './request/identity.ts'
import { defaultInFlight, InFlight, withDeadline } from './request/in-flight.ts'
import { attributesOfRoute } from './request/judge.ts'
import { answerResource, longSubresources } from './resources.ts'
import { respondError } from './respond.ts'
import { FrameCache } from './response/frames.ts'
import { parseRoute, type Route } from './route.ts'

const nothingToCheck: HealthSource = { live: [], ready: [] }

/** Answers every request; never rejects for a refusal. */
export function createHandler(options: HandlerOptions): Handler {
  const limits = { ...defaultInFlight, ...options.limits }
  const inFlight = new InFlight(limits)
  const edge: Edge = {
    ...options,
    random: options.random ?? systemRandom,
    health: options.health ?? nothingToCheck,
    discovery: new Discovery(options.catalog),
    openApi: new OpenApi(options.catalog),
    metrics: new Metrics({
      openWatches: () => inFlight.longRequests,
      requestsInFlight: () => inFlight.requests,
    }),
    frames: new FrameCache(),
  }
  return async (request) => {
    const response = await settle(request, { edge, inFlight, timeoutMs: limits.requestTimeoutMs })
    return withCommonHeaders(response, auditIdOf(request, edge))
  }
}

interface Settling {
  readonly edge: Edge
  readonly inFlight: InFlight
  readonly timeoutMs: number
}

async function settle(request: HttpRequest, { edge, inFlight, timeoutMs }: Settling): Promise<HttpResponse> {
  const { clock, log } = edge
  const started = clock.monotonic()
  let route: Route | undefined
  let response: HttpResponse
  let leave = (): void => undefined
  try {
    const query = new URLSearchParams(request.query)
    route = parseRoute({ method: request.method, path: request.path, query })
    const asked = { request, route, query }
    if (isLong(route)) {
      leave = inFlight.enter(true)
      response = await answer(edge, asked)
    } else {
      if (!isHealthPath(route)) leave = inFlight.enter(false)
      const work = (signal: AbortSignal) => answer(edge, { ...asked, request: { ...asked.request, signal } })
      response = await withDeadline(work, { clock, timeoutMs, signal: request.signal })
    }
  } catch (error) {
    response = respondError(error, { log, path: request.path })
  }
  const { isStream = false } = response
  const seconds = isStream ? undefined : (clock.monotonic() - started) / 1000
  record(edge, { route, code: response.status, seconds })
  // A watch keeps its place until its last byte is out or its client is gone.
  if (isStream && !request.signal.aborted) request.signal.addEventListener('abort', leave, { once: true })
  else leave()
  return response
}

async function answer(edge: Edge, asked: Asked): Promise<HttpResponse> {
  const { request, route } = asked
  const user = await identify(request, (one) => attributesOfRoute(route, one), edge)
  return route.isResource
    ? answerResource(edge, { ...asked, user })
    : answerDocument(edge, { ...asked, user })
}

const isLong = ({ isResource, verb, subresource }: Route): boolean =>
  isResource && (verb === 'watch' || longSubresources.includes(subresource))

const isHealthPath = ({ isResource, path }: Route): boolean =>
  !isResource && /^\/(healthz|livez|readyz)/.test(path)

function record(
  { metrics, catalog }: Edge,
  { route, code, seconds }: { route: Route | undefined; code: number; seconds: number | undefined },
): void {
  const isKnown = route?.isResource === true && catalog.find(route) !== undefined
  const { group = '', version = '', resource = '', subresource = '' } = isKnown ? route : {}
  metrics.record({
    verb: (route?.verb ?? '').toUpperCase().slice(0, 20),
    group,
    version,
    resource,
    subresource,
    code,
    seconds,
  })
}

function auditIdOf({ headers }: HttpRequest, { random }: Edge): string {
  const given = headers.get('audit-id')
  return given !== undefined && /^[\w.:-]{1,64}$/.test(given) ? given : random.uuid()
}

function withCommonHeaders(response: HttpResponse, auditId: string): HttpResponse {
  return {
    ...response,
    headers: { 'cache-control': 'no-cache, private', ...response.headers, 'audit-id': auditId },
  }
}
