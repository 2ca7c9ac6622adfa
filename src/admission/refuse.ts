// How a plugin refuses: 403, with the name that the object has or will have.
// Upstream: apiserver/pkg/admission/errors.go.

import type { AdmissionRequest } from '../api/contracts.ts'
import { type ApiError, forbidden } from '../api/status.ts'

/** `detail` follows `forbidden: `. */
export function refuse(request: AdmissionRequest, detail: string): ApiError {
  return forbidden(request.resource, nameOf(request), detail)
}

/** Whether the request is about this resource itself, not about one of its subresources. */
export function isAbout({ resource, subresource }: AdmissionRequest, group: string, name: string): boolean {
  return resource.group === group && resource.resource === name && subresource === ''
}

// A name that is yet to be generated shows as its prefix.
function nameOf({ name, object }: AdmissionRequest): string {
  return name || object?.metadata.name || object?.metadata.generateName || 'Unknown'
}
