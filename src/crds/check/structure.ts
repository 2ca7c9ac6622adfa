// A structural schema: every value has one type, and what junctors say about a field is also said outside of them.
// Upstream: apiextensions-apiserver schema/validation.go and complete.go. Keywords are check/keywords.ts's.

import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { sameJson } from '../copy.ts'
import { patternProblem } from '../formats/patterns.ts'
import { additionalOf, itemsOf, type Props } from './props.ts'

const levels = ['root', 'item', 'field'] as const
type Level = (typeof levels)[number]

/** In the order of their texts, so that the answer is the same each time. */
export function checkStructure(props: Props, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  checkNode(props, 'root', path, errors)
  for (const [keyword, inner] of junctors(props)) {
    errors.push(...checkComplete(inner, props, { structure: path, value: `${path}.${keyword}` }))
  }
  const text = ({ field, message }: FieldError) => `${field}: ${message}`
  return errors.sort((left, right) => (text(left) < text(right) ? -1 : text(left) > text(right) ? 1 : 0))
}

const isIntOrString = (props: Props): boolean => props['x-kubernetes-int-or-string'] === true
const isPreserving = (props: Props): boolean => props['x-kubernetes-preserve-unknown-fields'] === true
const isEmbedded = (props: Props): boolean => props['x-kubernetes-embedded-resource'] === true

function checkNode(props: Props, level: Level, path: string, errors: FieldError[]): void {
  const items = itemsOf(props)
  if (props.type === 'array' && items === undefined)
    errors.push(fieldRequired(`${path}.items`, 'must be specified'))
  if (items !== undefined) checkNode(items, 'item', `${path}.items`, errors)
  for (const [name, inner] of Object.entries(props.properties ?? {})) {
    checkNode(inner, 'field', `${path}.properties[${name}]`, errors)
  }
  if (props.additionalProperties !== undefined) {
    const field = `${path}.additionalProperties`
    if (level === 'root') errors.push(fieldForbidden(field, 'must not be used at the root'))
    const additional = additionalOf(props)
    if (additional !== undefined) checkNode(additional, 'field', field, errors)
  }
  checkExtensions(props, path, errors)
  checkJunctors(
    props,
    { path, skipAnyOf: isAlternative(props.anyOf), skipAllOfAnyOf: isWrapped(props) },
    errors,
  )
  checkOwnType(props, level, path, errors)
  checkMetaFields(props, level, path, errors)
}

function checkExtensions(props: Props, path: string, errors: FieldError[]): void {
  if (!isIntOrString(props)) return
  for (const keyword of ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const) {
    if (props[keyword] === true)
      errors.push(
        fieldInvalid(`${path}.${keyword}`, true, 'must be false if x-kubernetes-int-or-string is true'),
      )
  }
}

const intOrString: readonly Props[] = [{ type: 'integer' }, { type: 'string' }]

/** `anyOf: [integer, string]` is let through beside int-or-string, though it names types in a junctor. */
function isAlternative(anyOf: readonly Props[] | undefined): boolean {
  return anyOf !== undefined && sameJson(anyOf, intOrString)
}

const isWrapped = (props: Props): boolean => isAlternative(props.allOf?.[0]?.anyOf)

const emptyTypeTexts: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function checkOwnType(props: Props, level: Level, path: string, errors: FieldError[]): void {
  const { type = '' } = props
  const field = `${path}.type`
  if (isEmbedded(props) && type !== 'object') {
    const text = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? fieldRequired(field, text) : fieldInvalid(field, type, text))
  } else if (type === '' && !isIntOrString(props) && !isPreserving(props)) {
    errors.push(fieldRequired(field, emptyTypeTexts[level]))
  }
  if (isEmbedded(props) && props.additionalProperties !== undefined) {
    const text = 'must not be used if x-kubernetes-embedded-resource is set'
    errors.push(fieldForbidden(`${path}.additionalProperties`, text))
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(fieldInvalid(field, type, 'must be object at the root'))
}

function checkMetaFields(props: Props, level: Level, path: string, errors: FieldError[]): void {
  const hasMeta = level === 'root' || isEmbedded(props)
  const { properties = {} } = props
  for (const name of hasMeta ? ['kind', 'apiVersion'] : []) {
    const inner = ownProperty(properties, name)
    if (inner !== undefined && inner.type !== 'string')
      errors.push(fieldInvalid(`${path}.properties[${name}].type`, inner.type ?? '', 'must be string'))
  }
  const metadata = ownProperty(properties, 'metadata')
  const field = `${path}.properties[metadata]`
  if (metadata !== undefined) {
    if (hasMeta && metadata.type !== 'object')
      errors.push(fieldInvalid(`${field}.type`, metadata.type ?? '', 'must be object'))
    if (level === 'root' && !isPlainMetadata(metadata)) {
      const text =
        'must not specify anything other than name and generateName, but metadata is implicitly specified'
      errors.push(fieldForbidden(field, text))
    }
  }
  if (isEmbedded(props) && !isPreserving(props) && Object.keys(properties).length === 0) {
    const text =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(fieldRequired(`${path}.properties`, text))
  }
}

const ownProperty = (properties: Readonly<Record<string, Props>>, name: string): Props | undefined =>
  Object.hasOwn(properties, name) ? properties[name] : undefined

function isPlainMetadata({ type: _, default: __, properties = {}, ...rest }: Props): boolean {
  const isNarrow = Object.keys(properties).every((name) => name === 'name' || name === 'generateName')
  return isNarrow && Object.keys(rest).length === 0
}

interface JunctorPlace {
  readonly path: string
  readonly skipAnyOf: boolean
  readonly skipAllOfAnyOf: boolean
}

function checkJunctors(
  props: Props,
  { path, skipAnyOf, skipAllOfAnyOf }: JunctorPlace,
  errors: FieldError[],
): void {
  for (const [keyword, inner] of junctors(props)) {
    if (keyword.startsWith('anyOf') && skipAnyOf) continue
    checkNested(
      inner,
      { path: `${path}.${keyword}`, skipAnyOf: keyword === 'allOf[0]' && skipAllOfAnyOf },
      errors,
    )
  }
  const problem =
    props.pattern === undefined || props.pattern === '' ? undefined : patternProblem(props.pattern)
  if (problem !== undefined) {
    const text = `must be a valid regular expression, but isn't: ${problem}`
    errors.push(fieldInvalid(`${path}.pattern`, props.pattern, text))
  }
}

function junctors(props: Props): readonly (readonly [string, Props])[] {
  const listed = (['anyOf', 'allOf', 'oneOf'] as const).flatMap((keyword) =>
    (props[keyword] ?? []).map((inner, index) => [`${keyword}[${index}]`, inner] as const),
  )
  return props.not === undefined ? listed : [...listed, ['not', props.not]]
}

const forbidden: readonly (readonly [keyof Props, string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-map-keys', 'must be empty to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
]

/** Inside allOf, anyOf, oneOf and not: rules for values only. */
function checkNested(
  props: Props,
  { path, skipAnyOf }: { readonly path: string; readonly skipAnyOf: boolean },
  errors: FieldError[],
): void {
  checkJunctors(props, { path, skipAnyOf, skipAllOfAnyOf: false }, errors)
  const items = itemsOf(props)
  if (items !== undefined) checkNested(items, { path: `${path}.items`, skipAnyOf: false }, errors)
  for (const [name, inner] of Object.entries(props.properties ?? {})) {
    checkNested(inner, { path: `${path}.properties[${name}]`, skipAnyOf: false }, errors)
  }
  for (const [keyword, text] of forbidden) {
    if (isSaid(props[keyword])) errors.push(fieldForbidden(`${path}.${keyword}`, text))
  }
  if (ownProperty(props.properties ?? {}, 'metadata') !== undefined)
    errors.push(fieldForbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'))
}

function isSaid(value: unknown): boolean {
  return (
    value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)
  )
}

interface Paths {
  readonly structure: string
  readonly value: string
}

/** Fields and items that a junctor speaks of must be described outside of it. */
function checkComplete(nested: Props, structure: Props | undefined, paths: Paths): readonly FieldError[] {
  if (structure === undefined)
    return [fieldRequired(paths.structure, `because it is defined in ${paths.value}`)]
  const below = (step: string): Paths => ({
    structure: `${paths.structure}${step}`,
    value: `${paths.value}${step}`,
  })
  const items = itemsOf(nested)
  return [
    ...junctors(nested).flatMap(([keyword, inner]) =>
      checkComplete(inner, structure, { ...paths, value: `${paths.value}.${keyword}` }),
    ),
    ...(items === undefined ? [] : checkComplete(items, itemsOf(structure), below('.items'))),
    ...Object.entries(nested.properties ?? {}).flatMap(([name, inner]) =>
      checkComplete(inner, ownProperty(structure.properties ?? {}, name), below(`.properties[${name}]`)),
    ),
  ]
}
