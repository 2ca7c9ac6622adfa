// NamespaceLifecycle: nothing is made in a namespace that is missing or going away, and three never go away.
// Upstream: apiserver/pkg/admission/plugin/namespace/lifecycle. Emptying a namespace is a controller's.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import { ApiError, forbidden, notFound } from '../api/status.ts'
import type { StoredObject } from '../api/stored.ts'
import { refuse } from './refuse.ts'

const namespaces = { group: '', resource: 'namespaces' } as const
const immortal: ReadonlySet<string> = new Set(['default', 'kube-public', 'kube-system'])

export function namespaceLifecycle({ reader }: { readonly reader: Reader }): AdmissionPlugin {
  const judge = (request: AdmissionRequest): void => {
    const { operation, resource, name, namespace } = request
    if (resource.group === '' && resource.resource === 'namespaces') {
      if (operation !== 'DELETE' || !immortal.has(name)) return
      throw forbidden(namespaces, name, 'this namespace may not be deleted')
    }
    if (namespace === '' || operation === 'DELETE' || operation === 'CONNECT' || isAccessReview(request))
      return
    const found = reader.get(namespaces, '', namespace)
    if (found === undefined) throw notFound(namespaces, namespace)
    if (operation === 'CREATE' && isTerminating(found)) throw terminating(request)
  }
  return {
    name: 'NamespaceLifecycle',
    // Before the other plugins: they would look for things in a namespace that is not there.
    mutate: async (request) => {
      judge(request)
      return request.object ?? { metadata: {} }
    },
    validate: async (request) => judge(request),
  }
}

// Saying that a namespace is missing would tell who may not know it.
function isAccessReview({ resource }: AdmissionRequest): boolean {
  return resource.group === 'authorization.k8s.io' && resource.resource === 'localsubjectaccessreviews'
}

function isTerminating({ header, object }: StoredObject): boolean {
  const { phase } = (object['status'] ?? {}) as { readonly phase?: unknown }
  return header.isDeleting || phase === 'Terminating'
}

function terminating(request: AdmissionRequest): ApiError {
  const { namespace } = request
  const { status } = refuse(
    request,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  )
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  return new ApiError({ ...status, details: { ...status.details, causes: [cause] } })
}
