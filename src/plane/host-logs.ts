// Answers `kubectl logs` on the embedded host: the wire of pods/log, over what the node actor kept.
// Upstream: pkg/registry/core/pod/rest/log.go. exec, attach and port-forward are host-upgrades.ts's; without an upgrade they are refused by name.

import { ApiError, fieldInvalid, invalid } from '../api/status.ts'
import { parseTime } from '../api/time.ts'
import type { NodeActor } from '../node/actor.ts'
import type { Clock } from '../platform/clock.ts'
import type { ConnectRequest } from '../server/edge.ts'
import type { HttpResponse } from '../server/http/exchange.ts'

export interface HostLogsOptions {
  /** Undefined while the node is not there yet. */
  readonly actor: () => NodeActor | undefined
  readonly clock: Clock
}

/** For the plane's `connect`. */
export function answerHostLogs(options: HostLogsOptions): (asked: ConnectRequest) => Promise<HttpResponse> {
  return async ({ request, route, query }) => {
    const actor = options.actor()
    if (route.subresource !== 'log') throw notOffered(route.subresource)
    if (actor === undefined) throw notReady()
    const wanted = logOptionsOf(query, options.clock.now())
    const target = { namespace: route.namespace, pod: route.name, ...wanted }
    const headers = { 'content-type': 'text/plain' }
    if (query.get('follow') !== 'true') return { status: 200, headers, body: await actor.logs(target) }
    const signal = AbortSignal.any([request.signal, request.closing])
    const lines = actor.followLogs({ ...target, signal })[Symbol.asyncIterator]()
    // A refusal comes with the first line and must be the answer's status.
    const first = await lines.next()
    return { status: 200, headers, isStream: true, body: bytesOf(first, lines) }
  }
}

async function* bytesOf(
  first: IteratorResult<string>,
  lines: AsyncIterator<string>,
): AsyncGenerator<Uint8Array> {
  for (let next = first; next.done !== true; next = await lines.next()) yield Buffer.from(next.value)
}

function logOptionsOf(query: URLSearchParams, nowMs: number) {
  const sinceSeconds = numberOf(query, 'sinceSeconds', 1)
  const sinceTime = query.get('sinceTime')
  return {
    container: query.get('container') ?? undefined,
    previous: query.get('previous') === 'true',
    timestamps: query.get('timestamps') === 'true',
    tail: numberOf(query, 'tailLines', 0),
    limitBytes: numberOf(query, 'limitBytes', 1),
    sinceMs:
      sinceSeconds !== undefined
        ? nowMs - sinceSeconds * 1_000
        : sinceTime === null
          ? undefined
          : parseTime(sinceTime),
  }
}

function numberOf(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value >= least) return value
  const rule = least === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0'
  throw invalid({ group: '', kind: 'PodLogOptions' }, '', [fieldInvalid(name, value, rule)])
}

const notOffered = (subresource: string): ApiError =>
  new ApiError({
    code: 501,
    reason: 'NotImplemented',
    message: `pods/${subresource} is not offered by the embedded host`,
  })

export const notReady = (): ApiError =>
  new ApiError({
    code: 503,
    reason: 'ServiceUnavailable',
    message: 'the node of the embedded host is starting',
    details: { retryAfterSeconds: 1 },
  })
