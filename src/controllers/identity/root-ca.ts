// Publishes the authority of this API in every namespace, where pods mount it: ConfigMap kube-root-ca.crt.
// Making and renewing the authority is pki/'s.

import type { ConfigMap } from '../../api/models.ts'
import { isSame } from '../../api/value.ts'
import { isAlreadyExists } from '../../client/failures.ts'
import { configMaps, namespaces } from '../../client/resources.ts'
import type { Controller } from '../../reconcile/controller.ts'
import { fromInformer } from '../../reconcile/source.ts'
import type { Context } from '../context.ts'

const name = 'kube-root-ca.crt'
// Upstream's text, because people compare.
const description =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'
const renewalCheckMs = 3_600_000

export function startRootCaPublisher({ clientFor, control, informers, caBundle }: Context): Controller {
  const client = clientFor('root-ca-cert-publisher')
  const known = informers.of(namespaces)
  const published = informers.of(configMaps)
  return control({
    name: 'root-ca-cert-publisher',
    sources: [
      fromInformer(known),
      fromInformer(published, ({ header }) => (header.name === name ? [header.namespace] : [])),
    ],
    reconcile: async (namespace, { signal }) => {
      const found = known.version(namespace)
      if (found === undefined || found.header.isDeleting) return undefined
      const present = published.get(namespace, name)
      const wanted = bundleMap(namespace, caBundle(), present)
      if (present === undefined) {
        await client.create(configMaps, wanted, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error
        })
      } else if (wanted !== present) await client.update(configMaps, wanted, { signal })
      return { requeueAfterMs: renewalCheckMs }
    },
  })
}

/** The same object when nothing has to change. */
export function bundleMap(namespace: string, ca: string, present: ConfigMap | undefined): ConfigMap {
  const data = { 'ca.crt': ca }
  const annotation = { 'kubernetes.io/description': description }
  if (present === undefined) {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace, annotations: annotation },
      data,
    }
  }
  const annotations = { ...present.metadata.annotations, ...annotation }
  if (isSame(present.data, data) && isSame(present.metadata.annotations, annotations)) return present
  return { ...present, metadata: { ...present.metadata, annotations }, data }
}
