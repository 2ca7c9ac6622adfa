// Leases: who leads, and since when.

import { type FieldError, fieldForbidden, fieldInvalid } from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, numberOf, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { notNegativeText } from '../rules.ts'

export const lease: Kind = defineKind({
  group: 'coordination.k8s.io',
  kind: 'Lease',
  plural: 'leases',
  allowsCreateOnUpdate: true,
  // A holder that does not know the newest version may not take the lease.
  allowsUnconditionalUpdate: false,
  columns: [nameColumn, text('Holder'), ageColumn],
  cells: (object, now) => [nameOf(object), textOf(at(object, 'spec', 'holderIdentity')), ageOf(object, now)],
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
})

function validateSpec(spec: Fields): readonly FieldError[] {
  const [duration, transitions] = [spec['leaseDurationSeconds'], spec['leaseTransitions']]
  const errors: FieldError[] = []
  if (isPresent(duration) && numberOf(duration) <= 0)
    errors.push(fieldInvalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
  if (isPresent(transitions) && numberOf(transitions) < 0)
    errors.push(fieldInvalid('spec.leaseTransitions', transitions, notNegativeText))
  if (!isZero(spec['preferredHolder']) && isZero(spec['strategy']))
    errors.push(fieldForbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  return errors
}
