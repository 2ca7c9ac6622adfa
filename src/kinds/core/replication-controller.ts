// Replication controllers: replica sets as they were before selectors had expressions.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { checkCounts, checkLastingTemplate, checkStatusCounts } from '../apps/workload.ts'
import { ageColumn, ageOf, integer, labelsCell, nameColumn, nameOf, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, numberOf } from '../fields.ts'
import { fill, set, within } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { containerCells } from '../pods/template-cells.ts'

export const replicationController: Kind = defineKind({
  kind: 'ReplicationController',
  plural: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  tracksGeneration: true,
  columns: [
    nameColumn,
    integer('Desired'),
    integer('Current'),
    integer('Ready'),
    ageColumn,
    wide('Containers'),
    wide('Images'),
    wide('Selector'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    return [
      nameOf(object),
      numberOf(spec['replicas']),
      numberOf(status['replicas']),
      numberOf(status['readyReplicas']),
      ageOf(object, now),
      ...containerCells(at(spec, 'template', 'spec')),
      labelsCell(spec['selector']),
    ]
  },
  selectableFields: {
    'status.replicas': (object) => String(numberOf(at(object, 'status', 'replicas'))),
  },
  defaults: (object) => {
    const labels = at(object, 'spec', 'template', 'metadata', 'labels')
    const spec = within(fill(fieldsOf(object['spec']), { replicas: 1 }), 'template', defaultPodTemplate)
    const selecting = isZero(spec['selector']) && !isZero(labels) ? set(spec, 'selector', labels) : spec
    const filled = set(object, 'spec', selecting)
    if (isZero(labels) || !isZero(object.metadata.labels)) return filled
    return { ...filled, metadata: { ...filled.metadata, labels: labels as Record<string, string> } }
  },
  status: {
    initial: { replicas: 0 },
    validate: (object, old) =>
      checkStatusCounts(object, old, {
        counts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'],
        readyText: 'cannot be greater than readyReplicas',
      }),
  },
  scale: { specReplicas: 'spec.replicas', statusReplicas: 'status.replicas', labelSelector: 'spec.selector' },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
})

function validateSpec(spec: Fields): readonly FieldError[] {
  const selector = fieldsOf(spec['selector'])
  const counted = checkCounts(spec, ['minReadySeconds', 'replicas'], 'spec')
  const selected = isZero(selector) ? [fieldRequired('spec.selector')] : []
  if (!isPresent(spec['template'])) return [...counted, ...selected, fieldRequired('spec.template')]
  const labels = fieldsOf(at(spec, 'template', 'metadata', 'labels'))
  const isMatching = Object.entries(selector).every(([key, value]) => labels[key] === value)
  const detail = '`selector` does not match template `labels`'
  return [
    ...counted,
    ...selected,
    ...(isMatching ? [] : [fieldInvalid('spec.template.metadata.labels', labels, detail)]),
    ...checkLastingTemplate(fieldsOf(spec['template']), 'ReplicationController'),
  ]
}
