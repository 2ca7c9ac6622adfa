// DefaultStorageClass and DefaultIngressClass: who names no class gets the one that is marked as the default.
// Upstream: plugin/pkg/admission/storage/storageclass/setdefault and network/defaultingressclass.

import type { AdmissionPlugin, Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { withSpec } from './pod.ts'
import { isAbout } from './refuse.ts'

type Parts = { readonly reader: Reader }

export function defaultStorageClass({ reader }: Parts): AdmissionPlugin {
  const marks = [
    'storageclass.kubernetes.io/is-default-class',
    'storageclass.beta.kubernetes.io/is-default-class',
  ]
  return {
    name: 'DefaultStorageClass',
    mutate: async (request) => {
      const claim = request.object ?? { metadata: {} }
      if (request.operation !== 'CREATE' || !isAbout(request, '', 'persistentvolumeclaims')) return claim
      // An empty class is a wish too: no provisioning.
      const isNamed = specOf(claim)['storageClassName'] != null
      if (isNamed || hasAnnotation(claim, 'volume.beta.kubernetes.io/storage-class')) return claim
      const name = newestMarked(reader, { group: 'storage.k8s.io', resource: 'storageclasses' }, marks)
      return name === undefined ? claim : withSpec(claim, { storageClassName: name })
    },
  }
}

export function defaultIngressClass({ reader }: Parts): AdmissionPlugin {
  const resource = { group: 'networking.k8s.io', resource: 'ingressclasses' }
  return {
    name: 'DefaultIngressClass',
    mutate: async (request) => {
      const ingress = request.object ?? { metadata: {} }
      if (request.operation !== 'CREATE' || !isAbout(request, 'networking.k8s.io', 'ingresses'))
        return ingress
      const isNamed = specOf(ingress)['ingressClassName'] != null
      if (isNamed || hasAnnotation(ingress, 'kubernetes.io/ingress.class')) return ingress
      const name = newestMarked(reader, resource, ['ingressclass.kubernetes.io/is-default-class'])
      return name === undefined ? ingress : withSpec(ingress, { ingressClassName: name })
    },
  }
}

const specOf = (object: KubeObject): Readonly<Record<string, unknown>> =>
  (object['spec'] ?? {}) as Readonly<Record<string, unknown>>

const hasAnnotation = ({ metadata }: KubeObject, key: string): boolean =>
  metadata.annotations?.[key] !== undefined

// Of several marked classes the newest counts, then the first by name.
function newestMarked(
  reader: Reader,
  resource: { readonly group: string; readonly resource: string },
  marks: readonly string[],
): string | undefined {
  const marked = reader
    .list(resource)
    .map(({ object }) => object.metadata)
    .filter(({ annotations }) => marks.some((mark) => annotations?.[mark] === 'true'))
    .map(({ name = '', creationTimestamp }) => ({ name, madeAtMs: Date.parse(creationTimestamp ?? '') || 0 }))
  marked.sort((one, other) => other.madeAtMs - one.madeAtMs || (one.name < other.name ? -1 : 1))
  return marked[0]?.name
}
