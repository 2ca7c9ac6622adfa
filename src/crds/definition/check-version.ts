// One version of a CRD: its schema, subresources, printer columns, selectable fields and deprecation.
// Upstream: apiextensions/validation validateCustomResourceDefinitionVersion.

import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../../kinds/fields.ts'
import { readProps } from '../check/props.ts'
import { checkStructural } from '../check/schema.ts'
import { sameJson } from '../copy.ts'
import { compileJsonPath } from '../json-path.ts'
import { structuralSchema } from '../structural.ts'

/** `before` is the version of that name as it was; its parts that did not change are not looked at again. */
export function checkVersion(
  version: Fields,
  path: string,
  before: Fields | undefined,
): readonly FieldError[] {
  const subresources = fieldsOf(version['subresources'])
  const hasStatus = isPresent(subresources['status'])
  const columns = itemsOf(version['additionalPrinterColumns'])
  return [
    ...checkDeprecation(version, path),
    ...(before !== undefined && sameJson(before['schema'], version['schema'])
      ? []
      : checkSchema(version, path, hasStatus)),
    ...(isPresent(subresources['scale'])
      ? checkScalePaths(fieldsOf(subresources['scale']), `${path}.subresources.scale`)
      : []),
    ...columns.flatMap((column, index) => checkColumn(column, `${path}.additionalPrinterColumns[${index}]`)),
    ...checkSelectableFields(version, `${path}.selectableFields`),
  ]
}

function checkSchema(version: Fields, path: string, hasStatus: boolean): readonly FieldError[] {
  const field = `${path}.schema.openAPIV3Schema`
  const schema = at(version, 'schema', 'openAPIV3Schema')
  return isPresent(schema) ? checkStructural(schema, { path: field, hasStatus }) : [fieldRequired(field)]
}

function checkDeprecation(version: Fields, path: string): readonly FieldError[] {
  const warning = version['deprecationWarning']
  if (typeof warning !== 'string') return []
  const wrong = (text: string) => [fieldInvalid(`${path}.deprecationWarning`, warning, text)]
  if (version['deprecated'] !== true) return wrong('can only be set for deprecated versions')
  if (warning === '') return wrong('must not be an empty string')
  const hidden = [...warning].findIndex((character) => !/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character))
  return [
    ...(Buffer.byteLength(warning) > 256 ? wrong('must be <= 256 characters long') : []),
    ...(hidden === -1
      ? []
      : wrong(
          `must only contain printable UTF-8 characters; non-printable character found at index ${hidden}`,
        )),
  ]
}

function checkScalePaths(scale: Fields, path: string): readonly FieldError[] {
  const labelSelector = textOf(scale['labelSelectorPath'])
  return [
    ...checkReplicasPath(textOf(scale['specReplicasPath']), `${path}.specReplicasPath`, 'spec'),
    ...checkReplicasPath(textOf(scale['statusReplicasPath']), `${path}.statusReplicasPath`, 'status'),
    ...(labelSelector === '' ? [] : checkSelectorPath(labelSelector, `${path}.labelSelectorPath`)),
  ]
}

function checkReplicasPath(jsonPath: string, field: string, root: string): readonly FieldError[] {
  if (jsonPath === '') return [fieldRequired(field)]
  const errors = checkSimplePath(jsonPath, field)
  if (errors.length > 0) return errors
  return jsonPath.startsWith(`.${root}.`)
    ? []
    : [fieldInvalid(field, jsonPath, `should be a json path under .${root}`)]
}

function checkSelectorPath(jsonPath: string, field: string): readonly FieldError[] {
  const errors = checkSimplePath(jsonPath, field)
  if (errors.length > 0 || jsonPath.startsWith('.spec.') || jsonPath.startsWith('.status.')) return errors
  return [fieldInvalid(field, jsonPath, 'should be a json path under either .spec or .status')]
}

function checkSimplePath(jsonPath: string, field: string): readonly FieldError[] {
  return jsonPath.startsWith('.')
    ? []
    : [fieldInvalid(field, jsonPath, 'must be a simple json path starting with .')]
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function checkColumn(column: Fields, path: string): readonly FieldError[] {
  const type = textOf(column['type'])
  const format = textOf(column['format'])
  const jsonPath = textOf(column['jsonPath'])
  const oneOf = (words: readonly string[]): string => `must be one of ${words.join(',')}`
  const field = `${path}.jsonPath`
  return [
    ...(textOf(column['name']) === '' ? [fieldRequired(`${path}.name`)] : []),
    ...(type === ''
      ? [fieldRequired(`${path}.type`, oneOf(columnTypes))]
      : columnTypes.includes(type)
        ? []
        : [fieldInvalid(`${path}.type`, type, oneOf(columnTypes))]),
    ...(format === '' || columnFormats.includes(format)
      ? []
      : [fieldInvalid(`${path}.format`, format, oneOf(columnFormats))]),
    ...(jsonPath === '' ? [fieldRequired(field)] : checkSimplePath(jsonPath, field)),
  ]
}

const selectableFieldsMax = 8
const selectableTypes = ['string', 'boolean', 'integer']
const selectableText =
  'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'

function checkSelectableFields(version: Fields, path: string): readonly FieldError[] {
  const fields = itemsOf(version['selectableFields'])
  if (fields.length === 0) return []
  const { props } = readProps(at(version, 'schema', 'openAPIV3Schema') ?? {}, path)
  const schema = structuralSchema(props)
  const seen = new Set<string>()
  const errors = fields.flatMap((field, index): readonly FieldError[] => {
    const at = `${path}[${index}].jsonPath`
    const jsonPath = textOf(field['jsonPath'])
    if (jsonPath === '') return [fieldRequired(at)]
    const [empty, ...steps] = jsonPath.split('.')
    const found = steps.reduce<typeof schema | undefined>(
      (node, step) => node?.properties?.get(step) ?? node?.additionalProperties,
      schema,
    )
    if (empty !== '' || compileJsonPath(jsonPath) === undefined || found === undefined)
      return [fieldInvalid(at, jsonPath, 'is an invalid path: does not refer to a valid field')]
    if (steps[0] === 'metadata') return [fieldInvalid(at, jsonPath, 'must not point to fields in metadata')]
    if (!selectableTypes.includes(found.type)) return [fieldInvalid(at, jsonPath, selectableText)]
    if (seen.has(jsonPath)) return [fieldDuplicate(at, jsonPath)]
    seen.add(jsonPath)
    return []
  })
  return seen.size > selectableFieldsMax
    ? [...errors, fieldTooMany(path, seen.size, selectableFieldsMax)]
    : errors
}
