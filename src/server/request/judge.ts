// What the authoriser is asked about a route, and the refusal when it says no.
// The door asks again for every call: it does not trust whoever stands before it.

import type { Attributes, Authorizer, UserInfo } from '../../api/contracts.ts'
import { accessForbidden } from '../../authz/forbidden.ts'
import type { Route } from '../route.ts'

export function attributesOfRoute(route: Route, user: UserInfo): Attributes {
  const { isResource, verb, group, version, resource, subresource, namespace, name, path } = route
  return {
    user,
    verb,
    isResource,
    group,
    version,
    resource,
    subresource,
    namespace,
    name,
    path: isResource ? '' : path,
  }
}

/** Throws 403. */
export function judge(authorizer: Authorizer, route: Route, user: UserInfo): void {
  const attributes = attributesOfRoute(route, user)
  const decision = authorizer.authorize(attributes)
  if (!decision.allowed) throw accessForbidden(attributes, decision.reason)
}
