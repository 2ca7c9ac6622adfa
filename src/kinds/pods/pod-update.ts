// What may change in a pod that exists: images, deadlines, tolerations that are added, gates that are taken away.
// Upstream: ValidatePodUpdate, ValidatePodStatusUpdate, ValidatePodEphemeralContainersUpdate.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { type Fields, fieldsOf, isEqual, isPresent, isZero, itemsOf, numberOf, textOf } from '../fields.ts'
import { each, set, take } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import { int32Max, rangeText } from '../rules.ts'

type Errors = readonly FieldError[]

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
]

export function validatePodChange(pod: KubeObject, old: KubeObject): Errors {
  const [next, before] = [fieldsOf(pod['spec']), fieldsOf(old['spec'])]
  const errors: FieldError[] = [...checkAnnotations(pod, old)]
  for (const name of ['containers', 'initContainers']) {
    if (itemsOf(next[name]).length !== itemsOf(before[name]).length) {
      return [...errors, fieldForbidden(`spec.${name}`, 'pod updates may not add or remove containers')]
    }
    errors.push(...checkImages(itemsOf(next[name]), `spec.${name}`))
  }
  const deadline = checkDeadline(next['activeDeadlineSeconds'], before['activeDeadlineSeconds'])
  errors.push(...deadline)
  if (deadline.length > 0 && isPresent(next['activeDeadlineSeconds'])) return errors
  errors.push(...checkTolerationChange(itemsOf(next['tolerations']), itemsOf(before['tolerations'])))
  errors.push(...checkGateChange(itemsOf(next['schedulingGates']), itemsOf(before['schedulingGates'])))
  const { spec, errors: gated } = withoutGatedChanges(withoutFreeChanges(next, before), before)
  errors.push(...gated)
  if (isEqual(spec, before)) return errors
  const changed = differences(spec, before)
  const text = `pod updates may not change fields other than ${updatable.join(',')}\n${changed}`
  return [...errors, fieldForbidden('spec', text)]
}

function checkImages(containers: readonly Fields[], field: string): Errors {
  return containers.flatMap((container, index) =>
    textOf(container['image']) === '' ? [fieldRequired(`${field}[${index}].image`)] : [],
  )
}

function checkDeadline(value: unknown, old: unknown): Errors {
  const field = 'spec.activeDeadlineSeconds'
  if (!isPresent(value)) {
    if (!isPresent(old)) return []
    return [fieldInvalid(field, null, 'must not update from a positive integer to nil value')]
  }
  const seconds = numberOf(value)
  if (seconds < 0 || seconds > int32Max) return [fieldInvalid(field, seconds, rangeText(0, int32Max))]
  if (!isPresent(old) || seconds <= numberOf(old)) return []
  return [fieldInvalid(field, seconds, 'must be less than or equal to previous value')]
}

function checkTolerationChange(next: readonly Fields[], before: readonly Fields[]): Errors {
  const isKept = (old: Fields) => next.some((one) => isEqual(take(old, 'tolerationSeconds', one), one))
  if (before.every(isKept)) return []
  return [
    fieldForbidden(
      'spec.tolerations',
      'existing toleration can not be modified except its tolerationSeconds',
    ),
  ]
}

function checkGateChange(next: readonly Fields[], before: readonly Fields[]): Errors {
  return next.flatMap((gate, index) => {
    if (before.some((old) => old['name'] === gate['name'])) return []
    const detail = `only deletion is allowed, but found new scheduling gate '${textOf(gate['name'])}'`
    return [fieldForbidden(`spec.schedulingGates[${index}].name`, detail)]
  })
}

/** The new spec with everything put back that may change; what is left must be equal. */
function withoutFreeChanges(next: Fields, before: Fields): Fields {
  let spec = next
  for (const name of ['containers', 'initContainers']) {
    const old = itemsOf(before[name])
    let index = -1
    spec = each(spec, name, (container) => {
      index += 1
      return take(container, 'image', old[index] ?? {})
    })
  }
  for (const name of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'])
    spec = take(spec, name, before)
  const isMended =
    numberOf(before['terminationGracePeriodSeconds']) < 0 && spec['terminationGracePeriodSeconds'] === 1
  return isMended ? take(spec, 'terminationGracePeriodSeconds', before) : spec
}

/** A gated pod may still be steered: node selector and node affinity may get narrower. */
function withoutGatedChanges(spec: Fields, before: Fields): { spec: Fields; errors: Errors } {
  if (isZero(before['schedulingGates'])) return { spec, errors: [] }
  const errors: FieldError[] = []
  const selector = fieldsOf(spec['nodeSelector'])
  for (const [key, value] of Object.entries(fieldsOf(before['nodeSelector']))) {
    if (selector[key] === value) continue
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
    errors.push(fieldInvalid('spec.nodeSelector', selector, detail))
    break
  }
  const affinity = fieldsOf(spec['affinity'])
  const oldAffinity = fieldsOf(before['affinity'])
  const kept = take(affinity, 'nodeAffinity', oldAffinity)
  const steered = take(spec, 'nodeSelector', before)
  return { spec: isZero(kept) ? take(steered, 'affinity', before) : set(steered, 'affinity', kept), errors }
}

/** Names what differs, as upstream's diff does less tersely. */
function differences(next: Fields, before: Fields): string {
  const names = [...new Set([...Object.keys(next), ...Object.keys(before)])].sort()
  const lines = names
    .filter((name) => !isEqual(next[name], before[name]))
    .flatMap((name) => [
      `- \t${name}: ${JSON.stringify(before[name]) ?? 'null'},`,
      `+ \t${name}: ${JSON.stringify(next[name]) ?? 'null'},`,
    ])
  return `  core.PodSpec{\n${lines.join('\n')}\n  }\n`
}

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const mirrorAnnotation = 'kubernetes.io/config.mirror'

function checkAnnotations(pod: KubeObject, old: KubeObject): Errors {
  const next = pod.metadata.annotations ?? {}
  const before = old.metadata.annotations ?? {}
  const changed = Object.keys({ ...before, ...next }).filter((key) => next[key] !== before[key])
  return changed.flatMap((key) => {
    const what = key.startsWith(appArmorPrefix)
      ? 'AppArmor annotations'
      : key === mirrorAnnotation
        ? 'mirror pod annotation'
        : undefined
    if (what === undefined) return []
    const verb = before[key] === undefined ? 'add' : 'remove or update'
    return [fieldForbidden(`metadata.annotations[${key}]`, `may not ${verb} ${what}`)]
  })
}

export function validatePodStatus(pod: KubeObject, old: KubeObject): Errors {
  const [next, before] = [fieldsOf(pod['status']), fieldsOf(old['status'])]
  const spec = fieldsOf(old['spec'])
  const errors: FieldError[] = [...checkAnnotations(pod, old)]
  const nominated = textOf(next['nominatedNodeName'])
  if (textOf(spec['nodeName']) !== '' && nominated !== '' && nominated !== before['nominatedNodeName']) {
    const detail = 'may not be set on pods that are already bound to a node'
    errors.push(fieldForbidden('status.nominatedNodeName', detail))
  }
  errors.push(...immutableField('status.qosClass', next['qosClass'], before['qosClass']))
  for (const name of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']) {
    errors.push(...checkTransitions(itemsOf(next[name]), itemsOf(before[name]), `status.${name}`, spec))
  }
  const hostIp = at0(next['hostIPs'])
  if (hostIp !== undefined && hostIp !== next['hostIP']) {
    errors.push(fieldInvalid('status.hostIPs[0].ip', hostIp, 'must be equal to `hostIP`'))
  }
  return errors
}

const at0 = (addresses: unknown): unknown => itemsOf(addresses)[0]?.['ip']

/** A container that ended for good may not be reported as running again. */
function checkTransitions(
  next: readonly Fields[],
  before: readonly Fields[],
  field: string,
  spec: Fields,
): Errors {
  return before.flatMap((old, index) => {
    const ended = fieldsOf(old['state'])['terminated']
    if (!isPresent(ended) || mayRestart(old, numberOf(fieldsOf(ended)['exitCode']), field, spec)) return []
    const now = next.find((status) => status['name'] === old['name'])
    if (now === undefined || isPresent(fieldsOf(now['state'])['terminated'])) return []
    return [fieldForbidden(`${field}[${index}].state`, 'may not be transitioned to non-terminated state')]
  })
}

function mayRestart(status: Fields, exitCode: number, field: string, spec: Fields): boolean {
  if (field.endsWith('ephemeralContainerStatuses')) return false
  const containers = [...itemsOf(spec['containers']), ...itemsOf(spec['initContainers'])]
  const container = containers.find((one) => one['name'] === status['name']) ?? {}
  // Rules about exit codes are the kubelet's to apply: any of them may restart.
  if (!isZero(container['restartPolicyRules'])) return true
  const policy = textOf(container['restartPolicy']) || textOf(spec['restartPolicy'])
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

export function validateEphemeralChange(pod: KubeObject, old: KubeObject): Errors {
  const field = 'spec.ephemeralContainers'
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) {
    return [fieldForbidden('[]', 'static pods do not support ephemeral containers')]
  }
  const next = itemsOf(fieldsOf(pod['spec'])['ephemeralContainers'])
  return itemsOf(fieldsOf(old['spec'])['ephemeralContainers']).flatMap((before) => {
    const name = JSON.stringify(textOf(before['name']))
    const now = next.find((container) => container['name'] === before['name'])
    if (now === undefined)
      return [fieldForbidden(field, `existing ephemeral containers ${name} may not be removed\n`)]
    if (isEqual(now, before)) return []
    return [fieldForbidden(field, `existing ephemeral containers ${name} may not be changed\n`)]
  })
}
