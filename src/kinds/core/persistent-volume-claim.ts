// Claims on storage. The host binds them: a claim in the plane mirrors what the host's claim got.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden } from '../../api/status.ts'
import { amountOf } from '../amounts.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, isEqual, isPresent, isZero, textOf, textsOf } from '../fields.ts'
import { drop, fill, set, take } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { validateClaimSpec } from './claim-spec.ts'

type Errors = readonly FieldError[]

const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumeClaim: Kind = defineKind({
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  columns: [
    nameColumn,
    text('Status'),
    text('Volume'),
    text('Capacity'),
    text('Access Modes'),
    text('StorageClass'),
    text('VolumeAttributesClass'),
    ageColumn,
    wide('VolumeMode'),
  ],
  cells: (object, now) => {
    const [spec, status] = [fieldsOf(object['spec']), fieldsOf(object['status'])]
    const isBound = textOf(spec['volumeName']) !== ''
    return [
      nameOf(object),
      isPresent(object.metadata.deletionTimestamp) ? 'Terminating' : textOf(status['phase']),
      textOf(spec['volumeName']),
      isBound ? textOf(at(status, 'capacity', 'storage')) || '0' : '',
      isBound ? modesCell(status['accessModes']) : '',
      object.metadata.annotations?.[classAnnotation] ?? textOf(spec['storageClassName']),
      textOf(spec['volumeAttributesClassName']) || '<unset>',
      ageOf(object, now),
      textOf(spec['volumeMode']) || '<unset>',
    ]
  },
  defaults: (object) => {
    const spec = fill(fieldsOf(object['spec']), { volumeMode: 'Filesystem' })
    const status = fill(fieldsOf(object['status']), { phase: 'Pending' })
    return set(set(object, 'spec', spec), 'status', status)
  },
  prepareCreate: (object) => set(object, 'spec', sameSources(fieldsOf(object['spec']))),
  prepareUpdate: (object) => set(object, 'spec', sameSources(fieldsOf(object['spec']))),
  status: { initial: { phase: 'Pending' } },
  validate: (object) => validateClaimSpec(fieldsOf(object['spec']), 'spec'),
  validateChange,
})

const shortModes: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

export function modesCell(modes: unknown): string {
  const given = textsOf(modes)
  return Object.entries(shortModes)
    .filter(([mode]) => given.includes(mode))
    .map(([, short]) => short)
    .join(',')
}

/** The newer field and the older one say the same, as far as the older one can. */
function sameSources(spec: Fields): Fields {
  const source = spec['dataSource']
  const reference = spec['dataSourceRef']
  if (isPresent(source) && !isPresent(reference)) return set(spec, 'dataSourceRef', source)
  if (!isPresent(source) && isPresent(reference) && isZero(at(reference, 'namespace')))
    return set(spec, 'dataSource', drop(fieldsOf(reference), 'namespace'))
  return spec
}

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const [spec, before] = [fieldsOf(object['spec']), fieldsOf(old['spec'])]
  const storage = 'spec.resources.requests.storage'
  const [asked, had] = [storageOf(spec), storageOf(before)]
  const errors: FieldError[] = []
  if (!isEqual(withoutFreeChanges(object, old), before)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n'
    errors.push(fieldForbidden('spec', detail))
  }
  const given = amountOf(at(old, 'status', 'capacity', 'storage')) ?? 0n
  if (asked < had && asked <= given)
    errors.push(fieldForbidden(storage, 'field can not be less than status.capacity'))
  return [...errors, ...immutableField('volumeMode', spec['volumeMode'], before['volumeMode'])]
}

const storageOf = (spec: Fields): bigint => amountOf(at(spec, 'resources', 'requests', 'storage')) ?? 0n

/** The new spec with what may change put back: the volume's name once, the size and class of a bound claim. */
function withoutFreeChanges(object: KubeObject, old: KubeObject): Fields {
  const before = fieldsOf(old['spec'])
  let spec = fieldsOf(object['spec'])
  if (textOf(before['volumeName']) === '') spec = take(spec, 'volumeName', before)
  const named = old.metadata.annotations?.[classAnnotation]
  const canName = named === undefined || named === spec['storageClassName']
  if (!isPresent(before['storageClassName']) && canName) spec = take(spec, 'storageClassName', before)
  if (at(object, 'status', 'phase') !== 'Bound') return spec
  const resources = fieldsOf(spec['resources'])
  const requests = take(
    fieldsOf(resources['requests']),
    'storage',
    fieldsOf(at(before, 'resources', 'requests')),
  )
  return take(
    set(spec, 'resources', set(resources, 'requests', requests)),
    'volumeAttributesClassName',
    before,
  )
}
