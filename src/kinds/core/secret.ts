// Secrets: base64 values under keys, with keys that their type demands.
// Encryption at rest is the store's owner's work.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldRequired, fieldTooLong } from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { type Fields, fieldsOf, textOf } from '../fields.ts'
import { drop, fill, pipe } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { base64Bytes, checkImmutable, checkKeys, dataBytesMax } from './data-keys.ts'

export const secret: Kind = defineKind({
  kind: 'Secret',
  plural: 'secrets',
  columns: [nameColumn, text('Type'), text('Data'), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    textOf(object['type']),
    Object.keys(fieldsOf(object['data'])).length,
    ageOf(object, now),
  ],
  selectableFields: { type: (object) => textOf(object['type']) },
  defaults: (object) => pipe(object, encodeStringData, (encoded) => fill(encoded, { type: 'Opaque' })),
  validate: (object) => [
    ...checkKeys(object, 'data'),
    ...(base64Bytes(object['data']) > dataBytesMax ? [fieldTooLong('data', dataBytesMax)] : []),
    ...checkType(object),
  ],
  validateChange: (object, old) => [
    ...immutableField('type', object['type'], old['type']),
    ...checkImmutable(object, old, ['data']),
  ],
})

/** `stringData` is for writing only: it wins over `data` and is never stored. */
function encodeStringData(object: KubeObject): KubeObject {
  if (!('stringData' in object)) return object
  const texts = Object.entries(fieldsOf(object['stringData']))
  const encoded = texts.map(([key, value]) => [key, Buffer.from(textOf(value)).toString('base64')])
  const rest = drop(object, 'stringData')
  if (encoded.length === 0) return rest
  return { ...rest, data: { ...fieldsOf(object['data']), ...Object.fromEntries(encoded) } }
}

const serviceAccountName = 'kubernetes.io/service-account.name'

function checkType(object: KubeObject): readonly FieldError[] {
  const data = fieldsOf(object['data'])
  const missing = (...keys: readonly string[]) =>
    keys.filter((key) => !(key in data)).map((key) => fieldRequired(`data[${key}]`))
  switch (object['type']) {
    case 'kubernetes.io/service-account-token':
      return (object.metadata.annotations?.[serviceAccountName] ?? '') === ''
        ? [fieldRequired(`metadata.annotations[${serviceAccountName}]`)]
        : []
    case 'kubernetes.io/dockercfg':
      return checkJson(data, '.dockercfg')
    case 'kubernetes.io/dockerconfigjson':
      return checkJson(data, '.dockerconfigjson')
    case 'kubernetes.io/basic-auth':
      return 'username' in data || 'password' in data ? [] : missing('username', 'password')
    case 'kubernetes.io/ssh-auth':
      return textOf(data['ssh-privatekey']) === '' ? [fieldRequired('data[ssh-privatekey]')] : []
    case 'kubernetes.io/tls':
      return missing('tls.crt', 'tls.key')
    default:
      return []
  }
}

function checkJson(data: Fields, key: string): readonly FieldError[] {
  if (!(key in data)) return [fieldRequired(`data[${key}]`)]
  try {
    const parsed: unknown = JSON.parse(Buffer.from(textOf(data[key]), 'base64').toString())
    if (typeof parsed === 'object' && !Array.isArray(parsed)) return []
    return [fieldInvalid(`data[${key}]`, '<secret contents redacted>', 'must be a JSON object')]
  } catch {
    // The parser's own text would quote the secret.
    return [fieldInvalid(`data[${key}]`, '<secret contents redacted>', 'must be valid JSON')]
  }
}
