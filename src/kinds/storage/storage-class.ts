// Storage classes as the plane names them; which of the host's they mean is the operator's policy.

import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { qualifiedName } from '../../api/validate/names.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { textOf } from '../fields.ts'
import { fill } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'

const defaultAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
]
const words = {
  reclaimPolicy: ['Delete', 'Retain'],
  volumeBindingMode: ['Immediate', 'WaitForFirstConsumer'],
} as const

export const storageClass: Kind = defineKind({
  group: 'storage.k8s.io',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  isNamespaced: false,
  columns: [
    nameColumn,
    text('Provisioner'),
    text('ReclaimPolicy'),
    text('VolumeBindingMode'),
    text('AllowVolumeExpansion'),
    ageColumn,
  ],
  cells: (object, now) => {
    const isDefault = defaultAnnotations.some((name) => object.metadata.annotations?.[name] === 'true')
    return [
      `${nameOf(object)}${isDefault ? ' (default)' : ''}`,
      textOf(object['provisioner']),
      textOf(object['reclaimPolicy']) || 'Delete',
      textOf(object['volumeBindingMode']) || 'Immediate',
      object['allowVolumeExpansion'] === true,
      ageOf(object, now),
    ]
  },
  defaults: (object) => fill(object, { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' }),
  validate: (object) => [
    ...checkProvisioner(textOf(object['provisioner'])),
    ...Object.entries(words).flatMap(([name, allowed]) =>
      (allowed as readonly string[]).includes(textOf(object[name]))
        ? []
        : [fieldNotSupported(name, object[name], allowed)],
    ),
  ],
  validateChange: (object, old) =>
    ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'].flatMap((name) =>
      immutableField(name, object[name], old[name]),
    ),
})

function checkProvisioner(provisioner: string): readonly FieldError[] {
  if (provisioner === '') return [fieldRequired('provisioner')]
  const name = provisioner.toLowerCase()
  return qualifiedName(name).map((problem) => fieldInvalid('provisioner', name, problem))
}
