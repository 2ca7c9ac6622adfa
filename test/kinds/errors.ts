// What tests of kinds share: errors as a client reads them, and a new object as the spine makes it.

import type { KubeObject } from '../../src/api/object.ts'
import type { FieldError } from '../../src/api/status.ts'
import { deepFreeze } from '../../src/api/stored.ts'
import type { Kind } from '../../src/kinds/kind.ts'

export const errorTexts = (errors: readonly FieldError[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`)

/** An object of a kind with defaults filled in and prepared, as the spine does it; inputs are frozen. */
export function created(kind: Kind, fields: Readonly<Record<string, unknown>>): KubeObject {
  const { metadata, ...rest } = fields
  const object = deepFreeze({
    apiVersion: kind.group === '' ? kind.version : `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: { name: 'a', ...(kind.isNamespaced ? { namespace: 'default' } : {}), ...(metadata ?? {}) },
    ...rest,
  }) as KubeObject
  return deepFreeze(kind.prepareCreate(kind.defaults(object)))
}

export const createErrors = (kind: Kind, fields: Readonly<Record<string, unknown>>): string[] =>
  errorTexts(kind.validateCreate(created(kind, fields)))

/** The errors of changing some top-level fields of an object that was created. */
export function updateErrors(
  kind: Kind,
  fields: Readonly<Record<string, unknown>>,
  change: Readonly<Record<string, unknown>>,
): string[] {
  const old = created(kind, fields)
  return errorTexts(kind.validateUpdate(changed(kind, old, change), old))
}

export function changed(kind: Kind, old: KubeObject, change: Readonly<Record<string, unknown>>): KubeObject {
  const next = deepFreeze({ ...old, ...change }) as KubeObject
  return deepFreeze(kind.defaults(kind.prepareUpdate(next, old)))
}
