// Who owns which field after a plain write. The algebra of field sets is api/apply's.
// Upstream: apimachinery/pkg/util/managedfields.

import { trackUpdate } from '../../api/apply/update.ts'
import type { KubeObject } from '../../api/object.ts'
import type { Kind } from '../../kinds/kind.ts'
import { fieldManagerOf, type Spine, type Target, versionOf } from '../spine.ts'

/** The next object with its managedFields; entries stay untouched when nothing was changed. */
export function recordManager(
  spine: Spine,
  { call, kind }: Target,
  { live, next }: { readonly live: KubeObject | undefined; readonly next: KubeObject },
): KubeObject {
  return trackUpdate({
    live,
    next,
    manager: fieldManagerOf(call),
    schema: kind.schema,
    apiVersion: versionOf(kind),
    subresource: call.subresource,
    resetFields: ownedElsewhere(kind, call.subresource),
    now: spine.clock.now(),
  })
}

/** The fields that a write through this door cannot change, and so cannot own (upstream: GetResetFields). */
export function ownedElsewhere(kind: Kind, subresource: string): readonly (readonly string[])[] {
  const status = kind.subresources.find((one) => one.name === 'status')
  if (subresource !== 'status') return status === undefined ? [] : [['status']]
  if (status?.keepsMetadata === undefined) return [['spec'], ['metadata']]
  return [['spec'], ...status.keepsMetadata.map((name) => ['metadata', name])]
}
