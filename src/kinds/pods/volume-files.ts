// The rules for single files in a volume: keys of ConfigMaps and Secrets, and what the downward API writes.
// Whole volumes are volume-validate.ts's.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../fields.ts'
import { checkFileMode, checkFilePath, checkRequired } from '../rules.ts'
import { checkFieldReference, checkResourceReference, volumeFieldPaths } from './downward.ts'

type Errors = readonly FieldError[]

export function checkKeyPaths(source: Fields, path: string): Errors {
  return itemsOf(source['items']).flatMap((item, index) => {
    const itemPath = `${path}.items[${index}]`
    return [
      ...checkRequired(item['key'], `${itemPath}.key`),
      ...checkRequired(item['path'], `${itemPath}.path`),
      ...checkFilePath(textOf(item['path']), `${itemPath}.path`),
      ...checkFileMode(item['mode'], `${itemPath}.mode`),
    ]
  })
}

export function checkDownwardFile(file: Fields, path: string): Errors {
  return [
    ...checkRequired(file['path'], `${path}.path`),
    ...checkFilePath(textOf(file['path']), `${path}.path`),
    ...checkDownwardSource(file['fieldRef'], file['resourceFieldRef'], path),
    ...checkFileMode(file['mode'], `${path}.mode`),
  ]
}

function checkDownwardSource(fieldRef: unknown, resourceFieldRef: unknown, path: string): Errors {
  if (isPresent(fieldRef)) {
    const errors = checkFieldReference(fieldsOf(fieldRef), volumeFieldPaths, `${path}.fieldRef`)
    if (!isPresent(resourceFieldRef)) return errors
    const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously'
    return [...errors, fieldInvalid(path, 'resource', detail)]
  }
  if (isPresent(resourceFieldRef)) {
    return checkResourceReference(fieldsOf(resourceFieldRef), `${path}.resourceFieldRef`, { isVolume: true })
  }
  return [fieldRequired(path, 'one of fieldRef and resourceFieldRef is required')]
}
