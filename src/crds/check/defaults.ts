// Defaults must themselves be valid: known fields only, right types, within the limits.
// Upstream: apiextensions-apiserver schema/defaulting/validation.go.

import type { Schema } from '../../api/schema.ts'
import { ApiError, type FieldError, fieldInvalid } from '../../api/status.ts'
import { coerceEmbedded, validateEmbedded } from '../embedded.ts'
import { pruneRoot, pruneValue } from '../prune.ts'
import { structuralSchema } from '../structural.ts'
import { validateSchema } from '../validate.ts'
import { itemsOf, type Props } from './props.ts'

const ignore = (): void => undefined

export function checkDefaults(props: Props, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  // The root is a resource like an embedded one, though nobody says so.
  walk({ ...props, 'x-kubernetes-embedded-resource': true }, path, { isInMeta: false, errors })
  return errors
}

interface Context {
  readonly isInMeta: boolean
  readonly errors: FieldError[]
}

function walk(props: Props, path: string, context: Context): void {
  const isEmbedded = props['x-kubernetes-embedded-resource'] === true
  const isInMeta = context.isInMeta && !isEmbedded
  if (props.default !== undefined) context.errors.push(...checkDefault(props, `${path}.default`, isInMeta))
  const items = itemsOf(props)
  if (items !== undefined) walk(items, `${path}.items`, { ...context, isInMeta })
  // Not below additionalProperties: upstream lets any default stand there.
  for (const [name, property] of Object.entries(props.properties ?? {})) {
    const isMeta = isEmbedded && ['metadata', 'apiVersion', 'kind'].includes(name)
    walk(property, `${path}.properties[${name}]`, { ...context, isInMeta: isInMeta || isMeta })
  }
}

function checkDefault(props: Props, path: string, isInMeta: boolean): readonly FieldError[] {
  const schema = structuralSchema(props)
  const value = props.default
  const errors: FieldError[] = []
  if (!isInMeta && prune(value, schema) !== value)
    errors.push(fieldInvalid(path, value, 'must not have unknown fields'))
  try {
    coerceEmbedded(value, schema, path, ignore)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return [...errors, fieldInvalid(path, value, `must result in valid metadata: ${error.message}`)]
  }
  const embedded = validateEmbedded(value, schema, path)
  return [...errors, ...(embedded.length > 0 ? embedded : validateSchema(value, schema, { base: path }))]
}

function prune(value: unknown, schema: Schema): unknown {
  return schema.embeddedResource === true &&
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value)
    ? pruneRoot(value as Readonly<Record<string, unknown>>, schema, ignore)
    : pruneValue(value, schema, '', ignore)
}
