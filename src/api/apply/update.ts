// Keeps managedFields right through writes that are not applies: what a write changed belongs to its writer.
// Upstream: apimachinery/pkg/util/managedfields, FieldManager.Update.

import type { KubeObject, ManagedFieldsEntry } from '../object.ts'
import type { Schema } from '../schema.ts'
import { formatTime } from '../time.ts'
import { isSame, type JsonObject, withField } from '../value.ts'
import { zeroObject } from '../zero.ts'
import { isEmptyFields, subtractTrees, unionFields } from './fields.ts'
import {
  capManagers,
  decodeManagers,
  encodeManagers,
  identityOf,
  isReset,
  type Manager,
  type Managers,
  noManagers,
} from './managers.ts'
import {
  type ResetField,
  reconcileManagers,
  type Setting,
  settingOf,
  settle,
  type ToVersion,
  withoutIdentity,
} from './ownership.ts'

export interface Write {
  /** `fieldManager`, or the user agent up to its first slash. */
  readonly manager: string
  /** Without one (schemaless custom resources) maps are merged and lists are one field. */
  readonly schema: Schema | undefined
  /** The version of the request, in which fields are named. */
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Fields that this endpoint ignores: `status` on the object itself, `spec` on its status. */
  readonly resetFields?: readonly ResetField[] | undefined
  /** For kinds with several versions; without it all versions are taken to have the same fields. */
  readonly toVersion?: ToVersion | undefined
}

/** Returns `next` with its managedFields; `live` is undefined on create. Never throws for what clients wrote there. */
export function trackUpdate({
  live,
  next,
  ...write
}: Write & { readonly live: KubeObject | undefined; readonly next: KubeObject }): KubeObject {
  const before = startManagers(live, next, write.subresource)
  // Objects that were never tracked stay so until the first apply.
  if (before.size === 0 && live !== undefined) return withManagedFields(next, undefined)
  const managers = afterUpdate({
    live: live === undefined ? unsetObject(write.schema) : plain(live),
    next: plain(next),
    managers: before,
    write,
    setting: settingOf(write),
  })
  const tracked = withManagedFields(next, encodeManagers(managers))
  return live === undefined ? tracked : keepTimes(tracked, live)
}

/** Where nothing but times of managedFields would change, nothing does: the live object itself is returned. */
export function keepTimes(next: KubeObject, live: KubeObject): KubeObject {
  const [after = [], before = []] = [next.metadata.managedFields, live.metadata.managedFields]
  if (after.length === 0 || after.length !== before.length) return next
  if (!isSame(after.map(timeless), before.map(timeless))) return next
  return isSame(plain(next), plain(live)) ? live : next
}

const timeless = ({ time: _, ...entry }: ManagedFieldsEntry): unknown => entry

/** A built-in object starts as Go's zero value, whose structs nobody owns; any other starts as nothing. */
export const unsetObject = (schema: Schema | undefined): JsonObject => ({
  metadata: {},
  ...(schema === undefined ? {} : zeroObject(schema)),
})

/** An object without its managedFields, which nobody owns. */
export const plain = (object: KubeObject): JsonObject =>
  withManagedFields(object, undefined) as unknown as JsonObject

export function withManagedFields(
  object: KubeObject,
  entries: readonly ManagedFieldsEntry[] | undefined,
): KubeObject {
  if (entries === undefined && object.metadata.managedFields === undefined) return object
  return { ...object, metadata: withField(object.metadata, 'managedFields', entries) }
}

/** Clients may write managedFields; what they leave out or garble is taken from the live object. */
function startManagers(live: KubeObject | undefined, next: KubeObject, subresource: string): Managers {
  const stored = () => decodeManagers(live?.metadata.managedFields) ?? noManagers
  if (subresource !== '') return stored()
  const given = next.metadata.managedFields
  if (isReset(given)) return noManagers
  const managers = decodeManagers(given)
  return managers === undefined || managers.size === 0 ? stored() : managers
}

/** Gives the writer what changed, and takes it from the others. */
export function afterUpdate({
  live,
  next,
  managers,
  write,
  setting,
}: {
  readonly live: JsonObject
  readonly next: JsonObject
  readonly managers: Managers
  readonly write: Pick<Write, 'apiVersion' | 'manager' | 'now' | 'subresource'>
  readonly setting: Setting
}): Managers {
  const name = {
    name: write.manager === '' ? 'unknown' : write.manager,
    operation: 'Update' as const,
    apiVersion: write.apiVersion,
    subresource: write.subresource,
  }
  const settled = settle({
    live,
    next,
    managers: reconcileManagers(live, managers, setting),
    self: '',
    setting,
  })
  const changed = unionFields(settled.comparison.modified, settled.comparison.added)
  const fields = withoutIdentity(subtractTrees(changed, setting.excluded))
  if (isEmptyFields(fields)) return capManagers(settled.managers)
  const identity = identityOf(name)
  const previous = settled.managers.get(identity)
  const mine: Manager = {
    ...name,
    time: formatTime(write.now),
    fields: previous === undefined ? fields : unionFields(fields, previous.fields),
  }
  return capManagers(new Map(settled.managers).set(identity, mine))
}
