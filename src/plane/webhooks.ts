// The way from admission to webhooks: who is found where, in which versions a resource is served, and what is not dialled.
// When a webhook is called, admission/webhooks knows.

import type { WebhookParts } from '../admission/webhooks/call.ts'
import type { Versions } from '../admission/webhooks/match.ts'
import { mutatingWebhooks } from '../admission/webhooks/mutating.ts'
import { validatingWebhooks } from '../admission/webhooks/validating.ts'
import type { AdmissionPlugin } from '../api/contracts.ts'
import { apiVersionOf, type GroupVersionResource } from '../api/object.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { Dial, Resolve } from '../egress/dial.ts'
import { createEgress } from '../egress/egress.ts'
import { findServices } from '../egress/services.ts'
import type { CallWebhook } from '../egress/webhook.ts'
import { createWebhookCaller } from '../egress/webhook.ts'
import type { Clock } from '../platform/clock.ts'

export interface EgressWishes {
  /** Where a published address leads; the machine's network unless given. */
  readonly dial?: Dial | undefined
  readonly resolve?: Resolve | undefined
  /**
   * True where nobody runs pods, so that webhooks cannot answer: those behind a service of the plane, and all others
   * too. They pass what they are asked about, unchanged.
   */
  readonly isUnanswered?: boolean | undefined
}

export interface CallerParts {
  readonly catalog: Catalog
  readonly wishes: EgressWishes
  /** Whether cluster IPs are real addresses: a host gave them. */
  readonly usesClusterIPs: boolean
  /** The plane's own addresses and its host's API: never dialled for a tenant. */
  readonly ownHosts: readonly string[]
  readonly clock: Clock
}

/** For admission and for conversion. */
export function webhookCaller({
  catalog,
  wishes,
  usesClusterIPs,
  ownHosts,
  clock,
}: CallerParts): CallWebhook {
  const own = new Set(ownHosts)
  const egress = createEgress({
    dial: wishes.dial,
    resolve: wishes.resolve,
    isOwn: ({ host }) => own.has(host),
    clock,
  })
  return createWebhookCaller({
    egress,
    findService: findServices({ reader: catalog.reader, usesClusterIPs }),
  })
}

/** The two plugins in the order in which they are asked. */
export function webhookPlugins(
  parts: Omit<WebhookParts, 'versions' | 'reader'> & { readonly catalog: Catalog },
): { readonly mutating: AdmissionPlugin; readonly validating: AdmissionPlugin } {
  const { catalog, ...rest } = parts
  const all = { ...rest, reader: catalog.reader, versions: versionsOf(catalog) }
  return { mutating: mutatingWebhooks(all), validating: validatingWebhooks(all) }
}

function versionsOf(catalog: Catalog): Versions {
  const find = (resource: GroupVersionResource) => catalog.find(resource)
  return {
    of: ({ group, resource }) =>
      catalog
        .kinds()
        .filter((kind) => kind.group === group && kind.plural === resource)
        .map((kind) => ({
          resource: { group, version: kind.version, resource },
          kind: { group, version: kind.version, kind: kind.kind },
        })),
    convert: async (object, to) => ({ ...object, apiVersion: apiVersionOf(to) }),
    defaults: (object, resource) => find(resource)?.defaults(object) ?? object,
  }
}
