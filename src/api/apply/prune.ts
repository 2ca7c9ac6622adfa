// Removes what a manager applied last time and no longer does, unless somebody else owns it.
// Upstream: prune and its helpers in structured-merge-diff's merge/update.go.

import type { JsonObject } from '../value.ts'
import { fieldsIn } from './compare.ts'
import {
  emptyFields,
  type FieldSet,
  intersectFields,
  isEmptyFields,
  subtractFields,
  unionFields,
  withNamedFields,
} from './fields.ts'
import type { Manager, Managers } from './managers.ts'
import type { Setting, Versioned } from './ownership.ts'
import { removeFields } from './remove.ts'

/** `managers` holds the new claim of the applying manager already; `last` is its old one. */
export function prune({
  merged,
  managers,
  last,
  setting,
}: {
  readonly merged: JsonObject
  readonly managers: Managers
  readonly last: Manager | undefined
  readonly setting: Setting
}): JsonObject {
  if (last === undefined || isEmptyFields(last.fields)) return merged
  const whole = setting.toVersion(merged, last.apiVersion)
  if (whole === undefined) return merged
  const lastFields = withNamedFields(last.fields, whole.schema)
  const cut: Versioned = { ...whole, object: removeFields(whole.object, lastFields, whole.schema) }
  const owned = addBackOwned(whole, cut, managers, last.apiVersion, setting)
  const rest = addBackDangling(whole, owned, lastFields, last.apiVersion, setting)
  return setting.toVersion(rest, setting.apiVersion)?.object ?? merged
}

/** Puts back what any manager claims, version by version, the one that was cut in first. */
function addBackOwned(
  whole: Versioned,
  cut: Versioned,
  managers: Managers,
  cutVersion: string,
  setting: Setting,
): JsonObject {
  const byVersion = new Map<string, FieldSet>([[cutVersion, emptyFields]])
  for (const { apiVersion, fields } of managers.values())
    byVersion.set(apiVersion, unionFields(byVersion.get(apiVersion) ?? emptyFields, fields))
  let kept = cut.object
  for (const [apiVersion, fields] of byVersion) {
    const before = setting.toVersion(whole.object, apiVersion)
    const after = setting.toVersion(kept, apiVersion)
    if (before === undefined || after === undefined) continue
    const named = (set: FieldSet) => withNamedFields(set, before.schema)
    const all = named(fieldsIn(before.object, before.schema))
    const stays = unionFields(named(fieldsIn(after.object, before.schema)), named(fields))
    kept = removeFields(before.object, subtractFields(all, stays), before.schema)
  }
  return kept
}

/** Puts back what was never the applying manager's: only what it had applied may go. */
function addBackDangling(
  whole: Versioned,
  kept: JsonObject,
  lastFields: FieldSet,
  version: string,
  setting: Setting,
): JsonObject {
  const after = setting.toVersion(kept, version)
  if (after === undefined) return whole.object
  const named = (object: JsonObject) => withNamedFields(fieldsIn(object, whole.schema), whole.schema)
  const gone = subtractFields(named(whole.object), named(after.object))
  return removeFields(whole.object, intersectFields(gone, lastFields), whole.schema)
}
