// Replica sets: a template and how many pods of it.

import { ageColumn, ageOf, integer, nameColumn, nameOf, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, fieldsOf, numberOf } from '../fields.ts'
import { fill, set } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { containerCells, selectorCell } from '../pods/template-cells.ts'
import {
  checkCounts,
  checkLastingTemplate,
  checkSelector,
  checkStatusCounts,
  checkTemplateLabels,
} from './workload.ts'

export const replicaSet: Kind = defineKind({
  group: 'apps',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
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
      selectorCell(spec['selector']),
    ]
  },
  selectableFields: {
    'status.replicas': (object) => String(numberOf(at(object, 'status', 'replicas'))),
  },
  defaults: (object) => {
    const spec = fill(fieldsOf(object['spec']), { replicas: 1 })
    return set(object, 'spec', set(spec, 'template', defaultPodTemplate(fieldsOf(spec['template']))))
  },
  // Clients read the count without asking whether there is one.
  status: {
    initial: { replicas: 0 },
    validate: (object, old) =>
      checkStatusCounts(object, old, {
        counts: ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'terminatingReplicas'],
        readyText: 'cannot be greater than readyReplicas',
      }),
  },
  scale: {
    specReplicas: 'spec.replicas',
    statusReplicas: 'status.replicas',
    labelSelector: 'spec.selector',
  },
  validate: (object) => {
    const spec = fieldsOf(object['spec'])
    return [
      ...checkCounts(spec, ['replicas', 'minReadySeconds'], 'spec'),
      // The text names deployments upstream, too.
      ...checkSelector(spec, 'deployment'),
      ...checkTemplateLabels(spec),
      ...checkLastingTemplate(fieldsOf(spec['template']), 'ReplicaSet'),
    ]
  },
  validateChange: (object, old) =>
    immutableField('spec.selector', at(object, 'spec', 'selector'), at(old, 'spec', 'selector')),
})
