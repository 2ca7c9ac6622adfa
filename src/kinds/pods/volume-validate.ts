// The rules for a pod's volumes: one source each, names unique, files that stay inside their volume.
// Sources of storage vendors get the floor of validation that the schema gives.

import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldRequired,
} from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsLabel } from '../../api/validate/names.ts'
import { amountOf } from '../amounts.ts'
import { type Fields, fieldsOf, isFields, isPresent, itemsOf, textOf } from '../fields.ts'
import { checkFileMode, checkNoBacksteps, checkRequired, checkWord } from '../rules.ts'
import { checkProjections } from './projection-validate.ts'
import { checkDownwardFile, checkKeyPaths } from './volume-files.ts'

type Errors = readonly FieldError[]

/** Volumes by name, those without errors only: what mounts may refer to. */
export type Volumes = ReadonlyMap<string, Fields>

export function validateVolumes(
  volumes: readonly Fields[],
  field: string,
): { volumes: Volumes; errors: Errors } {
  const found = new Map<string, Fields>()
  const errors: FieldError[] = []
  volumes.forEach((volume, index) => {
    const path = `${field}[${index}]`
    const name = textOf(volume['name'])
    const wrong = [
      ...checkSource(volume, path),
      ...(name === '' ? [fieldRequired(`${path}.name`)] : checkText(dnsLabel, name, `${path}.name`)),
      ...(found.has(name) ? [fieldDuplicate(`${path}.name`, name)] : []),
    ]
    if (wrong.length === 0) found.set(name, volume)
    errors.push(...wrong)
  })
  return { volumes: found, errors }
}

function checkSource(volume: Fields, path: string): Errors {
  const sources = Object.keys(volume).filter((name) => name !== 'name' && isPresent(volume[name]))
  const [first, ...others] = sources
  if (first === undefined) return [fieldRequired(path, 'must specify a volume type')]
  const check = checks[first]
  return [
    ...(check === undefined || !isFields(volume[first])
      ? []
      : check(fieldsOf(volume[first]), `${path}.${first}`)),
    ...others.map((name) => fieldForbidden(`${path}.${name}`, 'may not specify more than 1 volume type')),
  ]
}

const hostPathTypes = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
]
const csiDriverCharactersMax = 63

const checks: Readonly<Record<string, (source: Fields, path: string) => Errors>> = {
  emptyDir: (source, path) =>
    isPresent(source['sizeLimit']) && (amountOf(source['sizeLimit']) ?? -1n) < 0n
      ? [fieldForbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')]
      : [],
  hostPath: checkHostPath,
  secret: (source, path) => [
    ...checkRequired(source['secretName'], `${path}.secretName`),
    ...checkFileMode(source['defaultMode'], `${path}.defaultMode`),
    ...checkKeyPaths(source, path),
  ],
  configMap: (source, path) => [
    ...checkRequired(source['name'], `${path}.name`),
    ...checkFileMode(source['defaultMode'], `${path}.defaultMode`),
    ...checkKeyPaths(source, path),
  ],
  downwardAPI: (source, path) => [
    ...checkFileMode(source['defaultMode'], `${path}.defaultMode`),
    // Upstream's path names the volume, not the file.
    ...itemsOf(source['items']).flatMap((file) => checkDownwardFile(file, path)),
  ],
  projected: (source, path) => [
    ...checkFileMode(source['defaultMode'], `${path}.defaultMode`),
    ...checkProjections(itemsOf(source['sources']), path),
  ],
  persistentVolumeClaim: (source, path) => checkRequired(source['claimName'], `${path}.claimName`),
  nfs: (source, path) => {
    const server = textOf(source['path'])
    return [
      ...checkRequired(source['server'], `${path}.server`),
      ...checkRequired(source['path'], `${path}.path`),
      ...(server.startsWith('/') ? [] : [fieldInvalid(`${path}.path`, server, 'must be an absolute path')]),
    ]
  },
  csi: (source, path) => {
    const driver = textOf(source['driver'])
    if (driver === '') return [fieldRequired(`${path}.driver`)]
    if (driver.length <= csiDriverCharactersMax) return []
    return [
      fieldInvalid(`${path}.driver`, driver, `must be no more than ${csiDriverCharactersMax} characters`),
    ]
  },
  ephemeral: (source, path) => checkRequired(source['volumeClaimTemplate'], `${path}.volumeClaimTemplate`),
  image: (source, path) => [
    ...checkRequired(source['reference'], `${path}.reference`),
    ...checkWord(source['pullPolicy'], ['Always', 'IfNotPresent', 'Never'], `${path}.pullPolicy`),
  ],
}

function checkHostPath(source: Fields, path: string): Errors {
  const target = textOf(source['path'])
  if (target === '') return [fieldRequired(`${path}.path`)]
  const type = textOf(source['type'])
  return [
    ...checkNoBacksteps(target, `${path}.path`),
    ...(type === '' ? [] : checkWord(type, hostPathTypes, `${path}.type`)),
  ]
}
