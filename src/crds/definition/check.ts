// What the schema machinery asks of a CustomResourceDefinition before it is stored: its versions' schemas and paths.
// Names, columns and the like are checked by the kind itself, in kinds/apiextensions.

import type { KubeObject } from '../../api/object.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../../api/status.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, textOf } from '../../kinds/fields.ts'
import { readProps } from '../check/props.ts'
import { checkStructural } from '../check/schema.ts'
import { sameJson } from '../copy.ts'
import { structuralSchema } from '../structural.ts'

/** More versions than anybody has; discovery lists each. */
const versionsMax = 100

/** Of an update only what changed is looked at: what came in under older rules can still be changed and deleted. */
export function checkDefinition(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  const spec = fieldsOf(object['spec'])
  if (old !== undefined && sameJson(spec, old['spec'])) return []
  const versions = itemsOf(spec['versions'])
  if (versions.length > versionsMax) return [fieldTooMany('spec.versions', versions.length, versionsMax)]
  const before = new Map(
    itemsOf(at(old, 'spec', 'versions')).map((version) => [textOf(version['name']), version]),
  )
  return [
    ...versions.flatMap((version, index) =>
      checkVersion(version, `spec.versions[${index}]`, before.get(textOf(version['name']))),
    ),
    ...checkConversion(spec, versions),
  ]
}

/** Schemas that nobody may walk: too deep, too large, or no schemas at all. To be asked before anything else. */
export function checkShape(object: KubeObject, old: KubeObject | undefined): readonly FieldError[] {
  if (old !== undefined && sameJson(object['spec'], old['spec'])) return []
  return itemsOf(at(object, 'spec', 'versions')).flatMap((version, index) => {
    const schema = at(version, 'schema', 'openAPIV3Schema')
    return isPresent(schema) ? readProps(schema, `spec.versions[${index}].schema.openAPIV3Schema`).errors : []
  })
}

function checkVersion(version: Fields, path: string, before: Fields | undefined): readonly FieldError[] {
  const isSame = (field: string): boolean => before !== undefined && sameJson(before[field], version[field])
  const hasStatus = isPresent(at(version, 'subresources', 'status'))
  return [
    ...(isSame('schema') && isSame('subresources') ? [] : checkSchema(version, path, hasStatus)),
    ...(isSame('schema') && isSame('selectableFields')
      ? []
      : checkSelectableFields(version, `${path}.selectableFields`)),
  ]
}

function checkSchema(version: Fields, path: string, hasStatus: boolean): readonly FieldError[] {
  const field = `${path}.schema.openAPIV3Schema`
  const schema = at(version, 'schema', 'openAPIV3Schema')
  return isPresent(schema) ? checkStructural(schema, { path: field, hasStatus }) : [fieldRequired(field)]
}

function checkConversion(spec: Fields, versions: readonly Fields[]): readonly FieldError[] {
  // With a single version there is nothing to convert and so no webhook to call.
  const isCalled = at(spec, 'conversion', 'strategy') === 'Webhook' && versions.length > 1
  return isCalled ? [fieldNotSupported('spec.conversion.strategy', 'Webhook', ['None'])] : []
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
    const place = `${path}[${index}].jsonPath`
    const jsonPath = textOf(field['jsonPath'])
    if (jsonPath === '') return [fieldRequired(place)]
    const [empty, ...steps] = jsonPath.split('.')
    const found = steps.reduce<typeof schema | undefined>(
      (node, step) => node?.properties?.get(step) ?? node?.additionalProperties,
      schema,
    )
    if (empty !== '' || found === undefined)
      return [fieldInvalid(place, jsonPath, 'is an invalid path: does not refer to a valid field')]
    if (steps[0] === 'metadata')
      return [fieldInvalid(place, jsonPath, 'must not point to fields in metadata')]
    if (!selectableTypes.includes(found.type)) return [fieldInvalid(place, jsonPath, selectableText)]
    if (seen.has(jsonPath)) return [fieldDuplicate(place, jsonPath)]
    seen.add(jsonPath)
    return []
  })
  return seen.size > selectableFieldsMax
    ? [...errors, fieldTooMany(path, seen.size, selectableFieldsMax)]
    : errors
}
