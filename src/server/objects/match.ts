// Label and field selectors of a call, as one question to a stored object.
// Their grammar is api/select's; which fields can be asked for is the kind's.

import type { CallOptions } from '../../api/contracts.ts'
import { matchesFields, parseFieldSelector, parseLabelSelector } from '../../api/select.ts'
import { badRequest } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import type { Kind } from '../../kinds/kind.ts'

export interface Matcher {
  /** True when nothing was selected: every object matches. */
  readonly isEmpty: boolean
  matches(stored: StoredObject): boolean
}

/** Throws `badRequest` for a selector that does not parse or names a field that this kind does not select by. */
export function makeMatcher(kind: Kind, options: CallOptions): Matcher {
  const labels = parseLabelSelector(options.labelSelector ?? '')
  const fields = parseFieldSelector(options.fieldSelector ?? '')
  for (const { field } of fields.requirements) checkField(kind, field)
  const needsObject = fields.requirements.some(({ field }) => !field.startsWith('metadata.'))
  return {
    isEmpty: labels.isEmpty && fields.isEmpty,
    matches: (stored) => {
      const { header } = stored
      if (!labels.matches(header.labels)) return false
      if (fields.isEmpty) return true
      const object = needsObject ? stored.object : undefined
      return matchesFields(fields, (field) => {
        if (field === 'metadata.name') return header.name
        if (field === 'metadata.namespace') return header.namespace
        return object === undefined ? '' : (kind.selectableFields[field]?.(object) ?? '')
      })
    },
  }
}

function checkField(kind: Kind, field: string): void {
  if (field === 'metadata.name' || field === 'metadata.namespace') return
  if (Object.hasOwn(kind.selectableFields, field)) return
  throw badRequest(
    kind.isCustom || Object.keys(kind.selectableFields).length === 0
      ? `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`
      : `field label not supported: ${field}`,
  )
}
