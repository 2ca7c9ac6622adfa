// Questions about who somebody is: the bearer of a token, or the caller.

import { type FieldError, fieldRequired } from '../../api/status.ts'
import { at, isZero } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { defineReview } from './define-review.ts'

const group = 'authentication.k8s.io'

export const tokenReview: Kind = defineReview({
  group,
  kind: 'TokenReview',
  plural: 'tokenreviews',
  validate: (object): readonly FieldError[] =>
    isZero(at(object, 'spec', 'token')) ? [fieldRequired('spec.token')] : [],
})

export const selfSubjectReview: Kind = defineReview({
  group,
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
})
