// Nodes as the plane shows them. What runs on them is the host's.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { labelValueRule, qualifiedName } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isEqual,
  isPresent,
  isZero,
  itemsOf,
  listOf,
  textOf,
  textsOf,
} from '../fields.ts'
import { set } from '../fill.ts'
import type { Kind } from '../kind.ts'
import { checkResourceQuantity } from '../pods/resources-validate.ts'
import { checkCidr } from './addresses.ts'

type Errors = readonly FieldError[]

export const node: Kind = defineKind({
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  isNamespaced: false,
  columns: [
    nameColumn,
    text('Status'),
    text('Roles'),
    ageColumn,
    text('Version'),
    wide('Internal-IP'),
    wide('External-IP'),
    wide('OS-Image'),
    wide('Kernel-Version'),
    wide('Container-Runtime'),
  ],
  cells: (object, now) => {
    const info = fieldsOf(at(object, 'status', 'nodeInfo'))
    const architecture = textOf(info['architecture'])
    return [
      nameOf(object),
      statusCell(object),
      rolesCell(object),
      ageOf(object, now),
      textOf(info['kubeletVersion']),
      addressCell(object, 'InternalIP'),
      addressCell(object, 'ExternalIP'),
      textOf(info['osImage']) || '<unknown>',
      (textOf(info['kernelVersion']) || '<unknown>') + (architecture === '' ? '' : ` (${architecture})`),
      textOf(info['containerRuntimeVersion']) || '<unknown>',
    ]
  },
  selectableFields: {
    'spec.unschedulable': (object) => String(at(object, 'spec', 'unschedulable') === true),
  },
  defaults: (object) => {
    const status = fieldsOf(object['status'])
    if (isPresent(status['allocatable']) || !isPresent(status['capacity'])) return object
    return set(object, 'status', set(status, 'allocatable', status['capacity']))
  },
  // A kubelet registers with its status: unlike elsewhere, create keeps it.
  status: { keepsOnCreate: true, validate: (object) => checkStatus(fieldsOf(object['status'])) },
  validate: (object) => {
    const spec = fieldsOf(object['spec'])
    return [
      ...checkTaints(itemsOf(spec['taints'])),
      ...checkStatus(fieldsOf(object['status'])),
      ...textsOf(spec['podCIDRs']).flatMap((cidr, index) => checkCidr(cidr, `spec.podCIDRs[${index}]`)),
    ]
  },
  validateChange,
})

function statusCell(object: KubeObject): string {
  const ready = itemsOf(at(object, 'status', 'conditions')).find((one) => one['type'] === 'Ready')
  const status = ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'
  return at(object, 'spec', 'unschedulable') === true ? `${status},SchedulingDisabled` : status
}

const rolePrefix = 'node-role.kubernetes.io/'

function rolesCell(object: KubeObject): string {
  const labels = Object.entries(object.metadata.labels ?? {})
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix))
      return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : []
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return [...new Set(roles)].sort().join(',') || '<none>'
}

function addressCell(object: KubeObject, type: string): string {
  const address = itemsOf(at(object, 'status', 'addresses')).find((one) => one['type'] === type)
  return textOf(address?.['address']) || '<none>'
}

const effects = ['NoExecute', 'NoSchedule', 'PreferNoSchedule']

/** Upstream's path says metadata, though taints stand in the spec. */
function checkTaints(taints: readonly Fields[]): Errors {
  const seen = new Set<string>()
  return taints.flatMap((taint, index) => {
    const path = `metadata.taints[${index}]`
    const [key, value, effect] = [textOf(taint['key']), textOf(taint['value']), textOf(taint['effect'])]
    const errors: FieldError[] = [...checkText(qualifiedName, key, `${path}.key`)]
    const problems = labelValueRule(value)
    if (problems.length > 0) errors.push(fieldInvalid(`${path}.value`, value, problems.join(';')))
    if (effect === '') errors.push(fieldRequired(`${path}.effect`))
    else if (!effects.includes(effect)) errors.push(fieldNotSupported(`${path}.effect`, effect, effects))
    if (seen.has(`${effect}/${key}`)) {
      const twice = fieldDuplicate(path, taint)
      errors.push({ ...twice, message: `${twice.message}: taints must be unique by key and effect pair` })
    }
    seen.add(`${effect}/${key}`)
    return errors
  })
}

function checkStatus(status: Fields): Errors {
  return ['capacity', 'allocatable'].flatMap((list) =>
    Object.entries(fieldsOf(status[list])).flatMap(([name, quantity]) =>
      checkResourceQuantity(name, quantity, `status.${list}.${name}`),
    ),
  )
}

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const [spec, before] = [fieldsOf(object['spec']), fieldsOf(old['spec'])]
  const errors: FieldError[] = []
  const unchanged = (name: string) => `node updates may not change ${name} except from "" to valid`
  if (listOf(before['podCIDRs']).length > 0 && !isEqual(spec['podCIDRs'], before['podCIDRs']))
    errors.push(fieldForbidden('spec.podCIDRs', unchanged('podCIDR')))
  if (!isZero(before['providerID']) && spec['providerID'] !== before['providerID'])
    errors.push(fieldForbidden('spec.providerID', unchanged('providerID')))
  return errors
}
