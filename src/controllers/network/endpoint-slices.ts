// Writes the EndpointSlices of every service with a selector.
// Who stands behind a service is backends.ts's, which slice holds whom slice-plan.ts's.

import { isNotFound } from '../../client/failures.ts'
import { keyOf } from '../../client/objects.ts'
import {
  endpointSlices,
  nodes as nodeResource,
  pods as podResource,
  services as serviceResource,
} from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import { Expectations } from '../workloads/expectations.ts'
import { addressTypesOf, backendsOf, hasSelector, servicesOf } from './backends.ts'
import { managedByLabel, manager, planSlices, serviceNameLabel } from './slice-plan.ts'

const name = 'endpointslice-controller'
const byService = 'service'
const zoneLabel = 'topology.kubernetes.io/zone'

export function startEndpointSlices({ clientFor, control, informers, clock }: Context): Controller {
  const client = clientFor(name)
  const services = informers.of(serviceResource)
  const pods = informers.of(podResource)
  const nodes = informers.of(nodeResource)
  const slices = informers.of(endpointSlices)
  const ownKeys = ({
    header,
  }: {
    header: { namespace: string; labels: Readonly<Record<string, string>> }
  }) => {
    const service = header.labels[serviceNameLabel]
    if (service === undefined || header.labels[managedByLabel] !== manager) return []
    return [keyOf({ namespace: header.namespace, name: service })]
  }
  slices.addIndex(byService, ownKeys)
  const expectations = new Expectations(slices, clock)
  return control({
    name,
    sources: [
      fromInformer(services),
      fromInformer(pods, servicesOf(services)),
      fromInformer(slices, ownKeys),
    ],
    workers: 5,
    reconcile: async (key, { signal }) => {
      const service = services.version(key)?.object
      // What a deleted service leaves behind is garbage; slices of one without a selector are somebody else's.
      if (service === undefined || service.metadata.deletionTimestamp !== undefined || !hasSelector(service))
        return undefined
      // Without its newest slices in sight an endpoint would be written down twice.
      if (!expectations.areMet(key)) return { requeueAfterMs: 30_000 }
      const candidates = pods.list(service.metadata.namespace)
      const present = slices.byIndex(byService, key)
      const addressTypes = addressTypesOf(service)
      const zoneOf = (node: string) => nodes.version(node)?.header.labels[zoneLabel]
      const plans = addressTypes.map((addressType) =>
        planSlices({
          service,
          addressType,
          backends: backendsOf(service, candidates, addressType),
          zoneOf,
          present: present.filter((slice) => slice.addressType === addressType),
        }),
      )
      const strangers = present.filter((slice) => !addressTypes.some((one) => one === slice.addressType))
      for (const slice of plans.flatMap(({ create }) => create)) {
        expectations.expectMade(key, await client.create(endpointSlices, slice, { signal }))
      }
      for (const slice of plans.flatMap(({ update }) => update))
        await client.update(endpointSlices, slice, { signal })
      for (const { metadata } of [...strangers, ...plans.flatMap(({ remove }) => remove)]) {
        const { namespace, name: sliceName = '', uid } = metadata
        try {
          await client.delete(
            endpointSlices,
            { namespace, name: sliceName },
            { preconditions: { uid }, signal },
          )
        } catch (error) {
          if (!isNotFound(error)) throw error
        }
      }
      return undefined
    },
  })
}
