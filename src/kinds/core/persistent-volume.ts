// Persistent volumes: stored, never synced. The host's volumes are the host's.

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
import { at, type Fields, fieldsOf, isEqual, isPresent, textOf, textsOf } from '../fields.ts'
import { fill, set } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkNodeSelector } from '../pods/scheduling-validate.ts'
import { whenPresent } from '../rules.ts'
import { checkAccessModes, volumeModes } from './claim-spec.ts'
import { modesCell } from './persistent-volume-claim.ts'

type Errors = readonly FieldError[]

const policies = ['Delete', 'Recycle', 'Retain']
/** What is no source of storage in a volume's spec. */
const others = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

export const persistentVolume: Kind = defineKind({
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  isNamespaced: false,
  columns: [
    nameColumn,
    text('Capacity'),
    text('Access Modes'),
    text('Reclaim Policy'),
    text('Status'),
    text('Claim'),
    text('StorageClass'),
    text('VolumeAttributesClass'),
    text('Reason'),
    ageColumn,
    wide('VolumeMode'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    const claim = fieldsOf(spec['claimRef'])
    return [
      nameOf(object),
      textOf(at(spec, 'capacity', 'storage')) || '0',
      modesCell(spec['accessModes']),
      textOf(spec['persistentVolumeReclaimPolicy']),
      isPresent(object.metadata.deletionTimestamp) ? 'Terminating' : textOf(status['phase']),
      isPresent(spec['claimRef']) ? `${textOf(claim['namespace'])}/${textOf(claim['name'])}` : '',
      textOf(spec['storageClassName']),
      textOf(spec['volumeAttributesClassName']) || '<unset>',
      textOf(status['reason']),
      ageOf(object, now),
      textOf(spec['volumeMode']) || '<unset>',
    ]
  },
  selectableFields: { name: nameOf },
  defaults: (object) => {
    const spec = fill(fieldsOf(object['spec']), {
      persistentVolumeReclaimPolicy: 'Retain',
      volumeMode: 'Filesystem',
    })
    return set(set(object, 'spec', spec), 'status', fill(fieldsOf(object['status']), { phase: 'Pending' }))
  },
  status: { initial: { phase: 'Pending' } },
  validate: (object) => validateSpec(fieldsOf(object['spec'])),
  validateChange,
})

function validateSpec(spec: Fields): Errors {
  const policy = textOf(spec['persistentVolumeReclaimPolicy'])
  const affinity = at(spec, 'nodeAffinity', 'required')
  const errors: FieldError[] = [...checkAccessModes(textsOf(spec['accessModes']), 'spec.accessModes')]
  const capacity = Object.keys(fieldsOf(spec['capacity']))
  if (capacity.length === 0) errors.push(fieldRequired('spec.capacity'))
  else if (capacity.join() !== 'storage')
    errors.push(fieldNotSupported('spec.capacity', capacity, ['storage']))
  if (policy !== '' && !policies.includes(policy))
    errors.push(fieldNotSupported('spec.persistentVolumeReclaimPolicy', policy, policies))
  const mode = spec['volumeMode']
  return [
    ...errors,
    ...whenPresent(affinity, () => checkNodeSelector(fieldsOf(affinity), 'spec.nodeAffinity.required')),
    ...checkSource(spec, policy),
    ...(isPresent(mode) && !volumeModes.includes(textOf(mode))
      ? [fieldNotSupported('spec.volumeMode', mode, volumeModes)]
      : []),
  ]
}

function checkSource(spec: Fields, policy: string): Errors {
  const sources = Object.keys(spec).filter((name) => !others.has(name) && isPresent(spec[name]))
  const [first, ...rest] = sources
  if (first === undefined) return [fieldRequired('spec', 'must specify a volume type')]
  const path = textOf(at(spec, 'hostPath', 'path'))
  const isRoot = path !== '' && path.replaceAll('/', '') === '' && policy === 'Recycle'
  const detail = "may not be 'recycle' for a hostPath mount of '/'"
  return [
    ...rest.map((name) => fieldForbidden(`spec.${name}`, 'may not specify more than 1 volume type')),
    ...(isRoot ? [fieldForbidden('spec.persistentVolumeReclaimPolicy', detail)] : []),
  ]
}

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const [spec, before] = [fieldsOf(object['spec']), fieldsOf(old['spec'])]
  const sourceOf = (one: Fields) =>
    Object.fromEntries(Object.entries(one).filter(([name]) => !others.has(name)))
  const isMoved = !isEqual(sourceOf(spec), sourceOf(before))
  const affinity = before['nodeAffinity']
  return [
    ...(isMoved
      ? [
          fieldForbidden(
            'spec.persistentvolumesource',
            'spec.persistentvolumesource is immutable after creation\n',
          ),
        ]
      : []),
    ...immutableField('spec.volumeMode', spec['volumeMode'], before['volumeMode']),
    ...(isPresent(affinity) && !isEqual(affinity, spec['nodeAffinity'])
      ? [
          fieldInvalid(
            'spec.nodeAffinity',
            spec['nodeAffinity'],
            'field is immutable, except for updating from beta label to GA',
          ),
        ]
      : []),
  ]
}
