// Horizontal autoscalers, as version 2 has them and as they are stored. Nobody measures pods here: they are kept only.
// Upstream: pkg/apis/autoscaling validation and v2 defaults.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import type { Column } from '../../api/table.ts'
import { pathSegment } from '../../api/validate/names.ts'
import { ageColumn, ageOf, type Cell, integer, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, itemsOf, numberOf, textOf } from '../fields.ts'
import { fill, set } from '../fill.ts'
import type { Kind } from '../kind.ts'

type Errors = readonly FieldError[]

export const notScaling = 'no metrics are gathered that they could act on'
export const scalerColumns: readonly Column[] = [
  nameColumn,
  text('Reference'),
  text('Targets'),
  text('MinPods'),
  integer('MaxPods'),
  integer('Replicas'),
  ageColumn,
]

export const horizontalPodAutoscaler: Kind = defineKind({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  notEnforced: notScaling,
  shortNames: ['hpa'],
  categories: ['all'],
  columns: scalerColumns,
  cells: scalerCells,
  defaults: (object) => set(object, 'spec', defaultSpec(fieldsOf(object['spec']))),
  status: { initial: { currentMetrics: null, desiredReplicas: 0 } },
  validate: (object) => validateScaler(fieldsOf(object['spec'])),
})

const cpuAtEighty = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
}
const periodSeconds = 15
const upPolicies = [
  { type: 'Pods', value: 4, periodSeconds },
  { type: 'Percent', value: 100, periodSeconds },
]
const upRules = { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: upPolicies }
const downRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds }] }

export function defaultSpec(spec: Fields): Fields {
  const filled = fill(isZero(spec['metrics']) ? set(spec, 'metrics', [cpuAtEighty]) : spec, {
    minReplicas: 1,
  })
  if (!isPresent(filled['behavior'])) return filled
  const behavior = fieldsOf(filled['behavior'])
  const rules = (name: string, defaults: Fields) => fill(fieldsOf(behavior[name]), defaults)
  return set(filled, 'behavior', {
    ...behavior,
    scaleUp: rules('scaleUp', upRules),
    scaleDown: rules('scaleDown', downRules),
  })
}

export function scalerCells(object: KubeObject, now: number): readonly Cell[] {
  const spec = fieldsOf(object['spec'])
  const target = fieldsOf(spec['scaleTargetRef'])
  return [
    nameOf(object),
    `${textOf(target['kind'])}/${textOf(target['name'])}`,
    metricsCell(itemsOf(spec['metrics'])),
    isPresent(spec['minReplicas']) ? String(numberOf(spec['minReplicas'])) : '<unset>',
    numberOf(spec['maxReplicas']),
    numberOf(at(object, 'status', 'currentReplicas')),
    ageOf(object, now),
  ]
}

const shownMax = 2

function metricsCell(metrics: readonly Fields[]): string {
  if (metrics.length === 0) return '<none>'
  const shown = metrics.slice(0, shownMax).map(metricText).join(', ')
  return metrics.length > shownMax ? `${shown} + ${metrics.length - shownMax} more...` : shown
}

function metricText(metric: Fields): string {
  const type = textOf(metric['type'])
  const source = fieldsOf(metric[fieldOf(type)])
  const { averageUtilization, averageValue, value } = fieldsOf(source['target']) as Record<string, unknown>
  if (type === 'Resource' || type === 'ContainerResource') {
    const percent = isPresent(averageUtilization) ? `${numberOf(averageUtilization)}%` : '<auto>'
    return `${textOf(source['name'])}: <unknown>/${isPresent(averageValue) ? averageValue : percent}`
  }
  if (type === 'Pods') return `<unknown>/${averageValue}`
  return isPresent(averageValue) ? `<unknown>/${averageValue} (avg)` : `<unknown>/${value}`
}

/** `ContainerResource` has its details in `containerResource`. */
export const fieldOf = (type: string): string => `${type.slice(0, 1).toLowerCase()}${type.slice(1)}`

export const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

export function validateScaler(spec: Fields): Errors {
  const [min, max] = [spec['minReplicas'], numberOf(spec['maxReplicas'])]
  const isBelow = isPresent(min) && max < numberOf(min)
  const metrics = itemsOf(spec['metrics'])
  const wakes = metrics.some(({ type }) => type === 'Object' || type === 'External')
  return [
    ...(isPresent(min) && numberOf(min) < 0
      ? [fieldInvalid('spec.minReplicas', min, 'must be greater than or equal to 0')]
      : []),
    ...(max === 0 ? [fieldRequired('spec.maxReplicas', 'must be set and greater than 0')] : []),
    ...(max < 0 ? [fieldInvalid('spec.maxReplicas', max, 'must be greater than or equal to 1')] : []),
    ...(isBelow
      ? [fieldInvalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`')]
      : []),
    ...checkReference(fieldsOf(spec['scaleTargetRef']), 'spec.scaleTargetRef'),
    ...metrics.flatMap((metric, index) => checkMetric(metric, `spec.metrics[${index}]`)),
    ...(isPresent(min) && numberOf(min) === 0 && !wakes
      ? [
          fieldForbidden(
            'spec.metrics',
            'must specify at least one Object or External metric to support scaling to zero replicas',
          ),
        ]
      : []),
    ...['scaleUp', 'scaleDown'].flatMap((name) =>
      isPresent(at(spec, 'behavior', name))
        ? checkRules(fieldsOf(at(spec, 'behavior', name)), `spec.behavior.${name}`)
        : [],
    ),
  ]
}

function checkReference(reference: Fields, path: string): Errors {
  return ['kind', 'name'].flatMap((name) => {
    const value = textOf(reference[name])
    if (value === '') return [fieldRequired(`${path}.${name}`)]
    return pathSegment(value).map((problem) => fieldInvalid(`${path}.${name}`, value, problem))
  })
}

function checkMetric(metric: Fields, path: string): Errors {
  const type = textOf(metric['type'])
  if (type === '') return [fieldRequired(`${path}.type`, 'must specify a metric source type')]
  if (!metricTypes.includes(type)) return [fieldNotSupported(`${path}.type`, type, metricTypes)]
  const own = fieldOf(type)
  const others = metricTypes.map(fieldOf).filter((name) => name !== own && isPresent(metric[name]))
  return [
    ...(isPresent(metric[own])
      ? checkTarget(fieldsOf(at(metric, own, 'target')), `${path}.${own}.target`)
      : [fieldRequired(`${path}.${own}`, 'must populate information for the given metric source')]),
    ...others.map((name) => fieldForbidden(`${path}.${name}`, 'must populate the given metric source only')),
  ]
}

const targetTypes = ['AverageValue', 'Utilization', 'Value']

function checkTarget(target: Fields, path: string): Errors {
  const type = textOf(target['type'])
  const utilization = target['averageUtilization']
  return [
    ...(type === '' ? [fieldRequired(`${path}.type`, 'must specify a metric target type')] : []),
    ...(type !== '' && !targetTypes.includes(type)
      ? [fieldInvalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue')]
      : []),
    ...(isPresent(utilization) && numberOf(utilization) < 1
      ? [fieldInvalid(`${path}.averageUtilization`, utilization, 'must be greater than 0')]
      : []),
  ]
}

const windowSecondsMax = 3600
const periodSecondsMax = 1800

function checkRules(rules: Fields, path: string): Errors {
  const window = numberOf(rules['stabilizationWindowSeconds'])
  const select = rules['selectPolicy']
  const policies = itemsOf(rules['policies'])
  const bounds = window < 0 ? 'greater than or equal to zero' : `less than or equal to ${windowSecondsMax}`
  return [
    ...(window < 0 || window > windowSecondsMax
      ? [fieldInvalid(`${path}.stabilizationWindowSeconds`, window, `must be ${bounds}`)]
      : []),
    ...(isPresent(select) && !['Disabled', 'Max', 'Min'].includes(textOf(select))
      ? [fieldNotSupported(`${path}.selectPolicy`, select, ['Disabled', 'Max', 'Min'])]
      : []),
    ...(policies.length === 0 ? [fieldRequired(`${path}.policies`, 'must specify at least one Policy')] : []),
    ...policies.flatMap((policy, index) => checkPolicy(policy, `${path}.policies[${index}]`)),
  ]
}

function checkPolicy(policy: Fields, path: string): Errors {
  const type = textOf(policy['type'])
  const period = numberOf(policy['periodSeconds'])
  return [
    ...(['Percent', 'Pods'].includes(type)
      ? []
      : [fieldNotSupported(`${path}.type`, type, ['Percent', 'Pods'])]),
    ...['value', 'periodSeconds']
      .filter((name) => numberOf(policy[name]) <= 0)
      .map((name) => fieldInvalid(`${path}.${name}`, numberOf(policy[name]), 'must be greater than zero')),
    ...(period > periodSecondsMax
      ? [fieldInvalid(`${path}.periodSeconds`, period, `must be less than or equal to ${periodSecondsMax}`)]
      : []),
  ]
}
