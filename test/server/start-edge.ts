// The whole HTTP edge for a test: discovery, negotiation and all, over the real door and a store in memory.
// Everybody may do everything, unless the test says otherwise.

import type { Authenticator, Authorizer, Door } from '../../src/api/contracts.ts'
import { Catalog } from '../../src/catalog/catalog.ts'
import { builtInKinds } from '../../src/kinds/index.ts'
import type { Kind } from '../../src/kinds/kind.ts'
import { type Clock, systemClock } from '../../src/platform/clock.ts'
import { type Logger, silentLogger } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { createDoor } from '../../src/server/door.ts'
import type { HandlerOptions } from '../../src/server/edge.ts'
import { createHandler } from '../../src/server/handler.ts'
import { openMemoryStore } from '../../src/store/memory/memory.ts'
import { openWatchCache } from '../../src/watch/cache.ts'
import { startTestServer, type TestServer } from './start-server.ts'

export interface TestEdge extends TestServer {
  readonly catalog: Catalog
  readonly door: Door
}

export interface TestEdgeOptions
  extends Partial<Pick<HandlerOptions, 'connect' | 'documents' | 'health' | 'limits' | 'log'>> {
  readonly kinds?: readonly Kind[]
  readonly authorizer?: Authorizer
  readonly authenticator?: Authenticator
  readonly clock?: Clock
  /** Stands in for the real door. */
  readonly door?: Door
}

export const allowAll: Authorizer = {
  authorize: () => ({ allowed: true, reason: '' }),
  rulesFor: () => ({ resourceRules: [], nonResourceRules: [] }),
}

/** The bearer token is the user's name. */
export const tokenIsName: Authenticator = {
  authenticate: async ({ bearerToken }) => ({
    name: bearerToken ?? 'system:anonymous',
    groups: [bearerToken === undefined ? 'system:unauthenticated' : 'system:authenticated'],
  }),
}

export async function startTestEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const {
    clock = systemClock,
    kinds = builtInKinds,
    authorizer = allowAll,
    authenticator = tokenIsName,
  } = options
  const log: Logger = options.log ?? silentLogger
  const store = await openMemoryStore({ random: systemRandom, clock })
  const cache = await openWatchCache({ store, clock, log })
  const catalog = new Catalog({ store, cache, kinds })
  const door =
    options.door ??
    createDoor({
      catalog,
      authorizer,
      authenticator,
      admission: {
        mutate: async ({ object }) => object ?? { metadata: {} },
        validate: async () => undefined,
      },
      allocator: {
        allocate: async ({ object }) => ({ object, confirm: () => undefined, release: () => undefined }),
      },
      tokens: { issue: () => Promise.reject(new Error('no tokens here')) },
      clock,
      random: systemRandom,
      log,
    })
  const handler = createHandler({ ...options, door, authenticator, authorizer, catalog, clock, log })
  const server = await startTestServer({ handler, log })
  return {
    ...server,
    catalog,
    door,
    [Symbol.asyncDispose]: async () => {
      await server.server.close(0)
      await cache.close()
      await store.close()
    },
  }
}
