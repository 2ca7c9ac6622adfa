// Puts a door on the network: the handler over it, and the one port.

import type { Authenticator, Authorizer, Door } from '../api/contracts.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Pki } from '../pki/pki.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import { createHandler } from '../server/handler.ts'
import { type RunningServer, startServer } from '../server/http.ts'

export interface ServeOptions {
  readonly door: Door
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly catalog: Catalog
  readonly pki: Pki
  readonly listen: { readonly host: string; readonly port: number }
  readonly clock: Clock
  readonly log: Logger
}

export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { door, authenticator, authorizer, catalog, pki, listen, clock, log } = options
  const handler = createHandler({ door, authenticator, authorizer, catalog, clock, log })
  const { certificatePem, keyPem } = pki.servingCertificate()
  return startServer({
    ...listen,
    tls: { key: keyPem, cert: certificatePem, ca: pki.caPem() },
    handler,
    clock,
    log,
  })
}
