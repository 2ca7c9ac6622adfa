// Daemon sets: a pod for each node of the plane, which need not be one each for the host's nodes.

import type { LabelSelectorObject } from '../../api/select.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { validateLabelSelector } from '../../api/validate/labels.ts'
import { ageColumn, ageOf, integer, labelsCell, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, numberOf } from '../fields.ts'
import { fill, pipe, set } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { containerCells, selectorCell } from '../pods/template-cells.ts'
import {
  checkAtMostAll,
  checkCounts,
  checkIntOrPercent,
  checkLastingTemplate,
  checkTemplateLabels,
  intOrPercentValue,
} from './workload.ts'

const counts = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
]

export const daemonSet: Kind = defineKind({
  group: 'apps',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  tracksGeneration: true,
  columns: [
    nameColumn,
    integer('Desired'),
    integer('Current'),
    integer('Ready'),
    integer('Up-to-date'),
    integer('Available'),
    text('Node Selector'),
    ageColumn,
    wide('Containers'),
    wide('Images'),
    wide('Selector'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    return [
      nameOf(object),
      numberOf(status['desiredNumberScheduled']),
      numberOf(status['currentNumberScheduled']),
      numberOf(status['numberReady']),
      numberOf(status['updatedNumberScheduled']),
      numberOf(status['numberAvailable']),
      labelsCell(at(spec, 'template', 'spec', 'nodeSelector')),
      ageOf(object, now),
      ...containerCells(at(spec, 'template', 'spec')),
      selectorCell(spec['selector']),
    ]
  },
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  // Clients read these counts without asking whether there are any.
  status: {
    initial: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
    validate: (object) => checkCounts(fieldsOf(object['status']), counts, 'status'),
  },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateChange: (object, old) =>
    immutableField('spec.selector', at(object, 'spec', 'selector'), at(old, 'spec', 'selector')),
})

function defaultSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (one) => fill(one, { revisionHistoryLimit: 10 }),
    (one) => set(one, 'updateStrategy', defaultStrategy(fieldsOf(one['updateStrategy']))),
    (one) => set(one, 'template', defaultPodTemplate(fieldsOf(one['template']))),
  )
}

function defaultStrategy(strategy: Fields): Fields {
  const typed = fill(strategy, { type: 'RollingUpdate' })
  if (typed['type'] !== 'RollingUpdate') return typed
  return set(
    typed,
    'rollingUpdate',
    fill(fieldsOf(typed['rollingUpdate']), { maxUnavailable: 1, maxSurge: 0 }),
  )
}

function validateSpec(spec: Fields): readonly FieldError[] {
  const selector = spec['selector']
  const isEmpty =
    isPresent(selector) && isZero(at(selector, 'matchLabels')) && isZero(at(selector, 'matchExpressions'))
  return [
    ...validateLabelSelector(selector as LabelSelectorObject | undefined, 'spec.selector'),
    ...checkTemplateLabels(spec),
    ...(isEmpty ? [fieldInvalid('spec.selector', selector, 'empty selector is invalid for daemonset')] : []),
    ...checkLastingTemplate(fieldsOf(spec['template']), 'DaemonSet'),
    ...checkCounts(spec, ['minReadySeconds'], 'spec'),
    ...checkStrategy(fieldsOf(spec['updateStrategy'])),
    ...checkCounts(spec, ['revisionHistoryLimit'], 'spec'),
  ]
}

function checkStrategy(strategy: Fields): readonly FieldError[] {
  const path = 'spec.updateStrategy'
  if (strategy['type'] === 'OnDelete') return []
  if (strategy['type'] !== 'RollingUpdate')
    return [fieldNotSupported(path, strategy, ['OnDelete', 'RollingUpdate'])]
  if (!isPresent(strategy['rollingUpdate'])) return [fieldRequired(`${path}.rollingUpdate`)]
  const rolling = fieldsOf(strategy['rollingUpdate'])
  return [
    ...['maxUnavailable', 'maxSurge'].flatMap((name) =>
      checkIntOrPercent(rolling[name], `${path}.rollingUpdate.${name}`),
    ),
    ...['maxUnavailable', 'maxSurge'].flatMap((name) =>
      checkAtMostAll(rolling[name], `${path}.rollingUpdate.${name}`),
    ),
    ...checkOneLimit(rolling, `${path}.rollingUpdate`),
  ]
}

function checkOneLimit(rolling: Fields, path: string): readonly FieldError[] {
  const hasUnavailable = intOrPercentValue(rolling['maxUnavailable']) !== 0
  const hasSurge = intOrPercentValue(rolling['maxSurge']) !== 0
  if (hasUnavailable && hasSurge) {
    const detail = 'may not be set when maxUnavailable is non-zero'
    return [fieldInvalid(`${path}.maxSurge`, rolling['maxSurge'], detail)]
  }
  if (hasUnavailable || hasSurge) return []
  return [fieldRequired(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0')]
}
