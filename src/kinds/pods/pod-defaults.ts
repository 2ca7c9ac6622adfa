// What only a Pod gets, and no template: requests from limits, host ports, links to services, and its first status.
// Upstream: SetDefaults_Pod and podStrategy.PrepareForCreate.

import type { KubeObject } from '../../api/object.ts'
import { quantityText } from '../../api/quantity.ts'
import { type Fields, fieldsOf, isEqual, isPresent, isZero, itemsOf, textsOf } from '../fields.ts'
import { each, fill, fillZero, pipe, set, within } from '../fill.ts'
import { aggregateRequests } from './aggregate.ts'
import { qosClass } from './qos.ts'
import { defaultPodSpec } from './spec-defaults.ts'

export function defaultPod(pod: KubeObject): KubeObject {
  const spec = pipe(
    fieldsOf(pod['spec']),
    (one) => each(one, 'initContainers', requestLimits),
    (one) => each(one, 'containers', requestLimits),
    requestPodLimits,
    (one) => fill(one, { enableServiceLinks: true }),
    (one) => (one['hostNetwork'] === true ? useHostPorts(one) : one),
    defaultPodSpec,
  )
  return set(pod, 'spec', spec)
}

/** A limit without a request is the request too. */
function requestLimits(container: Fields): Fields {
  return within(container, 'resources', (resources) => {
    if (isZero(resources['limits'])) return resources
    return set(resources, 'requests', fill(fieldsOf(resources['requests']), fieldsOf(resources['limits'])))
  })
}

const sharedResources = ['cpu', 'memory']

/** At pod level a missing request is what the containers ask for together, or else the limit. */
function requestPodLimits(spec: Fields): Fields {
  return within(spec, 'resources', (resources) => {
    const limits = fieldsOf(resources['limits'])
    if (isZero(limits)) return resources
    const asked = [...aggregateRequests(spec)].filter(([name]) => sharedResources.includes(name))
    const texts = Object.fromEntries(asked.map(([name, quantity]) => [name, quantityText(quantity)]))
    return set(resources, 'requests', fill(fill(fieldsOf(resources['requests']), texts), limits))
  })
}

function useHostPorts(spec: Fields): Fields {
  const withHostPorts = (container: Fields): Fields =>
    each(container, 'ports', (port) => fillZero(port, { hostPort: port['containerPort'] }))
  return each(each(spec, 'containers', withHostPorts), 'initContainers', withHostPorts)
}

export function preparePodCreate(pod: KubeObject): KubeObject {
  const spec = matchLabelKeys(fieldsOf(pod['spec']), pod.metadata.labels ?? {})
  const isGated = !isZero(spec['schedulingGates'])
  const status = {
    phase: 'Pending',
    ...(isGated ? { conditions: [gatedCondition] } : {}),
    qosClass: qosClass(spec),
  }
  return { ...pod, spec, status }
}

const gatedCondition = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
  lastProbeTime: null,
  lastTransitionTime: null,
}

type Labels = Readonly<Record<string, string>>

/** `matchLabelKeys` become selector terms with the pod's own values, once, when it is made. */
function matchLabelKeys(spec: Fields, labels: Labels): Fields {
  const apply = (term: Fields) => addTerms(term, labels)
  const applyToTerms = (affinity: Fields): Fields =>
    each(
      each(affinity, 'requiredDuringSchedulingIgnoredDuringExecution', apply),
      'preferredDuringSchedulingIgnoredDuringExecution',
      (weighted) => within(weighted, 'podAffinityTerm', apply),
    )
  return each(
    within(spec, 'affinity', (affinity) =>
      within(within(affinity, 'podAffinity', applyToTerms), 'podAntiAffinity', applyToTerms),
    ),
    'topologySpreadConstraints',
    apply,
  )
}

function addTerms(term: Fields, labels: Labels): Fields {
  const has = (key: string): boolean => labels[key] !== undefined
  const terms = [
    ...textsOf(term['matchLabelKeys'])
      .filter(has)
      .map((key) => ({ key, operator: 'In', values: [labels[key]] })),
    ...textsOf(term['mismatchLabelKeys'])
      .filter(has)
      .map((key) => ({ key, operator: 'NotIn', values: [labels[key]] })),
  ]
  const selector = term['labelSelector']
  if (terms.length === 0 || !isPresent(selector)) return term
  const before = itemsOf(fieldsOf(selector)['matchExpressions'])
  // Preparing may run twice, before and after admission: what is there stays.
  const added = terms.filter((one) => !before.some((known) => isEqual(known, one)))
  if (added.length === 0) return term
  return set(term, 'labelSelector', set(fieldsOf(selector), 'matchExpressions', [...before, ...added]))
}
