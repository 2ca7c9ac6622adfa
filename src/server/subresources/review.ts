// Access and self reviews: created, answered, never stored. What they say is authz/reviews' work.

import type { Answer } from '../../api/contracts.ts'
import { methodNotAllowed } from '../../api/status.ts'
import { answerReview } from '../../authz/reviews.ts'
import type { Kind } from '../../kinds/kind.ts'
import { normalise, requireBody } from '../objects/check.ts'
import { named, type Spine, type Target, versionOf } from '../spine.ts'

const reviewGroups: ReadonlySet<string> = new Set(['authentication.k8s.io', 'authorization.k8s.io'])

export const isReview = (kind: Kind): boolean => reviewGroups.has(kind.group)

export async function answerReviewCall(spine: Spine, target: Target): Promise<Answer> {
  const { call, kind, warnings } = target
  if (call.verb !== 'create') throw methodNotAllowed(named(kind), call.verb)
  const object = normalise(target, requireBody(target))
  const metadata = kind.isNamespaced ? { ...object.metadata, namespace: call.namespace } : object.metadata
  const reviewed = await answerReview({
    kind: kind.kind,
    object: {
      ...object,
      apiVersion: versionOf(kind),
      kind: kind.kind,
      metadata: { creationTimestamp: null, ...metadata },
    },
    user: call.user,
    authorizer: spine.authorizer,
    authenticator: spine.authenticator,
  })
  return { type: 'object', code: 201, served: kind, object: reviewed, warnings }
}
