// Deployments: a template, a count, and how to get from one template to the next.
// Replica sets are made by the deployment controller.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isEqual, isPresent, numberOf } from '../fields.ts'
import { fill, pipe, set } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { defaultPodTemplate } from '../pods/spec-defaults.ts'
import { containerCells, selectorCell } from '../pods/template-cells.ts'
import { checkNotNegative, whenPresent } from '../rules.ts'
import {
  checkAtMostAll,
  checkCounts,
  checkIntOrPercent,
  checkLastingTemplate,
  checkSelector,
  checkStatusCounts,
  checkTemplateLabels,
  intOrPercentValue,
} from './workload.ts'

export const deployment: Kind = defineKind({
  group: 'apps',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  tracksGeneration: true,
  columns: [
    nameColumn,
    text('Ready'),
    text('Up-to-date'),
    text('Available'),
    ageColumn,
    wide('Containers'),
    wide('Images'),
    wide('Selector'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    return [
      nameOf(object),
      `${numberOf(status['readyReplicas'])}/${numberOf(spec['replicas'])}`,
      numberOf(status['updatedReplicas']),
      numberOf(status['availableReplicas']),
      ageOf(object, now),
      ...containerCells(at(spec, 'template', 'spec')),
      selectorCell(spec['selector']),
    ]
  },
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  prepareUpdate: countAnnotations,
  status: {
    keepsMetadata: ['labels'],
    validate: (object, old) =>
      checkStatusCounts(object, old, {
        counts: [
          'updatedReplicas',
          'readyReplicas',
          'availableReplicas',
          'unavailableReplicas',
          'terminatingReplicas',
        ],
        readyText: 'cannot be greater than readyReplicas',
      }),
  },
  scale: {
    specReplicas: 'spec.replicas',
    statusReplicas: 'status.replicas',
    labelSelector: 'spec.selector',
  },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateChange: (object, old) =>
    immutableField('spec.selector', at(object, 'spec', 'selector'), at(old, 'spec', 'selector')),
})

function defaultSpec(spec: Fields): Fields {
  return pipe(
    spec,
    (one) => fill(one, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 }),
    (one) => set(one, 'strategy', defaultStrategy(fieldsOf(one['strategy']))),
    (one) => set(one, 'template', defaultPodTemplate(fieldsOf(one['template']))),
  )
}

function defaultStrategy(strategy: Fields): Fields {
  const typed = fill(strategy, { type: 'RollingUpdate' })
  if (typed['type'] !== 'RollingUpdate') return typed
  const limits = fill(fieldsOf(typed['rollingUpdate']), { maxUnavailable: '25%', maxSurge: '25%' })
  return set(typed, 'rollingUpdate', limits)
}

/** Upstream counts changed annotations as a new generation, because rollbacks live there. */
function countAnnotations(object: KubeObject, old: KubeObject): KubeObject {
  const { metadata } = object
  if (isEqual(metadata.annotations, old.metadata.annotations)) return object
  return { ...object, metadata: { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

function validateSpec(spec: Fields): readonly FieldError[] {
  const deadline = spec['progressDeadlineSeconds']
  const isShort = isPresent(deadline) && numberOf(deadline) <= numberOf(spec['minReadySeconds'])
  return [
    ...checkNotNegative(spec['replicas'], 'spec.replicas'),
    ...checkSelector(spec, 'deployment'),
    ...checkTemplateLabels(spec),
    ...checkLastingTemplate(fieldsOf(spec['template']), 'ReplicaSet'),
    ...checkStrategy(fieldsOf(spec['strategy'])),
    ...checkCounts(spec, ['minReadySeconds', 'revisionHistoryLimit', 'progressDeadlineSeconds'], 'spec'),
    ...(isShort
      ? [fieldInvalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds')]
      : []),
  ]
}

function checkStrategy(strategy: Fields): readonly FieldError[] {
  const path = 'spec.strategy.rollingUpdate'
  const rolling = strategy['rollingUpdate']
  switch (strategy['type']) {
    case 'Recreate':
      return whenPresent(rolling, () => [
        fieldForbidden(path, "may not be specified when strategy `type` is 'Recreate'"),
      ])
    case 'RollingUpdate':
      if (!isPresent(rolling)) return [fieldRequired(path, 'this should be defaulted and never be nil')]
      return checkRolling(fieldsOf(rolling), path)
    default:
      return [fieldNotSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate'])]
  }
}

function checkRolling(rolling: Fields, path: string): readonly FieldError[] {
  const { maxUnavailable, maxSurge } = rolling as Record<'maxUnavailable' | 'maxSurge', unknown>
  const isStuck = intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0
  const field = `${path}.maxUnavailable`
  return [
    ...checkIntOrPercent(maxUnavailable, field),
    ...checkIntOrPercent(maxSurge, `${path}.maxSurge`),
    ...(isStuck ? [fieldInvalid(field, maxUnavailable, 'may not be 0 when `maxSurge` is 0')] : []),
    ...checkAtMostAll(maxUnavailable, field),
  ]
}
