// What the server counts about itself, in the names that upstream's dashboards know.
// Counting is a map entry a request; prom-client is loaded when somebody first asks for the text.

import type { HttpResponse } from '../http/exchange.ts'

export interface RequestRecord {
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly code: number
  /** Absent for watches, whose length says nothing. */
  readonly seconds: number | undefined
}

const buckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
// Labels come from what is served and a fixed set of codes; a bound all the same.
const seriesMax = 20_000

interface Series {
  readonly labels: Readonly<Record<string, string>>
  count: number
  seconds: number
  readonly inBucket: number[]
}

export interface MetricsSources {
  readonly openWatches: () => number
  readonly requestsInFlight: () => number
}

export class Metrics {
  readonly #sources: MetricsSources
  readonly #totals = new Map<string, Series>()
  readonly #durations = new Map<string, Series>()
  #registry: Promise<{ metrics(): Promise<string>; contentType: string }> | undefined

  constructor(sources: MetricsSources) {
    this.#sources = sources
  }

  record({ verb, group, version, resource, subresource, code, seconds }: RequestRecord): void {
    const labels = { verb, group, version, resource, subresource, component: 'apiserver' }
    const key = `${verb}|${group}|${version}|${resource}|${subresource}`
    count(this.#totals, `${key}|${code}`, { ...labels, code: String(code) })
    if (seconds !== undefined) observe(count(this.#durations, key, labels), seconds)
  }

  async answer(): Promise<HttpResponse> {
    this.#registry ??= this.#open()
    const registry = await this.#registry
    return { status: 200, headers: { 'content-type': registry.contentType }, body: await registry.metrics() }
  }

  async #open() {
    const { Counter, Gauge, Registry, collectDefaultMetrics } = await import('prom-client')
    const registry = new Registry()
    collectDefaultMetrics({ register: registry })
    const { openWatches, requestsInFlight } = this.#sources
    const registers = [registry]
    const labelNames = ['verb', 'group', 'version', 'resource', 'subresource', 'component']
    new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches that are open now.',
      registers,
      collect() {
        this.set(openWatches())
      },
    })
    new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests that are being answered now, watches apart.',
      registers,
      collect() {
        this.set(requestsInFlight())
      },
    })
    const totals = this.#totals
    new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, resource and response code.',
      labelNames: [...labelNames, 'code'],
      registers,
      collect() {
        this.reset()
        for (const { labels, count } of totals.values()) this.inc(labels, count)
      },
    })
    // The tallies are kept here; the library only prints them.
    const durations = {
      name: durationName,
      get: async () => ({
        name: durationName,
        help: 'How long requests took, watches apart.',
        type: 'histogram',
        aggregator: 'sum',
        values: [...this.#durations.values()].flatMap(histogramValues),
      }),
    }
    registry.registerMetric(durations as unknown as Parameters<typeof registry.registerMetric>[0])
    return registry
  }
}

function count(series: Map<string, Series>, key: string, labels: Readonly<Record<string, string>>): Series {
  const known = series.get(key)
  if (known !== undefined) {
    known.count += 1
    return known
  }
  const made: Series = { labels, count: 1, seconds: 0, inBucket: buckets.map(() => 0) }
  if (series.size < seriesMax) series.set(key, made)
  return made
}

function observe(series: Series, seconds: number): void {
  series.seconds += seconds
  const at = buckets.findIndex((bound) => seconds <= bound)
  if (at >= 0) series.inBucket[at] = (series.inBucket[at] ?? 0) + 1
}

const durationName = 'apiserver_request_duration_seconds'

function histogramValues({ labels, count, seconds, inBucket }: Series) {
  let below = 0
  const rows = buckets.map((bound, at) => {
    below += inBucket[at] ?? 0
    return { metricName: `${durationName}_bucket`, labels: { ...labels, le: bound }, value: below }
  })
  return [
    ...rows,
    { metricName: `${durationName}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${durationName}_sum`, labels, value: seconds },
    { metricName: `${durationName}_count`, labels, value: count },
  ]
}
