// Puts a door on the network: the handler over it, and the one port.

import assert from 'node:assert/strict'
import type { Authenticator, Authorizer, Door } from '../api/contracts.ts'
import { keySet, openidConfiguration } from '../authn/key-set.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Pki } from '../pki/pki.ts'
import type { Clock } from '../platform/clock.ts'
import type { Logger } from '../platform/log.ts'
import type { HandlerOptions } from '../server/edge.ts'
import { createHandler } from '../server/handler.ts'
import { type RunningServer, startServer } from '../server/http.ts'
import { createUpgrades, type Upgrade } from '../server/upgrade.ts'

/** The tokens of this plane are for its own API, under the name that every cluster's has. */
export const tokenIssuer = 'https://kubernetes.default.svc.cluster.local'

export interface ServeOptions {
  readonly door: Door
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly catalog: Catalog
  readonly pki: Pki
  /** Whether the plane has what every cluster has; /readyz and its clients wait for it. */
  readonly isBootstrapped: () => boolean
  readonly listen: { readonly host: string; readonly port: number }
  readonly connect?: HandlerOptions['connect'] | undefined
  readonly upgrade?: Upgrade | undefined
  readonly clock: Clock
  readonly log: Logger
}

export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { door, authenticator, authorizer, catalog, pki, isBootstrapped, listen, connect, clock, log } =
    options
  const { upgrade } = options
  const handler = createHandler({
    door,
    authenticator,
    authorizer,
    catalog,
    connect,
    clock,
    log,
    health: { live: [], ready: [{ name: 'poststarthook/bootstrap', check: () => assert(isBootstrapped()) }] },
    documents: issuerDocuments(pki),
  })
  const { certificatePem, keyPem } = pki.servingCertificate()
  return startServer({
    ...listen,
    tls: { key: keyPem, cert: certificatePem, ca: pki.caPem() },
    handler,
    onUpgrade:
      upgrade === undefined
        ? undefined
        : createUpgrades({ authenticator, authorizer, catalog, log, handler, upgrade }),
    clock,
    log,
  })
}

/** With these, others verify the tokens of this plane's service accounts. */
function issuerDocuments(pki: Pki) {
  const keySetUrl = `${tokenIssuer}/openid/v1/jwks`
  return {
    '/.well-known/openid-configuration': () => ({
      contentType: 'application/json',
      body: JSON.stringify(openidConfiguration({ issuer: tokenIssuer, keySetUrl })),
    }),
    '/openid/v1/jwks': () => ({
      contentType: 'application/jwk-set+json',
      body: JSON.stringify(keySet(pki.signingKeys)),
    }),
  }
}
