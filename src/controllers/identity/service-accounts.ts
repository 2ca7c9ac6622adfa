// Every namespace has a ServiceAccount named default, and gets it back when somebody deletes it.
// Tokens are issued on request, by the server.

import { isAlreadyExists } from '../../client/failures.ts'
import { namespaces, serviceAccounts } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'

const name = 'default'

export function startServiceAccounts({ clientFor, control, informers }: Context): Controller {
  const client = clientFor('service-account-controller')
  const known = informers.of(namespaces)
  const accounts = informers.of(serviceAccounts)
  return control({
    name: 'service-account-controller',
    sources: [
      fromInformer(known),
      fromInformer(accounts, ({ header }) => (header.name === name ? [header.namespace] : [])),
    ],
    reconcile: async (namespace, { signal }) => {
      const found = known.version(namespace)
      if (found === undefined || found.header.isDeleting) return undefined
      if (accounts.version(`${namespace}/${name}`) !== undefined) return undefined
      const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } }
      try {
        await client.create(serviceAccounts, account, { signal })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
      return undefined
    },
  })
}
