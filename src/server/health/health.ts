// /healthz, /livez and /readyz: named checks, each on its own path too.
// What is checked is handed in; who may ask is the authoriser's.

import type { Logger } from '../../platform/log.ts'
import type { HttpResponse } from '../http/exchange.ts'

/** Throws, or rejects, when something is wrong; the reason goes to the log, not to the caller. */
export interface HealthCheck {
  readonly name: string
  check(): void | Promise<void>
}

export interface HealthSource {
  /** Whether the process is worth keeping; `/healthz` asks the same. */
  readonly live: readonly HealthCheck[]
  /** Whether it can serve; the live checks are added. */
  readonly ready: readonly HealthCheck[]
}

interface HealthRequest {
  /** `/readyz`, `/livez/ping`; without a trailing slash. */
  readonly path: string
  readonly query: URLSearchParams
  readonly closing: AbortSignal
  readonly log: Logger
}

const ping: HealthCheck = { name: 'ping', check: () => undefined }
const roots = ['healthz', 'livez', 'readyz'] as const
type Root = (typeof roots)[number]

/** `undefined` for a path that is no health path. */
export async function answerHealth(
  source: HealthSource,
  request: HealthRequest,
): Promise<HttpResponse | undefined> {
  const [, first = '', ...rest] = request.path.split('/')
  const root = roots.find((one) => one === first)
  if (root === undefined) return undefined
  const checks = checksOf(source, root, request.closing)
  if (rest.length === 0) return answerAll(checks, root, request)
  const one = checks.find(({ name }) => name === rest.join('/'))
  return one === undefined ? undefined : answerOne(one, root, request)
}

/** Every path that answers, for the path list at `/`. */
export function healthPaths(source: HealthSource): readonly string[] {
  return roots.flatMap((root) => [
    `/${root}`,
    ...checksOf(source, root, undefined).map(({ name }) => `/${root}/${name}`),
  ])
}

function checksOf(
  { live, ready }: HealthSource,
  root: Root,
  closing: AbortSignal | undefined,
): readonly HealthCheck[] {
  if (root !== 'readyz') return [ping, ...live]
  const shutdown: HealthCheck = {
    name: 'shutdown',
    check: () => {
      if (closing?.aborted) throw new Error('the process is stopping')
    },
  }
  return [ping, ...live, ...ready, shutdown]
}

async function answerAll(
  checks: readonly HealthCheck[],
  root: Root,
  request: HealthRequest,
): Promise<HttpResponse> {
  const excluded = new Set(request.query.getAll('exclude'))
  const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name))
  const lines: string[] = []
  let isHealthy = true
  for (const check of checks) {
    if (excluded.has(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    const isOk = await passes(check, root, request.log)
    lines.push(isOk ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`)
    isHealthy &&= isOk
  }
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name)).join(', ')
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`)
  }
  if (!isHealthy) return text(500, `${lines.join('\n')}\n${root} check failed\n`)
  if (!request.query.has('verbose')) return text(200, 'ok')
  return text(200, `${lines.join('\n')}\n${root} check passed\n`)
}

async function answerOne(check: HealthCheck, root: Root, { log }: HealthRequest): Promise<HttpResponse> {
  return (await passes(check, root, log))
    ? text(200, 'ok')
    : text(500, 'internal server error: reason withheld\n')
}

async function passes(check: HealthCheck, root: Root, log: Logger): Promise<boolean> {
  try {
    await check.check()
    return true
  } catch (error) {
    log.debug('health check failed', { root, check: check.name, error })
    return false
  }
}

const text = (status: number, body: string): HttpResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  body,
})
