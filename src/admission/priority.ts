// Priority: a pod's number comes from its class, and the class must exist; one class at most is everybody's default.
// Upstream: plugin/pkg/admission/priority. Hosts schedule: the number is kept, not enforced here.

import type { AdmissionPlugin, AdmissionRequest, Reader } from '../api/contracts.ts'
import type { KubeObject } from '../api/object.ts'
import { podSpecOf, withSpec } from './pod.ts'
import { isAbout, refuse } from './refuse.ts'

const group = 'scheduling.k8s.io'
const systemCriticalPriority = 2_000_000_000

interface PriorityClass {
  readonly name: string
  readonly value: number
  readonly preemptionPolicy?: string | undefined
}

/** The classes that every plane has, to be written at its start. */
export function systemPriorityClasses(): readonly KubeObject[] {
  const make = (name: string, value: number, description: string): KubeObject => ({
    apiVersion: `${group}/v1`,
    kind: 'PriorityClass',
    metadata: { name },
    value,
    description,
  })
  return [
    make(
      'system-node-critical',
      systemCriticalPriority + 1000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
    make(
      'system-cluster-critical',
      systemCriticalPriority,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
  ]
}

export function priority({ reader }: { readonly reader: Reader }): AdmissionPlugin {
  return {
    name: 'Priority',
    mutate: async (request) => {
      const pod = request.object ?? { metadata: {} }
      if (!isAbout(request, '', 'pods')) return pod
      return request.operation === 'CREATE'
        ? withPriority(reader, request, pod)
        : keepPriority(pod, request.old)
    },
    validate: async (request) => {
      if (request.operation === 'DELETE' || !isAbout(request, group, 'priorityclasses')) return
      if (request.object?.['globalDefault'] !== true) return
      const other = defaultClass(reader)
      if (other === undefined || (request.operation === 'UPDATE' && other.name === request.name)) return
      throw refuse(
        request,
        `PriorityClass ${other.name} is already marked as default. Only one default can exist`,
      )
    },
  }
}

function withPriority(reader: Reader, request: AdmissionRequest, pod: KubeObject): KubeObject {
  const spec = podSpecOf(pod)
  const { name, value, preemptionPolicy } = classOf(reader, request, spec.priorityClassName ?? '')
  if (spec.priority != null && spec.priority !== value) {
    throw refuse(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  }
  if (preemptionPolicy !== undefined && spec.preemptionPolicy && spec.preemptionPolicy !== preemptionPolicy) {
    throw refuse(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
    )
  }
  return withSpec(pod, {
    ...(name === '' ? {} : { priorityClassName: name }),
    priority: value,
    ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
  })
}

// Both are immutable; a client that leaves them out does not mean to change them.
function keepPriority(pod: KubeObject, old: KubeObject | undefined): KubeObject {
  if (old === undefined) return pod
  const [now, before] = [podSpecOf(pod), podSpecOf(old)]
  const kept = {
    ...(now.priority == null && before.priority != null ? { priority: before.priority } : {}),
    ...(now.preemptionPolicy == null && before.preemptionPolicy != null
      ? { preemptionPolicy: before.preemptionPolicy }
      : {}),
  }
  return Object.keys(kept).length === 0 ? pod : withSpec(pod, kept)
}

function classOf(reader: Reader, request: AdmissionRequest, name: string): PriorityClass {
  if (name === '') {
    return defaultClass(reader) ?? { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' }
  }
  const stored = reader.get({ group, resource: 'priorityclasses' }, '', name)
  const object = stored?.object ?? systemPriorityClasses().find(({ metadata }) => metadata.name === name)
  if (object === undefined) throw refuse(request, `no PriorityClass with name ${name} was found`)
  return read(object)
}

// Two defaults can only come from a race; the lower one counts.
function defaultClass(reader: Reader): PriorityClass | undefined {
  return reader
    .list({ group, resource: 'priorityclasses' })
    .map(({ object }) => object)
    .filter((object) => object['globalDefault'] === true)
    .map(read)
    .sort((one, other) => one.value - other.value)[0]
}

function read(object: KubeObject): PriorityClass {
  const { value, preemptionPolicy } = object
  return {
    name: object.metadata.name ?? '',
    value: typeof value === 'number' ? value : 0,
    // The kind's default, which a class from before the bootstrap may lack.
    preemptionPolicy: typeof preemptionPolicy === 'string' ? preemptionPolicy : 'PreemptLowerPriority',
  }
}
