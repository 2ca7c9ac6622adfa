// How x-kubernetes-list-type, its map keys and the schema of the items go together.
// Upstream: apiextensions/validation. The other keywords are check/keywords.ts's.

import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { itemsOf, type Props } from './props.ts'

const listTypes = ['atomic', 'set', 'map']
const listTypeKeyword = 'x-kubernetes-list-type'
const mapKeysKeyword = 'x-kubernetes-list-map-keys'

export function checkListKeywords(props: Props, path: string): readonly FieldError[] {
  const listType = props[listTypeKeyword]
  const keys = props[mapKeysKeyword] ?? []
  const errors: FieldError[] = []
  if (listType === undefined) {
    if (keys.length === 0) return []
    return [fieldRequired(`${path}.${listTypeKeyword}`, `must be map if ${mapKeysKeyword} is non-empty`)]
  }
  errors.push(...checkType(props, listType, path))
  if (!listTypes.includes(listType))
    errors.push(fieldNotSupported(`${path}.${listTypeKeyword}`, listType, listTypes))
  if (keys.length > 0 && listType !== 'map')
    errors.push(
      fieldInvalid(`${path}.${listTypeKeyword}`, listType, `must be map if ${mapKeysKeyword} is non-empty`),
    )
  if (listType === 'map') errors.push(...checkMap(props, keys, path))
  if (listType === 'map' || listType === 'set') errors.push(...checkNullable(props, listType, path))
  if (listType === 'map') errors.push(...checkKeysGiven(itemsOf(props), keys, path))
  return errors
}

function checkType(props: Props, listType: string, path: string): readonly FieldError[] {
  const { type = '' } = props
  const text = `must be array if ${listTypeKeyword} is specified`
  if (type === '') return [fieldRequired(`${path}.type`, text)]
  if (type !== 'array') return [fieldInvalid(`${path}.type`, type, text)]
  return listType === 'set' ? checkSetItems(itemsOf(props), path) : []
}

/** Elements of a set are compared whole, so they must be atomic. */
function checkSetItems(items: Props | undefined, path: string): readonly FieldError[] {
  const text = `must be atomic as item of a list with ${listTypeKeyword}=set`
  const innerList = items?.[listTypeKeyword]
  if (items?.type === 'array' && innerList !== undefined && innerList !== 'atomic')
    return [fieldInvalid(`${path}.items.${listTypeKeyword}`, innerList, text)]
  if (items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
    return [fieldInvalid(`${path}.items.x-kubernetes-map-type`, items['x-kubernetes-map-type'], text)]
  return []
}

function checkMap(props: Props, keys: readonly string[], path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const items = itemsOf(props)
  if (keys.length === 0)
    errors.push(fieldRequired(`${path}.${mapKeysKeyword}`, `must not be empty if ${listTypeKeyword} is map`))
  if (items === undefined) {
    const text = `must have a schema if ${listTypeKeyword} is map`
    return props.items === undefined ? [...errors, fieldRequired(`${path}.items`, text)] : errors
  }
  if (items.type !== 'object') {
    const text = `must be object if parent array's ${listTypeKeyword} is map`
    return [...errors, fieldInvalid(`${path}.items.type`, items.type ?? '', text)]
  }
  for (const [index, key] of keys.entries()) {
    const property = propertyOf(items, key)
    if (property === undefined) {
      const text = 'entries must all be names of item properties'
      errors.push(fieldInvalid(`${path}.${mapKeysKeyword}`, keys, text))
    } else if (property.type === 'array' || property.type === 'object') {
      const text = `must be a scalar type if parent array's ${listTypeKeyword} is map`
      errors.push(fieldInvalid(`${path}.items.properties[${key}].type`, property.type, text))
    }
    if (keys.indexOf(key) < index)
      errors.push(fieldInvalid(`${path}.${mapKeysKeyword}`, keys, 'must not contain duplicate entries'))
  }
  return errors
}

function checkNullable(props: Props, listType: string, path: string): readonly FieldError[] {
  if (itemsOf(props)?.nullable !== true) return []
  return [
    fieldForbidden(`${path}.items.nullable`, `cannot be nullable when ${listTypeKeyword} is ${listType}`),
  ]
}

function checkKeysGiven(
  items: Props | undefined,
  keys: readonly string[],
  path: string,
): readonly FieldError[] {
  return keys.flatMap((key) => {
    const property = items === undefined ? undefined : propertyOf(items, key)
    if (property === undefined) return []
    const field = `${path}.items.properties[${key}]`
    const reason = `this property is in ${mapKeysKeyword}, so it`
    const isGiven = items?.required?.includes(key) === true || property.default !== undefined
    return [
      ...(isGiven
        ? []
        : [fieldRequired(`${field}.default`, `${reason} must have a default or be a required property`)]),
      ...(property.nullable === true
        ? [fieldForbidden(`${field}.nullable`, `${reason} cannot be nullable`)]
        : []),
    ]
  })
}

const propertyOf = ({ properties = {} }: Props, name: string): Props | undefined =>
  Object.hasOwn(properties, name) ? properties[name] : undefined
