// Writes the Endpoints object of every service with a selector.
// What stands in it is endpoints-plan.ts's.

import { isNotFound } from '../../client/failures.ts'
import { splitKey } from '../../client/objects.ts'
import {
  endpoints as endpointResource,
  pods as podResource,
  services as serviceResource,
} from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'
import { addressTypesOf, backendsOf, hasSelector, servicesOf } from './backends.ts'
import { endpointsOf } from './endpoints-plan.ts'

const name = 'endpoint-controller'

export function startEndpoints({ clientFor, control, informers }: Context): Controller {
  const client = clientFor(name)
  const services = informers.of(serviceResource)
  const pods = informers.of(podResource)
  const known = informers.of(endpointResource)
  return control({
    name,
    sources: [fromInformer(services), fromInformer(pods, servicesOf(services)), fromInformer(known)],
    workers: 5,
    reconcile: async (key, { signal }) => {
      const service = services.version(key)?.object
      const present = known.version(key)?.object
      if (service === undefined) {
        await removeStale(present)
        return undefined
      }
      // Endpoints of a service without a selector are written by people.
      if (!hasSelector(service)) return undefined
      const [addressType = 'IPv4'] = addressTypesOf(service)
      const backends = backendsOf(service, pods.list(service.metadata.namespace), addressType)
      const wanted = endpointsOf(service, backends, present)
      if (present === undefined) await client.create(endpointResource, wanted, { signal })
      else if (wanted !== present) await client.update(endpointResource, wanted, { signal })
      return undefined

      // Endpoints have no owner reference: they go with the service of their name, if this controller made them.
      async function removeStale(stale: typeof present): Promise<void> {
        if (stale?.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== name) return
        try {
          await client.delete(endpointResource, splitKey(key), {
            preconditions: { uid: stale.metadata.uid },
            signal,
          })
        } catch (error) {
          if (!isNotFound(error)) throw error
        }
      }
    },
  })
}
