// Disruption budgets: how many pods of a selection may be evicted at a time.

import type { LabelSelectorObject } from '../../api/select.ts'
import { type FieldError, fieldInvalid, fieldNotSupported } from '../../api/status.ts'
import { validateLabelSelector } from '../../api/validate/labels.ts'
import { checkAtMostAll, checkCounts, checkIntOrPercent } from '../apps/workload.ts'
import { ageColumn, ageOf, integer, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, numberOf, textOf } from '../fields.ts'
import type { Kind } from '../kind.ts'
import { whenPresent } from '../rules.ts'

const limits = ['minAvailable', 'maxUnavailable'] as const
const counts = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']
const policies = ['AlwaysAllow', 'IfHealthyBudget']

export const podDisruptionBudget: Kind = defineKind({
  group: 'policy',
  kind: 'PodDisruptionBudget',
  plural: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  tracksGeneration: true,
  allowsUnconditionalUpdate: false,
  columns: [
    nameColumn,
    text('Min Available'),
    text('Max Unavailable'),
    integer('Allowed Disruptions'),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    ...limits.map((name) => String(at(object, 'spec', name) ?? 'N/A')),
    numberOf(at(object, 'status', 'disruptionsAllowed')),
    ageOf(object, now),
  ],
  // Clients read the counts without asking whether there are any.
  status: {
    initial: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    validate: (object) => checkCounts(fieldsOf(object['status']), counts, 'status'),
  },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
})

function validateSpec(spec: Fields): readonly FieldError[] {
  const policy = spec['unhealthyPodEvictionPolicy']
  const isDouble = limits.every((name) => isPresent(spec[name]))
  return [
    ...(isDouble ? [fieldInvalid('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...limits.flatMap((name) =>
      whenPresent(spec[name], () => [
        ...checkIntOrPercent(spec[name], `spec.${name}`),
        ...checkAtMostAll(spec[name], `spec.${name}`),
      ]),
    ),
    ...validateLabelSelector(spec['selector'] as LabelSelectorObject | undefined, 'spec.selector'),
    ...(isPresent(policy) && !policies.includes(textOf(policy))
      ? [fieldNotSupported('spec.unhealthyPodEvictionPolicy', policy, policies)]
      : []),
  ]
}
