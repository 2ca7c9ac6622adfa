// What the parts of the HTTP edge share, and what they hand each other.
// Who fills it in is handler.ts's; who reads it is resources.ts and documents.ts.

import type { Authenticator, Authorizer, Door, UserInfo } from '../api/contracts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { Discovery } from './discovery/discovery.ts'
import type { HealthSource } from './health/health.ts'
import type { Metrics } from './health/metrics.ts'
import type { HttpRequest, HttpResponse } from './http/exchange.ts'
import type { OpenApi } from './openapi/openapi.ts'
import type { InFlightLimits } from './request/in-flight.ts'
import type { FrameCache } from './response/frames.ts'
import type { Route } from './route.ts'

/** A request for a connect subresource: exec, attach, log, port-forward, proxy. Its user may do it already. */
export interface ConnectRequest {
  readonly request: HttpRequest
  readonly route: Route
  readonly query: URLSearchParams
  readonly user: UserInfo
  readonly kind: Kind
}

export interface HandlerOptions {
  readonly door: Door
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly catalog: Pick<Catalog, 'kinds' | 'find' | 'revision'>
  readonly clock: Clock
  readonly log: Logger
  readonly random?: Random | undefined
  readonly health?: HealthSource | undefined
  readonly limits?: Partial<InFlightLimits> | undefined
  /** What stands behind the plus sign of `/version`'s gitVersion. */
  readonly build?: string | undefined
  /** Answers what is not an object; without it the door refuses such subresources. */
  readonly connect?: ((request: ConnectRequest) => Promise<HttpResponse>) | undefined
  /** More paths that are no resources: JSON documents such as the issuer's key set. */
  readonly documents?: Readonly<Record<string, () => { contentType: string; body: string }>> | undefined
}

/** Everything the parts of the edge share. */
export interface Edge extends HandlerOptions {
  readonly random: Random
  readonly health: HealthSource
  readonly discovery: Discovery
  readonly openApi: OpenApi
  readonly metrics: Metrics
  readonly frames: FrameCache
}

export interface Asked {
  readonly request: HttpRequest
  readonly route: Route
  readonly query: URLSearchParams
}

export interface AskedBy extends Asked {
  readonly user: UserInfo
}
