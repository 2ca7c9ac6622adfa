// Stands between a plane and its host in every sync test: records each request, and judges it by what must always hold.
// It signs in at the host as the user that the kubeconfig names; the plane reaches it over plain HTTP on loopback.

import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Pod, PolicyRule } from '../src/api/models.ts'
import type { AnyObject } from '../src/client/client.ts'
import { judgePod, type SecurityLevel } from '../src/podsecurity/podsecurity.ts'
import { identityOf } from '../src/sync/owner.ts'
import { roleRules } from '../src/sync/rights.ts'
import { containerRules, podSpecRules } from '../src/sync/translators/fields.ts'

export interface HostProxyOptions {
  readonly server: string
  readonly ca: string
  readonly certificate: string
  readonly key: string
  readonly hostNamespace: string
  readonly planeUid: string
  readonly podSecurity?: SecurityLevel
  readonly rules?: readonly PolicyRule[]
}

export interface RecordedRequest {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly query: URLSearchParams
  readonly body: AnyObject | undefined
}

/** What a fault makes of a request: an answer of its own, no answer at all, or one that is lost after the host wrote. */
export type Fault = { readonly code: number; readonly message?: string } | 'lost' | 'reset' | undefined

export class HostProxy implements AsyncDisposable {
  readonly requests: RecordedRequest[] = []
  readonly violations: string[] = []
  /** Values that must not be seen outside the data of a Secret. */
  readonly canaries = new Set<string>()
  /** How often one thing may be asked in a second; tests whose clock runs fast ask more. */
  budget = 25
  /** Asked before a request goes on. */
  fault: (request: RecordedRequest) => Fault = () => undefined
  readonly #options: HostProxyOptions
  readonly #server: http.Server
  readonly #agent: https.Agent
  readonly #times = new Map<string, number[]>()
  readonly #finished = new EventEmitter()
  #inFlight = 0

  constructor(options: HostProxyOptions) {
    this.#options = options
    const { ca, certificate: cert, key } = options
    this.#agent = new https.Agent({ ca, cert, key, keepAlive: true })
    this.#server = http.createServer((request, response) => this.#serve(request, response))
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves when nothing but watches is under way, and nothing new comes for some turns of the event loop. */
  async settled(): Promise<void> {
    for (let turns = 0; turns < 50; turns += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#inFlight === 0) continue
      await once(this.#finished, 'finished')
      turns = 0
    }
  }

  /** `create pods`, `get pods/log`: what was asked for at least once. */
  get rightsUsed(): ReadonlySet<string> {
    return new Set(this.requests.map((one) => `${one.verb} ${resourceOf(one)}`))
  }

  count(verb: string, resource: string): number {
    return this.requests.filter((one) => one.verb === verb && resourceOf(one) === resource).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    this.#agent.destroy()
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const recorded = recordedOf(request.method ?? 'GET', request.url ?? '/', text)
      this.requests.push(recorded)
      if (recorded.verb !== 'watch') {
        this.#inFlight += 1
        response.once('close', () => {
          this.#inFlight -= 1
          this.#finished.emit('finished')
        })
      }
      this.#judge(recorded, request.url ?? '/', text)
      const fault = this.fault(recorded)
      if (fault === 'reset') {
        request.socket.destroy()
        return
      }
      if (typeof fault === 'object') {
        const status = {
          kind: 'Status',
          status: 'Failure',
          code: fault.code,
          message: fault.message ?? 'fault',
        }
        response.writeHead(fault.code, { 'content-type': 'application/json' }).end(JSON.stringify(status))
        return
      }
      this.#forward({ request, response, text, isLost: fault === 'lost' })
    })
  }

  #forward(exchange: {
    readonly request: http.IncomingMessage
    readonly response: http.ServerResponse
    readonly text: string
    readonly isLost: boolean
  }): void {
    const { request, response, text, isLost } = exchange
    const { host: _, connection: __, ...headers } = request.headers
    const target = new URL(request.url ?? '/', this.#options.server)
    const onward = https.request(
      target,
      { method: request.method ?? 'GET', headers, agent: this.#agent },
      (answer) => {
        if (isLost) {
          answer.resume()
          answer.on('end', () => request.socket.destroy())
          return
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.on('error', () => response.destroy())
        answer.pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    response.on('close', () => onward.destroy())
    onward.end(text)
  }

  #judge(request: RecordedRequest, url: string, text: string): void {
    const fail = (invariant: string, why: string) =>
      this.violations.push(`${invariant}: ${request.verb} ${resourceOf(request)} ${request.name}: ${why}`)
    const { hostNamespace, rules = roleRules() } = this.#options
    if (request.namespace !== hostNamespace) fail('I1', `outside the namespace: ${url}`)
    if (!isAllowed(rules, request)) fail('I2', 'not in the Role')
    if (request.verb === 'deletecollection') fail('I5', 'a whole collection')
    if (request.verb === 'delete') {
      const uid = (request.body as { preconditions?: { uid?: string } } | undefined)?.preconditions?.uid
      if (uid === undefined || uid === '') fail('I5', 'no UID precondition')
    }
    if (request.verb === 'create' || request.verb === 'update') this.#judgeWrite(request, fail)
    if (request.verb === 'patch') fail('I5', 'a patch has no preconditions')
    this.#judgeSecrets(request, { url, text }, fail)
    this.#judgeRate(request, fail)
  }

  #judgeWrite(request: RecordedRequest, fail: (invariant: string, why: string) => void): void {
    const { body } = request
    if (body === undefined) {
      fail('I4', 'no object')
      return
    }
    if (identityOf(body, this.#options.planeUid) === undefined) fail('I4', 'no proof of ownership')
    if (
      request.verb === 'update' &&
      (body.metadata.uid === undefined || body.metadata.resourceVersion === undefined)
    )
      fail('I5', 'no UID and revision')
    if (request.resource !== 'pods' || request.verb !== 'create') return
    const pod = body as Pod
    const level = this.#options.podSecurity ?? 'baseline'
    for (const { reason, detail } of judgePod(pod, level)) fail('I3', `${reason} ${detail}`)
    const known = [...podSpecRules.copied, ...podSpecRules.rewritten, ...policyFields]
    for (const field of Object.keys(pod.spec ?? {}))
      if (!(known as readonly string[]).includes(field)) fail('I3', `spec.${field}`)
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
    const inContainers = [...containerRules.copied, ...containerRules.rewritten] as readonly string[]
    for (const field of containers.flatMap((container) => Object.keys(container)))
      if (!inContainers.includes(field)) fail('I3', `container field ${field}`)
  }

  #judgeSecrets(
    { resource, body }: RecordedRequest,
    { url, text }: { readonly url: string; readonly text: string },
    fail: (invariant: string, why: string) => void,
  ): void {
    const { data: _, ...rest } = (body ?? {}) as Readonly<Record<string, unknown>>
    const seen = `${url} ${resource === 'secrets' ? JSON.stringify(rest) : text}`
    for (const canary of this.canaries) {
      const forms = [canary, Buffer.from(canary).toString('base64')]
      if (forms.some((form) => seen.includes(form))) fail('I6', `a secret value is seen: ${canary}`)
    }
    if (/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./.test(seen)) fail('I6', 'a token is seen')
  }

  #judgeRate(request: RecordedRequest, fail: (invariant: string, why: string) => void): void {
    const key = `${request.verb} ${resourceOf(request)} ${request.name}`
    const nowMs = performance.now()
    const times = (this.#times.get(key) ?? []).filter((at) => nowMs - at < 1_000)
    times.push(nowMs)
    this.#times.set(key, times)
    // Creates have no name in the path: all of a kind share one budget.
    const budget = request.name === '' ? 400 : this.budget
    if (times.length === budget + 1) fail('I7', `more than ${budget} times in a second`)
  }
}

const policyFields = ['nodeSelector', 'priorityClassName', 'runtimeClassName']

const resourceOf = ({ resource, subresource }: RecordedRequest): string =>
  subresource === '' ? resource : `${resource}/${subresource}`

function isAllowed(rules: readonly PolicyRule[], request: RecordedRequest): boolean {
  return rules.some(
    ({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.includes(request.group) &&
      resources.includes(resourceOf(request)) &&
      verbs.includes(request.verb),
  )
}

function recordedOf(method: string, url: string, text: string): RecordedRequest {
  const { pathname, searchParams: query } = new URL(url, 'http://host')
  const found =
    /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/.exec(
      pathname,
    )
  const { group = '', namespace = '', resource = pathname, name = '', subresource = '' } = found?.groups ?? {}
  const body = text.startsWith('{') ? (JSON.parse(text) as AnyObject) : undefined
  return { verb: verbOf(method, { name, query }), group, namespace, resource, name, subresource, query, body }
}

function verbOf(method: string, { name, query }: { name: string; query: URLSearchParams }): string {
  if (query.get('watch') === 'true') return 'watch'
  if (method === 'GET') return name === '' ? 'list' : 'get'
  if (method === 'DELETE') return name === '' ? 'deletecollection' : 'delete'
  return { POST: 'create', PUT: 'update', PATCH: 'patch' }[method] ?? method.toLowerCase()
}
