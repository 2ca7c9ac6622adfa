// Mirrors Endpoints that people write for services without a selector: readers of EndpointSlices see them, too.
// Which slices those are is mirror-plan.ts's.

import type { EndpointSlice } from '../../api/models.ts'
import type { Version } from '../../client/client.ts'
import { isNotFound } from '../../client/failures.ts'
import { keyOf } from '../../client/objects.ts'
import {
  endpointSlices,
  endpoints as endpointsResource,
  services as serviceResource,
} from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import { Expectations } from '../workloads/expectations.ts'
import { isMirrored, mirrorManager, planMirror } from './mirror-plan.ts'
import { managedByLabel, serviceNameLabel } from './slice-plan.ts'

const name = 'endpointslicemirroring-controller'
const byEndpoints = 'mirrored endpoints'

export function startEndpointMirroring({ clientFor, control, informers, clock }: Context): Controller {
  const client = clientFor(name)
  const services = informers.of(serviceResource)
  const endpoints = informers.of(endpointsResource)
  const slices = informers.of(endpointSlices)
  const ownKeys = ({ header }: Pick<Version<unknown>, 'header'>) => {
    const service = header.labels[serviceNameLabel]
    if (service === undefined || header.labels[managedByLabel] !== mirrorManager) return []
    return [keyOf({ namespace: header.namespace, name: service })]
  }
  slices.addIndex(byEndpoints, ownKeys)
  const expectations = new Expectations(slices, clock)
  const remove = async ({ metadata }: EndpointSlice, signal: AbortSignal) => {
    const { namespace, name: sliceName = '', uid } = metadata
    const target = { namespace, name: sliceName }
    await client
      .delete(endpointSlices, target, { preconditions: { uid }, signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  }
  return control({
    name,
    sources: [fromInformer(endpoints), fromInformer(services), fromInformer(slices, ownKeys)],
    reconcile: async (key, { signal }) => {
      const object = endpoints.version(key)?.object
      const service = services.version(key)?.object
      // Without its newest slices in sight an endpoint would be written down twice.
      if (!expectations.areMet(key)) return { requeueAfterMs: 30_000 }
      const present = slices.byIndex(byEndpoints, key)
      const isWanted = object !== undefined && service !== undefined && isMirrored(object, service)
      const plan = isWanted ? planMirror(object, present) : { create: [], update: [], remove: present }
      for (const slice of plan.create)
        expectations.expectMade(key, await client.create(endpointSlices, slice, { signal }))
      for (const slice of plan.update) await client.update(endpointSlices, slice, { signal })
      for (const slice of plan.remove) await remove(slice, signal)
      return undefined
    },
  })
}
