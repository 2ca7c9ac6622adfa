// The one door to the plane: who may, then what is to be done. Loops in the process enter here like anyone.
// Each verb's work stands in its own file; HTTP is http/'s.

import type { Answer, Attributes, Call, Door } from '../api/contracts.ts'
import { forbidden, methodNotAllowed, pathNotFound } from '../api/status.ts'
import { forbiddenMessage } from '../authz/forbidden.ts'
import type { Kind } from '../kinds/kind.ts'
import { deleteCollection, deleteObject } from './objects/delete.ts'
import { getObject, listObjects, watchObjects } from './objects/read.ts'
import { Turns } from './objects/turns.ts'
import { createObject, patchObject, updateObject } from './objects/write.ts'
import { named, type Spine, type Target } from './spine.ts'
import { answerReviewCall, isReview } from './subresources/review.ts'
import { subresourceCall } from './subresources/subresource.ts'

/** Opens the door over a spine. `handle` throws ApiError for every refusal. */
export function createDoor(parts: Omit<Spine, 'turns'>): Door {
  const spine: Spine = { ...parts, turns: new Turns() }
  return {
    handle: async (call) => {
      const decision = spine.authorizer.authorize(attributesOf(call))
      const kind = spine.catalog.find(call)
      if (!decision.allowed) {
        throw forbidden(call, call.name, withReason(forbiddenMessage(attributesOf(call)), decision.reason))
      }
      if (kind === undefined) throw pathNotFound()
      return dispatch(spine, targetOf(call, kind))
    },
  }
}

/** What the authoriser judges. */
export function attributesOf(call: Call): Attributes {
  return {
    user: call.user,
    verb: call.verb,
    isResource: true,
    group: call.group,
    version: call.version,
    resource: call.resource,
    subresource: call.subresource,
    namespace: call.namespace,
    name: call.name,
    path: '',
  }
}

const withReason = (message: string, reason: string): string =>
  reason === '' ? message : `${message}: ${reason}`

function targetOf(call: Call, kind: Kind): Target {
  const subresource = kind.subresources.find((one) => one.name === call.subresource)
  if (call.subresource !== '' && subresource === undefined) throw pathNotFound()
  const isWhole =
    call.verb === 'list' ||
    call.verb === 'watch' ||
    call.verb === 'deletecollection' ||
    call.verb === 'create'
  if (kind.isNamespaced && call.namespace === '' && !(call.verb === 'list' || call.verb === 'watch'))
    throw pathNotFound()
  if (!kind.isNamespaced && call.namespace !== '' && kind.plural !== 'namespaces') throw pathNotFound()
  if (call.name === '' && !isWhole) throw methodNotAllowed(named(kind), call.verb)
  return { call, kind, subresource, warnings: kind.deprecation === undefined ? [] : [kind.deprecation] }
}

async function dispatch(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind } = target
  if (isReview(kind)) return answerReviewCall(spine, target)
  if (call.subresource !== '') return subresourceCall(spine, target)
  if (!kind.verbs.includes(call.verb)) throw methodNotAllowed(named(kind), call.verb)
  switch (call.verb) {
    case 'get':
      return getObject(spine, target)
    case 'list':
      return listObjects(spine, target)
    case 'watch':
      return watchObjects(spine, target)
    case 'create':
      return createObject(spine, target)
    case 'update':
      return updateObject(spine, target)
    case 'patch':
      return patchObject(spine, target)
    case 'delete':
      return deleteObject(spine, target)
    case 'deletecollection':
      return deleteCollection(spine, target)
  }
}
