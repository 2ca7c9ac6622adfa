// Who owns the replica count, as seen through the scale subresource, and back.
// Upstream: apimachinery/pkg/util/managedfields/scalehandler.go.

import type { ManagedFieldsEntry } from '../object.ts'
import { type FieldPath, fieldElement, fieldsOf, hasField, isEmptyFields, subtractFields } from './fields.ts'
import {
  decodeManagers,
  encodeManagers,
  identityOf,
  type Manager,
  type Managers,
  noManagers,
} from './managers.ts'

const scaleVersion = 'autoscaling/v1'
const scaleReplicas: FieldPath = [fieldElement('spec'), fieldElement('replicas')]

/** By version of the object: the dot path of its replica count, undefined where that version has no scale. */
export type ReplicaPaths = Readonly<Record<string, string | undefined>>

/** The managedFields of a Scale: one entry for each owner of the replica count. */
export function toScaleEntries(
  entries: readonly ManagedFieldsEntry[] | undefined,
  paths: ReplicaPaths,
): readonly ManagedFieldsEntry[] | undefined {
  const owners = new Map<string, Manager>()
  for (const manager of (decodeManagers(entries) ?? noManagers).values()) {
    const path = pathIn(paths, manager.apiVersion)
    if (path === undefined || !hasField(manager.fields, path)) continue
    const scaled = { ...manager, apiVersion: scaleVersion, fields: fieldsOf([scaleReplicas]) }
    owners.set(identityOf(scaled), scaled)
  }
  return encodeManagers(owners)
}

/** The managedFields of the object after a write through its scale, whose entries are `scaleEntries`. */
export function fromScaleEntries({
  entries,
  scaleEntries,
  paths,
  apiVersion,
}: {
  readonly entries: readonly ManagedFieldsEntry[] | undefined
  readonly scaleEntries: readonly ManagedFieldsEntry[] | undefined
  readonly paths: ReplicaPaths
  /** The version of the object in this write. */
  readonly apiVersion: string
}): readonly ManagedFieldsEntry[] | undefined {
  const scaled = decodeManagers(scaleEntries) ?? noManagers
  const { kept, matched } = keepOwners(decodeManagers(entries) ?? noManagers, scaled, paths)
  const path = pathIn(paths, apiVersion)
  for (const [identity, manager] of scaled) {
    if (matched.has(identity) || path === undefined || !hasField(manager.fields, scaleReplicas)) continue
    const owner = { ...manager, apiVersion, fields: fieldsOf([path]) }
    kept.set(identityOf(owner), owner)
  }
  return encodeManagers(kept)
}

/** Owners of the count that the scale no longer lists have lost it. */
function keepOwners(
  owners: Managers,
  scaled: Managers,
  paths: ReplicaPaths,
): { readonly kept: Map<string, Manager>; readonly matched: ReadonlySet<string> } {
  const kept = new Map<string, Manager>()
  const matched = new Set<string>()
  for (const [identity, manager] of owners) {
    if (!Object.hasOwn(paths, manager.apiVersion)) continue
    const path = pathIn(paths, manager.apiVersion)
    const inScale = identityOf({ ...manager, apiVersion: scaleVersion })
    if (path === undefined || !hasField(manager.fields, path)) {
      kept.set(identity, manager)
    } else if (scaled.has(inScale)) {
      kept.set(identity, manager)
      matched.add(inScale)
    } else {
      const fields = subtractFields(manager.fields, fieldsOf([path]))
      if (!isEmptyFields(fields)) kept.set(identity, { ...manager, fields })
    }
  }
  return { kept, matched }
}

function pathIn(paths: ReplicaPaths, apiVersion: string): FieldPath | undefined {
  const path = Object.hasOwn(paths, apiVersion) ? paths[apiVersion] : undefined
  return path
    ?.split('.')
    .filter((name) => name !== '')
    .map(fieldElement)
}
