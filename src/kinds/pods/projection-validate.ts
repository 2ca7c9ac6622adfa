// The rules for projected volumes: several sources in one folder, no file twice.
// Upstream: validateProjectionSources.

import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { type Fields, fieldsOf, isPresent, itemsOf, numberOf, textOf } from '../fields.ts'
import { checkFilePath, checkRequired, checkWord } from '../rules.ts'
import { checkDownwardFile, checkKeyPaths } from './volume-files.ts'

type Errors = readonly FieldError[]

const kinds = [
  'secret',
  'configMap',
  'downwardAPI',
  'serviceAccountToken',
  'clusterTrustBundle',
  'podCertificate',
]
const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519']
const tokenSecondsMin = 600
const tokenSecondsMax = 2 ** 32

export function checkProjections(sources: readonly Fields[], field: string): Errors {
  const paths = new Set<string>()
  return sources.flatMap((source, index) => {
    const path = `${field}.sources[${index}]`
    const given = kinds.filter((kind) => isPresent(source[kind]))
    return [
      ...given.flatMap((kind) => checkProjection(kind, fieldsOf(source[kind]), field, `${path}.${kind}`)),
      ...given.flatMap((kind) => checkTwice(kind, fieldsOf(source[kind]), paths, field)),
      ...(given.length > 1
        ? [fieldForbidden(path, 'may not specify more than 1 volume type per source')]
        : []),
    ]
  })
}

function checkProjection(kind: string, source: Fields, field: string, path: string): Errors {
  switch (kind) {
    case 'secret':
    case 'configMap':
      return [...checkRequired(source['name'], `${path}.name`), ...checkKeyPaths(source, path)]
    case 'downwardAPI':
      return itemsOf(source['items']).flatMap((file) => checkDownwardFile(file, path))
    case 'serviceAccountToken':
      return checkToken(source, field, path)
    case 'clusterTrustBundle':
      return checkTrustBundle(source, path)
    default:
      return checkWord(source['keyType'], keyTypes, `${path}.keyType`)
  }
}

function checkToken(source: Fields, field: string, path: string): Errors {
  const seconds = numberOf(source['expirationSeconds'])
  const filePath = textOf(source['path'])
  const wrong = (detail: string) => [fieldInvalid(`${path}.expirationSeconds`, seconds, detail)]
  return [
    ...(seconds < tokenSecondsMin ? wrong('may not specify a duration less than 10 minutes') : []),
    ...(seconds > tokenSecondsMax ? wrong('may not specify a duration larger than 2^32 seconds') : []),
    ...(filePath === '' ? [fieldRequired(`${field}.path`)] : checkFilePath(filePath, `${field}.path`)),
  ]
}

function checkTrustBundle(source: Fields, path: string): Errors {
  const hasName = isPresent(source['name'])
  const hasSigner = isPresent(source['signerName'])
  const errors: FieldError[] = []
  if (hasName && hasSigner)
    errors.push(fieldInvalid(path, source, 'only one of name and signerName may be used'))
  if (!hasName && !hasSigner) errors.push(fieldRequired(path, 'either name or signerName must be specified'))
  return [
    ...errors,
    ...checkRequired(source['path'], `${path}.path`),
    ...checkFilePath(textOf(source['path']), `${path}.path`),
  ]
}

function checkTwice(kind: string, source: Fields, seen: Set<string>, field: string): Errors {
  const files = kind === 'clusterTrustBundle' ? [source] : itemsOf(source['items'])
  const errors: FieldError[] = []
  for (const file of files) {
    const path = textOf(file['path'])
    if (path === '') continue
    const shown = kind === 'secret' || kind === 'configMap' ? textOf(source['name']) : path
    if (seen.has(path)) errors.push(fieldInvalid(field, shown, 'conflicting duplicate paths'))
    seen.add(path)
  }
  return errors
}
