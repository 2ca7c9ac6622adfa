// A request for objects: read off the wire, handed to the door as a call, its answer written back.
// What a call does is the door's; which route it was is route.ts's.

import { type Answer, type Call, type CallOptions, type Verb, verbs } from '../api/contracts.ts'
import { ApiError, pathNotFound } from '../api/status.ts'
import type { Kind } from '../kinds/kind.ts'
import type { Asked, AskedBy, Edge } from './edge.ts'
import type { HttpResponse } from './http/exchange.ts'
import { parseOptions } from './options.ts'
import { decodeDeleteOptions, decodeObject, decodePatch } from './request/body.ts'
import { judge } from './request/judge.ts'
import { patchTypeOf } from './request/media.ts'
import { respond, warningsOf } from './respond.ts'
import { type Format, negotiate } from './response/negotiate.ts'
import { defaultShape, type TableShape } from './response/table.ts'
import { checkWatchFormat, watchStream } from './response/watch-stream.ts'
import { notServed } from './subresources/subresource.ts'

/** Subresources that are conversations or streams rather than objects. */
export const connectSubresources: readonly string[] = ['attach', 'exec', 'log', 'portforward', 'proxy']
export const longSubresources = connectSubresources

/** Throws ApiError for every refusal. */
export async function answerResource(edge: Edge, asked: AskedBy): Promise<HttpResponse> {
  const { request, route, user } = asked
  const kind = edge.catalog.find(route)
  // Asked before the body is read: who may not write has no reason to send megabytes.
  judge(edge.authorizer, route, user)
  if (kind === undefined) throw pathNotFound()
  if (route.rest !== '' && route.subresource !== 'proxy') throw pathNotFound()
  if (isConnect(kind, route.subresource)) {
    if (edge.connect === undefined) throw notServed(kind, route.subresource)
    return edge.connect({ ...asked, kind })
  }
  const verb = verbOf(asked)
  const format = negotiate({
    accept: acceptOf(asked),
    query: asked.query,
    userAgent: request.headers.get('user-agent'),
    isStream: verb === 'watch',
  })
  if (verb === 'watch') return answerWatch(edge, { ...asked, kind, format })
  const call = await callOf(asked, { kind, verb })
  const answer = await edge.door.handle(call)
  if (answer.type === 'watch') throw new Error('the door answered a watch to something else')
  return respond(answer, { format, now: edge.clock.now(), shapeOf: shapeOf(edge) })
}

function isConnect(kind: Kind, subresource: string): boolean {
  return (
    connectSubresources.includes(subresource) && kind.subresources.some(({ name }) => name === subresource)
  )
}

/** Throws 405 for a method that this path does not have. */
function verbOf({ request, route }: Asked): Verb {
  const verb = verbs.find((one) => one === route.verb)
  const isNamedCreate = verb === 'create' && route.name !== '' && route.subresource === ''
  const needsName = (verb === 'update' || verb === 'patch') && route.name === ''
  const isOddWatch = verb === 'watch' && request.method !== 'GET'
  if (verb === undefined || request.method === 'HEAD' || isNamedCreate || needsName || isOddWatch) {
    throw new ApiError({
      code: 405,
      reason: 'MethodNotAllowed',
      message: 'the server does not allow this method on the requested resource',
      details: {},
    })
  }
  return verb
}

const acceptOf = ({ request }: Asked): string | undefined => {
  const all = request.headers.all('accept')
  return all.length === 0 ? undefined : all.join(',')
}

interface CallTarget {
  readonly kind: Kind
  readonly verb: Verb
}

async function callOf(asked: AskedBy, { kind, verb }: CallTarget): Promise<Call> {
  const { request, route, query, user } = asked
  const { group, version, resource, subresource, namespace, name } = route
  const base = {
    ...{ user, verb, group, version, resource, subresource, namespace, name },
    userAgent: managerOf(request.headers.get('user-agent')),
    signal: request.signal,
  }
  const contentType = request.headers.get('content-type')
  if (verb === 'patch') {
    const patchType = patchTypeOf(contentType, kind.isCustom)
    const body = await request.body()
    const options = parseOptions({ verb, query, patchType })
    const patch = decodePatch(body, patchType, options)
    return {
      ...base,
      options,
      patch: { type: patchType, body: patch.body },
      decodingWarnings: patch.warnings,
    }
  }
  if (verb === 'create' || verb === 'update') {
    const body = await request.body()
    const options = parseOptions({ verb, query })
    const target = {
      kind,
      subresource: kind.subresources.find((one) => one.name === subresource),
      contentType,
    }
    const { object, warnings } = decodeObject(body, target, options)
    return { ...base, options, object, decodingWarnings: warnings }
  }
  const options = parseOptions({ verb, query, name })
  if (verb !== 'delete' && verb !== 'deletecollection') return { ...base, options }
  const wanted = decodeDeleteOptions(await request.body(), contentType, query)
  return { ...base, options: { ...options, ...wanted } satisfies CallOptions }
}

const managerBytesMax = 128

/** The client's name, without its version: the field manager of writes that name none. */
function managerOf(userAgent = ''): string {
  let manager = ''
  for (const character of userAgent.split('/')[0] ?? '') {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) continue
    if (Buffer.byteLength(manager + character) > managerBytesMax) break
    manager += character
  }
  return manager
}

// Upstream's --min-request-timeout: watches without a limit of their own end after half an hour to an hour.
const watchSecondsMin = 1_800

interface WatchRequest extends AskedBy {
  readonly kind: Kind
  readonly format: Format
}

async function answerWatch(edge: Edge, asked: WatchRequest): Promise<HttpResponse> {
  const { request, route, format } = asked
  checkWatchFormat(format)
  const call = await callOf(asked, { kind: asked.kind, verb: 'watch' })
  const seconds = call.options.timeoutSeconds || Math.floor(watchSecondsMin * (1 + edge.random.fraction()))
  const life = watchLife(edge, asked, seconds * 1000)
  let answer: Answer
  try {
    answer = await edge.door.handle({
      ...call,
      options: { ...call.options, timeoutSeconds: seconds },
      signal: life.signal,
    })
  } catch (error) {
    life.end()
    throw error
  }
  if (answer.type !== 'watch') throw new Error('the door answered something else to a watch')
  const lines = watchStream(answer.items, {
    format,
    served: answer.served,
    shape: shapeOf(edge)(answer.served) ?? defaultShape,
    frames: edge.frames,
    now: () => edge.clock.now(),
    onError: (error) => edge.log.error('watch failed', { path: route.path, error }),
  })
  return {
    status: 200,
    headers: { 'content-type': 'application/json', ...warningsOf(answer.warnings) },
    body: until(lines, request.signal, life.end),
    isStream: true,
  }
}

/** A signal that fires when the client goes, the server stops, or the time is up. */
function watchLife({ clock }: Edge, { request }: Asked, timeoutMs: number) {
  const controller = new AbortController()
  const end = () => {
    cancel()
    request.signal.removeEventListener('abort', end)
    request.closing.removeEventListener('abort', end)
    controller.abort(new Error('the watch has ended'))
  }
  const cancel = clock.setTimer(timeoutMs, end)
  request.signal.addEventListener('abort', end, { once: true })
  request.closing.addEventListener('abort', end, { once: true })
  if (request.signal.aborted || request.closing.aborted) end()
  return { signal: controller.signal, end }
}

async function* until(
  lines: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  end: () => void,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (!signal.aborted) yield* lines
  } finally {
    end()
  }
}

const shapeOf =
  ({ catalog }: Edge) =>
  (served: { group: string; version: string; kind: string; plural: string }): TableShape | undefined => {
    const kind = catalog.find({ group: served.group, version: served.version, resource: served.plural })
    return kind?.kind === served.kind ? kind : undefined
  }
