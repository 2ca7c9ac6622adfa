// A kind that is a question: it can be created, and its answer comes back in its status.

import { defineKind, type KindDefinition } from '../define.ts'
import type { Kind } from '../kind.ts'

export function defineReview(definition: KindDefinition): Kind {
  return defineKind({
    isNamespaced: false,
    verbs: ['create'],
    // Nothing is stored, so there is no version of it.
    storageVersionHash: undefined,
    ...definition,
  })
}
