// managedFields as entries on the wire and as a map of managers with their field sets.
// Upstream: apimachinery/pkg/util/managedfields/internal.

import type { ManagedFieldsEntry } from '../object.ts'
import { isObject } from '../value.ts'
import { emptyFields, type FieldSet, fromFieldsV1, isEmptyFields, toFieldsV1, unionFields } from './fields.ts'

/** How many entries of updates an object keeps before the oldest are merged. */
export const updateManagersMax = 10

/** Who owns fields, and in which version the fields are named. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
}

/** By identity: name, operation and subresource, and for updates the version. */
export type Managers = ReadonlyMap<string, Manager>

export const noManagers: Managers = new Map()

export type ManagerName = Pick<Manager, 'apiVersion' | 'name' | 'operation' | 'subresource'>

/** An applier keeps its entry when it moves to another version. */
export const identityOf = ({ name, operation, apiVersion, subresource }: ManagerName): string =>
  JSON.stringify([name, operation, subresource, operation === 'Apply' ? '' : apiVersion])

/** The wire form of sets that were read and have not changed since: most entries of most writes. */
const wireForms = new WeakMap<FieldSet, object>()

function readEntryFields(wire: unknown): FieldSet {
  const fields = fromFieldsV1(wire)
  if (isObject(wire) && fields !== emptyFields) wireForms.set(fields, wire)
  return fields
}

/** Undefined when an entry is malformed: callers then fall back to another source. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined): Managers | undefined {
  const managers = new Map<string, Manager>()
  for (const entry of entries ?? []) {
    const { operation, apiVersion = '', fieldsType = '' } = entry
    if (operation !== 'Apply' && operation !== 'Update') return undefined
    if (apiVersion === '' || fieldsType !== 'FieldsV1') return undefined
    const manager: Manager = {
      name: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time ?? undefined,
      fields: readEntryFields(entry.fieldsV1 ?? {}),
    }
    managers.set(identityOf(manager), manager)
  }
  return managers
}

/** Undefined when nobody owns anything. */
export function encodeManagers(managers: Managers): readonly ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined
  return [...managers.values()].sort(inWireOrder).map((manager) => ({
    ...(manager.name === '' ? {} : { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: wireForms.get(manager.fields) ?? toFieldsV1(manager.fields),
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  }))
}

function inWireOrder(left: Manager, right: Manager): number {
  return (
    compareTexts(left.operation, right.operation) ||
    secondsOf(left) - secondsOf(right) ||
    compareTexts(left.name, right.name) ||
    compareTexts(left.apiVersion, right.apiVersion) ||
    compareTexts(left.subresource, right.subresource)
  )
}

const compareTexts = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0)

function secondsOf({ time }: Manager): number {
  const milliseconds = time === undefined ? Number.NaN : Date.parse(time)
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000)
}

/** Whether a write asks to forget all managers: an empty list, or one empty entry. */
export function isReset(entries: readonly ManagedFieldsEntry[] | null | undefined): boolean {
  if (entries === undefined || entries === null) return false
  if (entries.length === 0) return true
  const [only] = entries
  return (
    entries.length === 1 && Object.values(only ?? {}).every((value) => value === undefined || value === null)
  )
}

/** Merges the oldest update entries of each version into one called `ancient-changes`. */
export function capManagers(managers: Managers): Managers {
  const updates = [...managers].filter(([, manager]) => manager.operation === 'Update')
  let count = updates.length
  if (count <= updateManagersMax) return managers
  const kept = new Map(managers)
  const firstOfVersion = new Map<string, string>()
  updates.sort(
    ([leftKey, left], [rightKey, right]) =>
      secondsOf(left) - secondsOf(right) || compareTexts(leftKey, rightKey),
  )
  for (const [identity, manager] of updates) {
    if (count <= updateManagersMax) break
    const first = firstOfVersion.get(manager.apiVersion)
    if (first === undefined) {
      firstOfVersion.set(manager.apiVersion, identity)
      continue
    }
    const ancient: ManagerName = {
      name: 'ancient-changes',
      operation: 'Update',
      apiVersion: manager.apiVersion,
      subresource: '',
    }
    const bucket = identityOf(ancient)
    const before = kept.get(bucket) ?? kept.get(first)
    if (!kept.has(bucket)) kept.delete(first)
    kept.delete(identity)
    kept.set(bucket, {
      ...ancient,
      time: manager.time,
      fields: before === undefined ? manager.fields : unionFields(manager.fields, before.fields),
    })
    count -= 1
  }
  return kept
}

export const withoutEmpty = (managers: Managers): Managers =>
  new Map([...managers].filter(([, { fields }]) => !isEmptyFields(fields)))
