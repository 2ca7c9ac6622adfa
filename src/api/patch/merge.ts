// RFC 7386 merge patches, as upstream applies them: null deletes, objects merge, all else replaces.
// Only containers on a changed path are copied.

import type { Json } from '../object.ts'
import { badRequest } from '../status.ts'
import { type Draft, fieldOf, isList, isObject, type JsonObject, setField } from '../value.ts'

/** Throws 400 when the patch is not an object. */
export function applyMergePatch<T extends object>(object: T, patch: Json): T {
  if (!isObject(patch)) {
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${isList(patch) ? 'array' : typeof patch} into Go value of type map[string]interface {}`,
    )
  }
  return merge(object as unknown as JsonObject, patch) as unknown as T
}

function merge(object: JsonObject, patch: JsonObject): JsonObject {
  let draft: Draft | undefined
  for (const [field, change] of Object.entries(patch)) {
    const before = fieldOf(object, field)
    const after = change === null ? undefined : mergeValue(before, change)
    if (after === before) continue
    draft ??= { ...object }
    if (after === undefined) delete draft[field]
    else setField(draft, field, after)
  }
  return draft ?? object
}

function mergeValue(before: Json | undefined, change: Json): Json {
  if (!isObject(before)) return withoutNulls(change)
  return isObject(change) ? merge(before, change) : change
}

/** What a patch adds holds no null fields; upstream looks inside lists too, but keeps their null items. */
export function withoutNulls(value: Json): Json {
  if (isList(value)) {
    const items = value.map(withoutNulls)
    return items.some((item, index) => item !== value[index]) ? items : value
  }
  if (!isObject(value)) return value
  let draft: Draft | undefined
  for (const [field, inner] of Object.entries(value)) {
    const kept = inner === null ? undefined : withoutNulls(inner)
    if (kept === inner) continue
    draft ??= { ...value }
    if (kept === undefined) delete draft[field]
    else setField(draft, field, kept)
  }
  return draft ?? value
}
