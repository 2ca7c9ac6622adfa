// The 409 that server-side apply answers when others own what it would change.
// Upstream: apimachinery/pkg/util/managedfields/internal/conflict.go.

import { type ApiError, applyConflict } from '../status.ts'
import { type FieldPath, type FieldSet, pathsOf, pathText } from './fields.ts'
import type { Manager } from './managers.ts'

export interface Conflict {
  readonly manager: Manager
  readonly path: FieldPath
}

/** Sorted by manager, then in the order of the fields. */
export function conflictsOf(found: readonly { manager: Manager; fields: FieldSet }[]): readonly Conflict[] {
  return found
    .map(({ manager, fields }) => ({ manager, fields, key: sortKey(manager) }))
    .sort((left, right) => (left.key < right.key ? -1 : 1))
    .flatMap(({ manager, fields }) => pathsOf(fields).map((path) => ({ manager, path })))
}

export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }))
  return applyConflict(causes, messageOf(conflicts))
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [only, second] = conflicts
  if (only !== undefined && second === undefined) {
    return `Apply failed with 1 conflict: conflict with ${managerText(only.manager)}: ${pathText(only.path)}`
  }
  const lines: string[] = []
  let last: string | undefined
  for (const { manager, path } of conflicts) {
    const shown = managerText(manager)
    if (shown !== last) lines.push(`conflicts with ${shown}:`)
    last = shown
    lines.push(`- ${pathText(path)}`)
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function managerText({ name, subresource, operation, apiVersion }: Manager): string {
  const shown = `${JSON.stringify(name)}${subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`}`
  return operation === 'Update' ? `${shown} using ${apiVersion}` : shown
}

/** Upstream sorts by the JSON of an entry without its fields. */
const sortKey = ({ name, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify({
    manager: name,
    operation,
    apiVersion: operation === 'Update' ? apiVersion : undefined,
    subresource: subresource === '' ? undefined : subresource,
  })
