// Who owns what after a write: the part that updates and applies have in common.
// Upstream: structured-merge-diff's merge/update.go.

import type { Schema } from '../schema.ts'
import type { JsonObject } from '../value.ts'
import { type Comparison, compareObjects } from './compare.ts'
import {
  type FieldPath,
  type FieldSet,
  fieldElement,
  fieldsOf,
  intersectFields,
  isEmptyFields,
  subtractFields,
  subtractTrees,
  unionFields,
} from './fields.ts'
import type { Manager, Managers } from './managers.ts'
import { reconcileFields } from './reconcile.ts'
import { rootSchema } from './shape.ts'

/** An object and its schema in one version. */
export interface Versioned {
  readonly object: JsonObject
  readonly schema: Schema | undefined
}

/** Converts to another version; undefined when that version is gone, and with it what is owned in it. */
export type ToVersion = (object: JsonObject, apiVersion: string) => Versioned | undefined

/** A field from the root: `metadata.labels`, or `['metadata', 'labels']` where names may hold dots. */
export type ResetField = string | readonly string[]

/** The versions of one write. */
export interface Setting {
  readonly apiVersion: string
  readonly schema: Schema
  readonly toVersion: ToVersion
  /** Fields that this endpoint does not write, and nobody owns by it. */
  readonly excluded: FieldSet
}

export function settingOf({
  apiVersion,
  schema,
  toVersion,
  resetFields = [],
}: {
  readonly apiVersion: string
  readonly schema: Schema | undefined
  readonly toVersion?: ToVersion | undefined
  readonly resetFields?: readonly ResetField[] | undefined
}): Setting {
  const root = rootSchema(schema)
  // Without conversion all versions have the same fields, as with a CRD's strategy None.
  const convert: ToVersion = toVersion ?? ((object) => ({ object, schema }))
  return {
    apiVersion,
    schema: root,
    toVersion: (object, version) => {
      if (version === apiVersion) return { object, schema: root }
      const converted = convert(object, version)
      return converted === undefined ? undefined : { ...converted, schema: rootSchema(converted.schema) }
    },
    excluded: fieldsOf(
      resetFields.map(
        (path): FieldPath => (typeof path === 'string' ? path.split('.') : path).map(fieldElement),
      ),
    ),
  }
}

export interface Settled {
  readonly managers: Managers
  readonly comparison: Comparison
  /** What others own and the write changes; they have lost it in `managers`. */
  readonly taken: readonly { readonly manager: Manager; readonly fields: FieldSet }[]
}

/** Takes from all managers but `self` what the write changed or removed. */
export function settle({
  live,
  next,
  managers,
  self,
  setting,
}: {
  readonly live: JsonObject
  readonly next: JsonObject
  readonly managers: Managers
  readonly self: string
  readonly setting: Setting
}): Settled {
  const comparisons = new Map<string, Comparison | undefined>()
  const compareIn = (apiVersion: string): Comparison | undefined => {
    if (!comparisons.has(apiVersion))
      comparisons.set(apiVersion, compareVersion(live, next, apiVersion, setting))
    return comparisons.get(apiVersion)
  }
  const kept = new Map<string, Manager>()
  const taken: { manager: Manager; fields: FieldSet }[] = []
  for (const [identity, manager] of managers) {
    if (identity === self) {
      kept.set(identity, manager)
      continue
    }
    const comparison = compareIn(manager.apiVersion)
    if (comparison === undefined) continue
    const changed = intersectFields(manager.fields, unionFields(comparison.modified, comparison.added))
    if (!isEmptyFields(changed)) taken.push({ manager, fields: changed })
    const rest = subtractFields(subtractFields(manager.fields, changed), comparison.removed)
    if (!isEmptyFields(rest)) kept.set(identity, { ...manager, fields: rest })
  }
  const comparison = compareIn(setting.apiVersion)
  if (comparison === undefined) throw new Error('the version of a write always exists')
  return { managers: kept, comparison, taken }
}

function compareVersion(
  live: JsonObject,
  next: JsonObject,
  apiVersion: string,
  setting: Setting,
): Comparison | undefined {
  const before = setting.toVersion(live, apiVersion)
  const after = setting.toVersion(next, apiVersion)
  if (before === undefined || after === undefined) return undefined
  const comparison = compareObjects(before.object, after.object, before.schema)
  return {
    added: subtractTrees(comparison.added, setting.excluded),
    modified: subtractTrees(comparison.modified, setting.excluded),
    removed: subtractTrees(comparison.removed, setting.excluded),
  }
}

/** Brings field sets in line with schemas that changed since they were written. */
export function reconcileManagers(live: JsonObject, managers: Managers, setting: Setting): Managers {
  const reconciled = new Map<string, Manager>()
  for (const [identity, manager] of managers) {
    const version = setting.toVersion(live, manager.apiVersion)
    if (version === undefined) continue
    const fields = reconcileFields(manager.fields, version.schema)
    reconciled.set(identity, fields === manager.fields ? manager : { ...manager, fields })
  }
  return reconciled
}

const unowned = fieldsOf([
  [fieldElement('apiVersion')],
  [fieldElement('kind')],
  [fieldElement('metadata')],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name): FieldPath => [fieldElement('metadata'), fieldElement(name)]),
])

/** What makes an object this object is nobody's. */
export const withoutIdentity = (fields: FieldSet): FieldSet => subtractFields(fields, unowned)
