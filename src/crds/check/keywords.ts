// Which keywords of JSON Schema a CRD may use, and how the keywords of Kubernetes go together.
// Upstream: apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema. Structure is check/structure.ts's.

import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { isFields } from '../../kinds/fields.ts'
import { checkListKeywords } from './lists.ts'
import { additionalOf, itemsOf, type Props } from './props.ts'
import { checkRules } from './rules.ts'

interface Context {
  readonly isRoot: boolean
  /** Inside of metadata, of the root or of an embedded resource. */
  readonly isInMeta: boolean
  /** Why no default may stand here; undefined where it may. */
  readonly noDefaults: string | undefined
}

export function checkOpenApi(props: Props, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  check(props, path, { isRoot: true, isInMeta: false, noDefaults: undefined }, errors)
  return errors
}

function check(props: Props, path: string, context: Context, errors: FieldError[]): void {
  checkKeywords(props, path, context, errors)
  if (props.uniqueItems === true) {
    const text = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'
    errors.push(fieldForbidden(`${path}.uniqueItems`, text))
  }
  const inner: Context = { ...context, isRoot: false }
  checkAdditional(props, path, inner, errors)
  for (const [name, property] of Object.entries(props.properties ?? {})) {
    check(property, `${path}.properties[${name}]`, propertyContext(props, name, context), errors)
  }
  for (const [step, nested] of nestedOf(props)) check(nested, `${path}.${step}`, inner, errors)
  if (props['x-kubernetes-preserve-unknown-fields'] === false) {
    errors.push(
      fieldInvalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'),
    )
  }
  checkMapType(props, path, errors)
  errors.push(...checkListKeywords(props, path))
  errors.push(...checkRules(props, path))
}

const metaFields: readonly string[] = ['metadata', 'kind', 'apiVersion']

function propertyContext(props: Props, name: string, context: Context): Context {
  const { isRoot } = context
  const isMeta = metaFields.includes(name) && (isRoot || props['x-kubernetes-embedded-resource'] === true)
  if (!isMeta) return { ...context, isRoot: false }
  return { isRoot: false, isInMeta: true, noDefaults: isRoot ? `in top-level ${name}` : context.noDefaults }
}

/** Every other keyword that holds schemas. */
function* nestedOf(props: Props): Generator<readonly [string, Props]> {
  if (props.not !== undefined) yield ['not', props.not]
  for (const keyword of ['allOf', 'oneOf', 'anyOf'] as const) {
    for (const [index, inner] of (props[keyword] ?? []).entries()) yield [`${keyword}[${index}]`, inner]
  }
  const items = itemsOf(props)
  if (items !== undefined) yield ['items', items]
}

function checkAdditional(props: Props, path: string, context: Context, errors: FieldError[]): void {
  if (props.additionalProperties === undefined) return
  const field = `${path}.additionalProperties`
  if (Object.keys(props.properties ?? {}).length > 0 && props.additionalProperties !== true) {
    errors.push(fieldForbidden(field, 'additionalProperties and properties are mutual exclusive'))
  }
  const additional = additionalOf(props)
  if (additional === undefined) return
  const noDefaults = context.isInMeta
    ? 'inside additionalProperties applying to object metadata'
    : context.noDefaults
  check(additional, field, { ...context, noDefaults }, errors)
}

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string']

const refused: readonly (readonly [keyof Props, string])[] = [
  ['id', 'id is not supported'],
  ['additionalItems', 'additionalItems is not supported'],
  ['patternProperties', 'patternProperties is not supported'],
  ['definitions', 'definitions is not supported'],
  ['dependencies', 'dependencies is not supported'],
  ['$ref', '$ref is not supported'],
]

function checkKeywords(props: Props, path: string, context: Context, errors: FieldError[]): void {
  const { type = '' } = props
  if (type !== '' && !types.includes(type)) errors.push(fieldNotSupported(`${path}.type`, type, types))
  if (props.default !== undefined && context.noDefaults !== undefined)
    errors.push(fieldForbidden(`${path}.default`, `must not be set ${context.noDefaults}`))
  for (const [keyword, text] of refused) {
    if (isSaid(props, keyword)) errors.push(fieldForbidden(`${path}.${keyword}`, text))
  }
  if (type === 'null')
    errors.push(fieldForbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'))
  if (Array.isArray(props.items) && props.items.length > 0)
    errors.push(fieldForbidden(`${path}.items`, 'items must be a schema object and not an array'))
  if (context.isInMeta && props['x-kubernetes-embedded-resource'] === true)
    errors.push(
      fieldForbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'),
    )
}

/** Empty maps and texts count as absent, as in Go; the two keywords that are pointers there do not. */
function isSaid(props: Props, keyword: keyof Props): boolean {
  const value: unknown = props[keyword]
  if (value === undefined || value === '') return false
  if (keyword === 'additionalItems' || keyword === 'dependencies') return true
  return !isFields(value) || Object.keys(value).length > 0
}

function checkMapType(props: Props, path: string, errors: FieldError[]): void {
  const mapType = props['x-kubernetes-map-type']
  if (mapType === undefined) return
  const { type = '' } = props
  const text = 'must be object if x-kubernetes-map-type is specified'
  if (type === '') errors.push(fieldRequired(`${path}.type`, text))
  else if (type !== 'object') errors.push(fieldInvalid(`${path}.type`, type, text))
  const known = ['atomic', 'granular']
  if (!known.includes(mapType))
    errors.push(fieldNotSupported(`${path}.x-kubernetes-map-type`, mapType, known))
}
