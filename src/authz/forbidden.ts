// What a caller who may not do something is told, in upstream's words.
// Upstream: apiserver/pkg/endpoints/handlers/responsewriters/errors.go.

import type { Attributes } from '../api/contracts.ts'
import { type ApiError, forbidden } from '../api/status.ts'

/** The sentence after `forbidden: `. */
export function forbiddenMessage(attributes: Attributes): string {
  const { user, verb, path, namespace, group } = attributes
  if (!attributes.isResource)
    return withoutMarkup(`User ${quote(user.name)} cannot ${verb} path ${quote(path)}`)
  const resource = resourceOf(attributes)
  const what = `User ${quote(user.name)} cannot ${verb} resource ${quote(resource)} in API group ${quote(group)}`
  return withoutMarkup(
    namespace === '' ? `${what} at the cluster scope` : `${what} in the namespace ${quote(namespace)}`,
  )
}

/** The whole refusal; `reason` is the authoriser's. */
export function accessForbidden(attributes: Attributes, reason = ''): ApiError {
  const message = forbiddenMessage(attributes)
  return forbidden(attributes, attributes.name, reason === '' ? message : `${message}: ${reason}`)
}

/** `pods/exec` */
export function resourceOf({ resource, subresource }: Pick<Attributes, 'resource' | 'subresource'>): string {
  return subresource === '' ? resource : `${resource}/${subresource}`
}

const quote = (text: string): string => JSON.stringify(text)

// A name in a refusal must never read as HTML.
const withoutMarkup = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
