// Questions about what somebody may do. They are answered at once and never stored.
// Upstream: pkg/apis/authorization/validation.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid } from '../../api/status.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { defineReview } from './define-review.ts'

type Errors = readonly FieldError[]

const group = 'authorization.k8s.io'

export const subjectAccessReview: Kind = defineReview({
  group,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  validate: (object) => [
    ...checkAttributes(fieldsOf(object['spec'])),
    ...checkUser(fieldsOf(object['spec'])),
    ...checkMeta(object),
  ],
})

export const localSubjectAccessReview: Kind = defineReview({
  group,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  isNamespaced: true,
  validate: (object) => {
    const spec = fieldsOf(object['spec'])
    const namespace = textOf(at(spec, 'resourceAttributes', 'namespace'))
    const isElsewhere =
      isPresent(spec['resourceAttributes']) && namespace !== (object.metadata.namespace ?? '')
    return [
      ...checkAttributes(spec),
      ...checkUser(spec),
      ...checkMeta(object),
      ...(isElsewhere
        ? [fieldInvalid('spec.resourceAttributes.namespace', namespace, 'must match metadata.namespace')]
        : []),
      ...(isPresent(spec['nonResourceAttributes'])
        ? [
            fieldInvalid(
              'spec.nonResourceAttributes',
              spec['nonResourceAttributes'],
              'disallowed on this kind of request',
            ),
          ]
        : []),
    ]
  },
})

export const selfSubjectAccessReview: Kind = defineReview({
  group,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  validate: (object) => [...checkAttributes(fieldsOf(object['spec'])), ...checkMeta(object)],
})

export const selfSubjectRulesReview: Kind = defineReview({
  group,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
})

function checkAttributes(spec: Fields): Errors {
  const [resource, path] = [spec['resourceAttributes'], spec['nonResourceAttributes']]
  if (isPresent(resource) && isPresent(path)) {
    const detail = 'cannot be specified in combination with resourceAttributes'
    return [fieldInvalid('spec.nonResourceAttributes', path, detail)]
  }
  if (isPresent(resource) || isPresent(path)) return []
  const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
  return [fieldInvalid('spec.resourceAttributes', null, detail)]
}

function checkUser(spec: Fields): Errors {
  if (!isZero(spec['user']) || !isZero(spec['groups'])) return []
  return [fieldInvalid('spec.user', '', 'at least one of user or group must be specified')]
}

function checkMeta(object: KubeObject): Errors {
  const { managedFields: _, namespace: __, creationTimestamp, ...rest } = object.metadata
  if (isZero(creationTimestamp) && Object.values(rest).every(isZero)) return []
  return [fieldInvalid('metadata', object.metadata, 'must be empty')]
}
