// Pods. They run on the host or at the node actor: here is only what they must look like.
// The rules stand in the files beside this one.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden } from '../../api/status.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { defineKind, mergeFields } from '../define.ts'
import { at, type Fields, fieldsOf, isPresent, isZero, itemsOf, listOf, numberOf, textOf } from '../fields.ts'
import { each, set, take } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { checkImagePadding } from './container-validate.ts'
import { podCells, podColumns, podRowConditions } from './pod-columns.ts'
import { defaultPod, preparePodCreate } from './pod-defaults.ts'
import { validateEphemeralChange, validatePodChange, validatePodStatus } from './pod-update.ts'
import { validatePodSpec } from './spec-validate.ts'

const specText = (name: string) => (pod: KubeObject) => textOf(at(pod, 'spec', name))
const statusText = (name: string) => (pod: KubeObject) => textOf(at(pod, 'status', name))

export const pod: Kind = defineKind({
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  tracksGeneration: true,
  columns: podColumns,
  cells: podCells,
  rowConditions: podRowConditions,
  selectableFields: {
    'spec.nodeName': specText('nodeName'),
    'spec.restartPolicy': specText('restartPolicy'),
    'spec.schedulerName': specText('schedulerName'),
    'spec.serviceAccountName': specText('serviceAccountName'),
    'spec.hostNetwork': (object) => String(at(object, 'spec', 'hostNetwork') === true),
    'status.phase': statusText('phase'),
    'status.podIP': (object) => textOf(itemsOf(at(object, 'status', 'podIPs'))[0]?.['ip']),
    'status.nominatedNodeName': statusText('nominatedNodeName'),
  },
  defaults: defaultPod,
  status: { keepsMetadata: ['ownerReferences'], restore: restoreStatus, validate: validatePodStatus },
  prepareCreate: (object) => preparePodCreate(defaultPod(object)),
  validate: validatePod,
  validateNew,
  validateChange: validatePodChange,
  warnings: (object, old) => (old === undefined ? nameWarnings(object) : []),
  gracePeriod,
  subresources: [
    {
      name: 'ephemeralcontainers',
      verbs: ['get', 'patch', 'update'],
      merge: mergeEphemeral,
      validate: (object, old) => [...validateEphemeralChange(object, old), ...validatePod(object)],
    },
    { name: 'binding', verbs: ['create'], speaks: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'eviction', verbs: ['create'], speaks: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    { name: 'log', verbs: ['get'] },
    { name: 'exec', verbs: ['create', 'get'], speaks: { group: '', version: 'v1', kind: 'PodExecOptions' } },
    {
      name: 'attach',
      verbs: ['create', 'get'],
      speaks: { group: '', version: 'v1', kind: 'PodAttachOptions' },
    },
    {
      name: 'portforward',
      verbs: ['create', 'get'],
      speaks: { group: '', version: 'v1', kind: 'PodPortForwardOptions' },
    },
  ],
})

function validatePod(object: KubeObject): readonly FieldError[] {
  const spec = fieldsOf(object['spec'])
  const detail = 'must not be specified when serviceAccountName is not set'
  const tokens = textOf(spec['serviceAccountName']) === '' ? tokenPaths(object) : []
  return [
    ...validatePodSpec(spec, 'spec', { isPod: true }),
    ...tokens.map((path) => fieldForbidden(path, detail)),
    ...['containers', 'initContainers'].flatMap((name) =>
      itemsOf(spec[name]).flatMap((container, index) =>
        checkImagePadding(container, `spec.${name}[${index}]`),
      ),
    ),
  ]
}

function tokenPaths(object: KubeObject): readonly string[] {
  return itemsOf(at(object, 'spec', 'volumes')).flatMap((volume, index) =>
    itemsOf(at(volume, 'projected', 'sources')).flatMap((source, from) =>
      isPresent(source['serviceAccountToken'])
        ? [`spec.volumes[${index}].projected.sources[${from}].serviceAccountToken`]
        : [],
    ),
  )
}

function validateNew(object: KubeObject): readonly FieldError[] {
  const spec = fieldsOf(object['spec'])
  const isGated = !isZero(spec['schedulingGates'])
  return [
    ...(listOf(spec['ephemeralContainers']).length > 0
      ? [fieldForbidden('spec.ephemeralContainers', 'cannot be set on create')]
      : []),
    ...(isGated && textOf(spec['nodeName']) !== ''
      ? [fieldForbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared')]
      : []),
  ]
}

function nameWarnings(object: KubeObject): readonly string[] {
  const problems = dnsLabel(object.metadata.name ?? '')
  if (problems.length === 0) return []
  return [
    `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
  ]
}

/** Old kubelets drop the class, and some the generations that they do not know. */
function restoreStatus(object: KubeObject, old: KubeObject): KubeObject {
  const before = fieldsOf(old['status'])
  const known = new Map(itemsOf(before['conditions']).map((one) => [one['type'], one['observedGeneration']]))
  const withGeneration = (one: Fields, generation: unknown): Fields =>
    isZero(one['observedGeneration']) && !isZero(generation)
      ? set(one, 'observedGeneration', generation)
      : one
  const status = each(
    withGeneration(fieldsOf(object['status']), before['observedGeneration']),
    'conditions',
    (one) => withGeneration(one, known.get(one['type'])),
  )
  return set(object, 'status', isZero(status['qosClass']) ? take(status, 'qosClass', before) : status)
}

/** Not on a node, or already over: gone at once. */
function gracePeriod(object: KubeObject, askedSeconds: number | undefined): number {
  const isBound = specText('nodeName')(object) !== ''
  const isOver = ['Failed', 'Succeeded'].includes(statusText('phase')(object))
  if (!isBound || isOver) return 0
  const seconds = askedSeconds ?? numberOf(at(object, 'spec', 'terminationGracePeriodSeconds'))
  return seconds < 0 ? 1 : seconds
}

function mergeEphemeral(submitted: KubeObject, old: KubeObject): KubeObject {
  const kept = mergeFields(submitted, old, [], ['labels', 'annotations', 'finalizers', 'ownerReferences'])
  return set(kept, 'spec', take(fieldsOf(old['spec']), 'ephemeralContainers', fieldsOf(submitted['spec'])))
}
