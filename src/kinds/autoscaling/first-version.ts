// Horizontal autoscalers as version 1 has them: a target for CPU in a field, all that came later in annotations.
// Upstream: pkg/apis/autoscaling/v1/conversion.go. The rules are those of version 2.

import type { KubeObject } from '../../api/object.ts'
import { defineKind } from '../define.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, numberOf, textOf } from '../fields.ts'
import { fill, set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import {
  defaultSpec,
  fieldOf,
  horizontalPodAutoscaler,
  notScaling,
  scalerCells,
  scalerColumns,
  validateScaler,
} from './horizontal-pod-autoscaler.ts'

const prefix = 'autoscaling.alpha.kubernetes.io/'
const kept = {
  metrics: 'metrics',
  behavior: 'behavior',
  conditions: 'conditions',
  current: 'current-metrics',
}

export const firstHorizontalPodAutoscaler: Kind = defineKind({
  group: 'autoscaling',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  notEnforced: notScaling,
  shortNames: ['hpa'],
  categories: ['all'],
  storageVersionHash: horizontalPodAutoscaler.storageVersionHash,
  columns: scalerColumns,
  cells: (object, now) => scalerCells(toSecond(object), now),
  defaults: (object) => set(object, 'spec', fill(fieldsOf(object['spec']), { minReplicas: 1 })),
  status: { initial: { currentReplicas: 0, desiredReplicas: 0 } },
  validate: (object) => validateScaler(fieldsOf(toSecond(object)['spec'])),
  storedAs: {
    group: 'autoscaling',
    plural: 'horizontalpodautoscalers',
    toStored: toSecond,
    fromStored: toFirst,
  },
})

/** The parts of one metric that have another name in version 1, by its type; `side` is `target` or `current`. */
const flattened: Readonly<Record<string, (side: string) => Readonly<Record<string, string>>>> = {
  Resource: (side) => average(side),
  ContainerResource: (side) => average(side),
  Pods: (side) => ({ metricName: 'metric.name', selector: 'metric.selector', ...average(side) }),
  Object: (side) => ({
    target: 'describedObject',
    metricName: 'metric.name',
    selector: 'metric.selector',
    [`${side}Value`]: `${side}.value`,
    averageValue: `${side}.averageValue`,
  }),
  External: (side) => ({
    metricName: 'metric.name',
    metricSelector: 'metric.selector',
    [`${side}Value`]: `${side}.value`,
    ...average(side),
  }),
}

const average = (side: string) => ({
  [`${side}AverageUtilization`]: `${side}.averageUtilization`,
  [`${side}AverageValue`]: `${side}.averageValue`,
})
const asTheyAre = ['name', 'container']

function flatten(metric: Fields, side: string): Fields {
  const type = textOf(metric['type'])
  const source = fieldsOf(metric[fieldOf(type)])
  const flat: Record<string, unknown> = {}
  for (const name of asTheyAre) if (isPresent(source[name])) flat[name] = source[name]
  for (const [here, path] of Object.entries(flattened[type]?.(side) ?? {})) {
    const [outer = '', inner] = path.split('.')
    const value = inner === undefined ? source[outer] : fieldsOf(source[outer])[inner]
    if (isPresent(value)) flat[here] = value
  }
  return { type, [fieldOf(type)]: flat }
}

function unflatten(metric: Fields, side: string): Fields {
  const type = textOf(metric['type'])
  const flat = fieldsOf(metric[fieldOf(type)])
  const source: Record<string, unknown> = {}
  for (const name of asTheyAre) if (isPresent(flat[name])) source[name] = flat[name]
  for (const [here, path] of Object.entries(flattened[type]?.(side) ?? {})) {
    const [outer = '', inner] = path.split('.')
    if (!isPresent(flat[here])) continue
    source[outer] = inner === undefined ? flat[here] : { ...fieldsOf(source[outer]), [inner]: flat[here] }
  }
  const target = fieldsOf(source['target'])
  if (side === 'target') source['target'] = { type: targetType(target), ...target }
  return { type, [fieldOf(type)]: source }
}

function targetType(target: Fields): string {
  if (isPresent(target['averageUtilization'])) return 'Utilization'
  return isPresent(target['averageValue']) ? 'AverageValue' : 'Value'
}

const isCpu = (metric: Fields): boolean => {
  const { name, target, current } = fieldsOf(metric['resource'])
  const counted = fieldsOf(target ?? current)
  return metric['type'] === 'Resource' && name === 'cpu' && isPresent(counted['averageUtilization'])
}

/** Version 2 of an object, which is how it is stored. */
function toSecond(object: KubeObject): KubeObject {
  const annotations = object.metadata.annotations ?? {}
  const parse = (name: string): unknown => parsed(annotations[`${prefix}${name}`])
  const { targetCPUUtilizationPercentage: target, ...spec } = fieldsOf(object['spec'])
  const { currentCPUUtilizationPercentage: current, ...status } = fieldsOf(object['status'])
  const cpu = (side: string, value: unknown) =>
    isPresent(value)
      ? [{ type: 'Resource', resource: { name: 'cpu', [side]: counted(side, numberOf(value)) } }]
      : []
  const metrics = [
    ...cpu('target', target),
    ...itemsOf(parse(kept.metrics)).map((one) => unflatten(one, 'target')),
  ]
  const currents = [
    ...cpu('current', current),
    ...itemsOf(parse(kept.current)).map((one) => unflatten(one, 'current')),
  ]
  const behavior = parse(kept.behavior)
  const conditions = parse(kept.conditions)
  const next = defaultSpec({ ...spec, metrics, ...(isPresent(behavior) ? { behavior } : {}) })
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: { ...object.metadata, ...annotated(annotations, {}) },
    spec: next,
    status: {
      ...status,
      ...(currents.length === 0 ? {} : { currentMetrics: currents }),
      ...(isPresent(conditions) ? { conditions } : {}),
    },
  } as KubeObject
}

const counted = (side: string, averageUtilization: number) =>
  side === 'target' ? { type: 'Utilization', averageUtilization } : { averageUtilization }

/** Version 1 of a stored object. */
function toFirst(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = fieldsOf(object['spec'])
  const { currentMetrics, conditions, ...status } = fieldsOf(object['status'])
  const { cpu: target, rest } = split(itemsOf(metrics), 'target')
  const { cpu: current, rest: currents } = split(itemsOf(currentMetrics), 'current')
  const texts = {
    ...(rest.length === 0 ? {} : { [kept.metrics]: JSON.stringify(rest) }),
    ...(isPresent(behavior) ? { [kept.behavior]: JSON.stringify(behavior) } : {}),
    ...(currents.length === 0 ? {} : { [kept.current]: JSON.stringify(currents) }),
    ...(itemsOf(conditions).length === 0 ? {} : { [kept.conditions]: JSON.stringify(conditions) }),
  }
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...annotated(object.metadata.annotations ?? {}, texts) },
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      currentReplicas: 0,
      ...status,
      ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
    },
  } as KubeObject
}

function split(metrics: readonly Fields[], side: string) {
  const first = metrics.find(isCpu)
  const cpu = fieldsOf(fieldsOf(first?.['resource'])[side])['averageUtilization'] as number | undefined
  return { cpu, rest: metrics.filter((one) => one !== first).map((one) => flatten(one, side)) }
}

/** The annotations without ours, and with these. */
function annotated(annotations: Readonly<Record<string, string>>, texts: Readonly<Record<string, string>>) {
  const names = Object.values(kept).map((name) => `${prefix}${name}`)
  const others = Object.entries(annotations).filter(([name]) => !names.includes(name))
  const own = Object.entries(texts).map(([name, value]) => [`${prefix}${name}`, value] as const)
  const all = Object.fromEntries([...others, ...own])
  return Object.keys(all).length === 0 && Object.keys(annotations).length === 0 ? {} : { annotations: all }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
