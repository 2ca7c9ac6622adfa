// GET, LIST and WATCH: what is asked of the catalog's memory, and at which revision.
// Rules of resourceVersion and continue: https://kubernetes.io/docs/reference/using-api/api-concepts/.

import type { Answer, CallOptions, WatchItem } from '../../api/contracts.ts'
import { badRequest, expired, notFound, timeout } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { isPresented, present } from '../../catalog/catalog.ts'
import type { Kind } from '../../kinds/kind.ts'
import { named, type Spine, type Target } from '../spine.ts'
import { type Matcher, makeMatcher } from './match.ts'

/** How long a read waits for a revision that has not been reached yet. Upstream: cacher's blockTimeout. */
const waitForRevisionMs = 3_000

export async function getObject(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const { resourceVersion } = call.options
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== '0') {
    await reach(spine, parseRevision(resourceVersion), call.signal)
  }
  const stored = spine.catalog.get(kind, call.namespace, call.name)
  if (stored === undefined) throw notFound(named(kind), call.name)
  return { type: 'object', code: 200, served: kind, object: stored, warnings: target.warnings }
}

export async function listObjects(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const { options } = call
  const matcher = makeMatcher(kind, options)
  const prefix = spine.catalog.prefix(kind, call.namespace)
  const token = options.continue === undefined ? undefined : parseContinue(options.continue, prefix)
  const exact = token?.revision ?? exactRevision(options)
  if (exact === undefined && options.resourceVersion !== undefined && options.resourceVersion !== '') {
    await reach(spine, parseRevision(options.resourceVersion), call.signal)
  }
  if (exact !== undefined && exact > 0) await reach(spine, exact, call.signal)
  const isPast = exact !== undefined && exact > 0
  const revision = isPast ? exact : spine.catalog.cache.revision
  const all = isPast ? spine.catalog.cache.listAt(prefix, exact) : spine.catalog.cache.list(prefix)
  if (all === undefined) throw tooOld(token, revision, spine.catalog.cache.revision)
  return page({ target, all, matcher, revision, prefix, after: token?.start })
}

interface Page {
  readonly target: Target
  readonly all: readonly StoredObject[]
  readonly matcher: Matcher
  readonly revision: number
  readonly prefix: string
  /** The key, without the prefix, at which a continued list starts. */
  readonly after: string | undefined
}

function page({ target, all, matcher, revision, prefix, after }: Page): Answer {
  const { call, kind } = target
  const limit = call.options.limit ?? 0
  const from = after === undefined ? 0 : firstAtOrAfter(all, prefix + after)
  const items: StoredObject[] = []
  let next = from
  for (; next < all.length; next += 1) {
    if (limit > 0 && items.length >= limit) break
    const stored = present(all[next] as StoredObject, kind)
    if (matcher.matches(stored)) items.push(stored)
  }
  const isCut = next < all.length
  return {
    type: 'list',
    served: kind,
    revision,
    items,
    continue: isCut
      ? makeContinue(revision, (all[next] as StoredObject).key.slice(prefix.length))
      : undefined,
    remaining: isCut && matcher.isEmpty ? all.length - next : undefined,
    warnings: target.warnings,
  }
}

function firstAtOrAfter(all: readonly StoredObject[], key: string): number {
  const wanted = Buffer.from(key)
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (Buffer.compare(Buffer.from((all[middle] as StoredObject).key), wanted) < 0) low = middle + 1
    else high = middle
  }
  return low
}

export async function watchObjects(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  const { options } = call
  const matcher = makeMatcher(kind, options)
  const asked =
    options.resourceVersion === undefined || options.resourceVersion === ''
      ? 0
      : parseRevision(options.resourceVersion)
  if (options.sendInitialEvents === true && asked > 0) await reach(spine, asked, call.signal)
  // A definition that changes or goes ends its watches: clients look again at what is served.
  const served = spine.catalog.servedSignal(kind)
  const items = spine.catalog.cache.watch({
    prefix: spine.catalog.prefix(kind, call.namespace),
    ...(options.sendInitialEvents === true || asked === 0 ? {} : { from: asked }),
    ...(matcher.isEmpty ? {} : { matches: (stored: StoredObject) => matcher.matches(present(stored, kind)) }),
    bookmarks: options.allowWatchBookmarks === true,
    sendInitialEvents: options.sendInitialEvents === true,
    signal: served === undefined ? call.signal : AbortSignal.any([call.signal, served]),
  })
  return { type: 'watch', served: kind, items: presentItems(items, kind), warnings: target.warnings }
}

function presentItems(items: AsyncIterable<WatchItem>, kind: Kind): AsyncIterable<WatchItem> {
  if (!isPresented(kind)) return items
  return mapItems(items, (item) =>
    item.type === 'events'
      ? {
          type: 'events',
          events: item.events.map((event) => ({ ...event, object: present(event.object, kind) })),
        }
      : item,
  )
}

async function* mapItems(
  items: AsyncIterable<WatchItem>,
  change: (item: WatchItem) => WatchItem,
): AsyncGenerator<WatchItem> {
  for await (const item of items) yield change(item)
}

async function reach(spine: Spine, revision: number, signal: AbortSignal): Promise<void> {
  if (revision <= spine.catalog.cache.revision) return
  const isReached = await spine.catalog.cache.waitFor(revision, { timeoutMs: waitForRevisionMs, signal })
  if (isReached) return
  throw timeout(`Too large resource version: ${revision}, current: ${spine.catalog.cache.revision}`, 1, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ])
}

function parseRevision(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text))
    throw badRequest(`Invalid value for resourceVersion: ${JSON.stringify(text)}`)
  return Number(text)
}

/** A revision that the list must show exactly: asked for, or implied by a limit (the old rule). */
function exactRevision(options: CallOptions): number | undefined {
  const { resourceVersion, resourceVersionMatch, limit } = options
  if (resourceVersion === undefined || resourceVersion === '' || resourceVersion === '0') return undefined
  if (resourceVersionMatch === 'Exact') return parseRevision(resourceVersion)
  if (resourceVersionMatch === undefined && limit !== undefined && limit > 0)
    return parseRevision(resourceVersion)
  return undefined
}

interface ContinueToken {
  readonly revision: number
  readonly start: string
}

const makeContinue = (revision: number, start: string): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url')

function parseContinue(text: string, prefix: string): ContinueToken {
  const refuse = (why: string): never => {
    throw badRequest(`continue key is not valid: ${why}`)
  }
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as {
      v?: unknown
      rv?: unknown
      start?: unknown
    }
    if (token.v !== 'meta.k8s.io/v1') return refuse('unrecognized encoding version')
    if (typeof token.start !== 'string' || token.start === '' || (prefix + token.start).includes('..')) {
      return refuse('no or a bad start key')
    }
    if (typeof token.rv !== 'number' || !Number.isSafeInteger(token.rv))
      return refuse('incorrect encoded start resourceVersion')
    return { revision: token.rv < 0 ? 0 : token.rv, start: token.start }
  } catch (error) {
    if (error instanceof SyntaxError) return refuse('not base64 of JSON')
    throw error
  }
}

function tooOld(token: ContinueToken | undefined, revision: number, newest: number): Error {
  if (token === undefined)
    return expired(`The resourceVersion for the provided list is too old: ${revision} (${newest})`)
  return expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the ' +
      'continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing ' +
      'with the provided token results in an inconsistent list - objects that were created, modified, or deleted between ' +
      'the time the first chunk was returned and now may show up in the list.',
    makeContinue(-1, token.start),
  )
}
