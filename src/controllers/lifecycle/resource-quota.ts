// Keeps the status of resource quotas: what a namespace may use, and what it uses now.
// What counts for how much is api/usage's; who may still add something is admission's.

import type { ResourceQuota } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { quantityFromInteger, quantityText } from '../../api/quantity.ts'
import { type Amounts, addAmounts } from '../../api/usage/pod-resources.ts'
import { countedResources, covers, masked, type Quota, readQuota, usageOf } from '../../api/usage/quota.ts'
import type { Client } from '../../client/client.ts'
import { isConflict, isNotFound } from '../../client/failures.ts'
import { keyOf } from '../../client/objects.ts'
import { pods as podResource, resourceQuotas } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context, ResourceLister } from '../context.ts'

// Quotas may count any resource: other than pods, what they count is looked at again after so long.
const lookAgainMs = 2_000

export function startResourceQuotas({ clientFor, control, informers, resources }: Context): Controller {
  const name = 'resourcequota-controller'
  const client = clientFor(name)
  const quotas = informers.of(resourceQuotas)
  const pods = informers.of(podResource)
  return control({
    name,
    sources: [
      fromInformer(quotas),
      fromInformer(pods, ({ header }) =>
        quotas.list(header.namespace).map(({ metadata }) => keyOf(metadata)),
      ),
    ],
    reconcile: async (key, { signal }) => {
      const object = quotas.version(key)?.object
      if (object === undefined || object.metadata.deletionTimestamp !== undefined) return undefined
      const quota = readQuota(plain(object))
      const used = await count({ client, resources, signal }, quota, object.metadata.namespace ?? '')
      const status = { hard: texts(quota.hard), used: texts(used) }
      if (!isSame(object.status, status)) await write(client, { ...object, status }, signal)
      return { requeueAfterMs: lookAgainMs }
    },
  })
}

const plain = (object: object): KubeObject => object as unknown as KubeObject

async function write(client: Client, quota: ResourceQuota, signal: AbortSignal): Promise<void> {
  try {
    await client.updateStatus(resourceQuotas, quota, { signal })
  } catch (error) {
    // Another look comes in any case.
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
}

interface Counting {
  readonly client: Client
  readonly resources: ResourceLister
  readonly signal: AbortSignal
}

/** Every limited name has an amount, be it none. */
async function count(
  { client, resources, signal }: Counting,
  quota: Quota,
  namespace: string,
): Promise<Amounts> {
  const nothing = Object.keys(quota.hard).map((name) => [name, quantityFromInteger(0)] as const)
  let used: Amounts = Object.fromEntries(nothing)
  for (const counted of countedResources(quota)) {
    const served = resources
      .list()
      .find((one) => one.group === counted.group && one.resource === counted.resource && one.isNamespaced)
    if (served === undefined) continue
    const { items } = await client.list(served, { namespace, signal })
    for (const item of items) {
      if (!covers(quota, counted, plain(item))) continue
      used = addAmounts(used, masked(usageOf(counted, plain(item)), quota.hard))
    }
  }
  return used
}

const texts = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, quantity]) => [name, quantityText(quantity)]))

function isSame(before: ResourceQuota['status'], after: ResourceQuota['status']): boolean {
  const sorted = (map: Readonly<Record<string, string>> | undefined) =>
    Object.entries(map ?? {})
      .sort()
      .join()
  return sorted(before?.hard) === sorted(after?.hard) && sorted(before?.used) === sorted(after?.used)
}
