// The subresources of objects: status and the like write through the spine, the rest have a handler by name.
// A subresource that a kind declares and nobody serves is refused by name.

import type { Answer } from '../../api/contracts.ts'
import { ApiError, methodNotAllowed } from '../../api/status.ts'
import type { Kind } from '../../kinds/kind.ts'
import { getObject } from '../objects/read.ts'
import { patchObject, updateObject } from '../objects/write.ts'
import { named, type Spine, type Target } from '../spine.ts'
import { bindPod } from './binding.ts'
import { evictPod } from './eviction.ts'
import { scaleCall } from './scale.ts'
import { requestToken } from './token.ts'

type Handler = (spine: Spine, target: Target) => Promise<Answer>

/** By `resource/subresource` of the core group. */
const handlers: Readonly<Record<string, Handler>> = {
  'pods/binding': bindPod,
  'pods/eviction': evictPod,
  'serviceaccounts/token': requestToken,
}

export async function subresourceCall(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind, subresource } = target
  const verb = call.verb
  if (subresource === undefined || !(subresource.verbs as readonly string[]).includes(verb)) {
    throw methodNotAllowed(named(kind), verb)
  }
  const handler = handlers[`${kind.plural}/${subresource.name}`]
  if (handler !== undefined && kind.group === '') return handler(spine, target)
  if (subresource.scale !== undefined) return scaleCall(spine, target, subresource.scale)
  if (subresource.merge === undefined) throw notServed(kind, subresource.name)
  if (verb === 'get') return getObject(spine, target)
  if (verb === 'update') return updateObject(spine, target)
  if (verb === 'patch') return patchObject(spine, target)
  throw methodNotAllowed(named(kind), verb)
}

/** A subresource that discovery names and this plane has nobody for. */
export function notServed({ plural }: Kind, subresource: string): ApiError {
  return new ApiError({
    code: 501,
    reason: 'NotImplemented',
    message: `${plural}/${subresource} is not served by this control plane`,
  })
}
