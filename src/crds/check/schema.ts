// Whether the schema of one CRD version may be used: bounds first, then structure, defaults and keywords.
// The rest of a CRD is definition/check.ts's.

import { type FieldError, fieldForbidden, fieldInvalid } from '../../api/status.ts'
import { checkExpressions } from '../rules/check.ts'
import { rootSchema } from '../structural.ts'
import { checkDefaults } from './defaults.ts'
import { checkOpenApi } from './keywords.ts'
import { type Props, readProps } from './props.ts'
import { checkStructure } from './structure.ts'

/** The errors of `schema.openAPIV3Schema`, whose path is given; an empty answer means that objects can be served. */
export function checkStructural(
  raw: unknown,
  { path, hasStatus }: { readonly path: string; readonly hasStatus: boolean },
): readonly FieldError[] {
  const { props, errors: unreadable } = readProps(raw, path)
  if (unreadable.length > 0) return unreadable
  const root = checkRoot(props, path, hasStatus)
  const openApi = checkOpenApi(props, path)
  // What cannot be said at all is told before what it would mean.
  if (openApi.some((error) => error.message.endsWith('is not supported'))) return [...root, ...openApi]
  const structure = checkStructure(props, path)
  const defaults = structure.length > 0 ? [] : checkDefaults(props, path)
  const errors = [...root, ...structure, ...defaults, ...openApi]
  // Rules are compiled against a schema that is right.
  const rules = errors.length > 0 ? [] : checkExpressions(rootSchema(props), path)
  return [...errors, ...rules].slice(0, errorsMax)
}

const errorsMax = 100

/** With a status subresource the status is validated alone, so the root may not say anything that would get lost. */
const rootKeywords = {
  description: 'Description',
  type: 'Type',
  format: 'Format',
  title: 'Title',
  maximum: 'Maximum',
  exclusiveMaximum: 'ExclusiveMaximum',
  minimum: 'Minimum',
  exclusiveMinimum: 'ExclusiveMinimum',
  maxLength: 'MaxLength',
  minLength: 'MinLength',
  pattern: 'Pattern',
  maxItems: 'MaxItems',
  minItems: 'MinItems',
  uniqueItems: 'UniqueItems',
  multipleOf: 'MultipleOf',
  required: 'Required',
  items: 'Items',
  properties: 'Properties',
  externalDocs: 'ExternalDocs',
  example: 'Example',
  'x-kubernetes-preserve-unknown-fields': 'XPreserveUnknownFields',
  'x-kubernetes-validations': 'XValidations',
} as const

function checkRoot(props: Props, path: string, hasStatus: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  const strays = Object.entries(props)
    .filter(([keyword, value]) => !Object.hasOwn(rootKeywords, keyword) && value !== false)
    .map(([keyword]) => keyword)
  if (hasStatus && strays.length > 0) {
    const names = Object.values(rootKeywords).join(' ')
    const text = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`
    errors.push(fieldInvalid(path, Object.fromEntries(strays.map((keyword) => [keyword, '…'])), text))
  }
  if (hasStatus && props.type !== undefined && props.type !== '' && props.type !== 'object') {
    const text =
      'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
    errors.push(fieldInvalid(`${path}.type`, props.type, text))
  }
  if (props.nullable === true)
    errors.push(fieldForbidden(`${path}.nullable`, 'nullable cannot be true at the root'))
  return errors
}
