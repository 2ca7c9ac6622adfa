// From the newest object and a patch to what the caller wants it to be.
// The four kinds of patch are api/patch's and api/apply's; media types were told apart at the edge.

import { applyPatch } from '../../api/apply/apply.ts'
import type { Json, KubeObject } from '../../api/object.ts'
import { applyJsonPatch } from '../../api/patch/json.ts'
import { applyMergePatch } from '../../api/patch/merge.ts'
import { applyStrategicMergePatch } from '../../api/patch/strategic.ts'
import {
  badRequest,
  conflict,
  fieldRequired,
  invalid,
  objectModified,
  unsupportedMediaType,
} from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { fieldManagerOf, named, type Spine, type Target, versionOf } from '../spine.ts'
import { ownedElsewhere } from './managed.ts'

const customPatchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
]

/** JSON, merge or strategic merge patch on the newest object. */
export function patchSubmitted(target: Target, old: StoredObject | undefined): KubeObject {
  const { call, kind } = target
  if (old === undefined || call.patch === undefined)
    throw badRequest('the body of the request must hold a patch')
  const { type, body } = call.patch
  if (type === 'strategic' && kind.isCustom)
    throw unsupportedMediaType('application/strategic-merge-patch+json', customPatchTypes)
  const before = old.object
  const next =
    type === 'json'
      ? applyJsonPatch(before, body)
      : type === 'merge'
        ? applyMergePatch(before, body)
        : applyStrategicMergePatch(before, body, kind.schema)
  if (typeof next !== 'object' || next === null || Array.isArray(next))
    throw badRequest('the patch does not leave an object')
  return clientRevision(next as KubeObject, before)
}

/**
 * A patch that does not mention the revision leaves the one it was computed from, which is no claim of the caller's.
 * One that does must name the newest.
 */
function clientRevision(next: KubeObject, before: KubeObject): KubeObject {
  if (next.metadata?.resourceVersion !== before.metadata.resourceVersion) return next
  const { resourceVersion: _, ...metadata } = next.metadata
  return { ...next, metadata }
}

/** Server-side apply: ownership is decided here, so the spine does not record a manager again. */
export function applySubmitted(spine: Spine, target: Target, old: StoredObject | undefined): KubeObject {
  const { call, kind } = target
  if (call.patch === undefined) throw badRequest('the body of the request must hold an apply configuration')
  if ((call.options.fieldManager ?? '') === '') {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      fieldRequired('fieldManager', 'is required for apply patch'),
    ])
  }
  const patch = namedApply(target, call.patch.body)
  const revision = patch.metadata.resourceVersion ?? ''
  if (revision !== '' && revision !== String(old?.revision)) {
    throw conflict(named(kind), call.name, objectModified)
  }
  const { object } = applyPatch({
    live: old?.object,
    patch: patch as unknown as Json,
    manager: fieldManagerOf(call),
    force: call.options.force === true,
    schema: kind.schema,
    apiVersion: versionOf(kind),
    kind: kind.kind,
    subresource: call.subresource,
    resetFields: ownedElsewhere(kind, call.subresource),
    now: spine.clock.now(),
  })
  return revision === '' && old !== undefined ? clientRevision(object, old.object) : object
}

/** The configuration under the name and namespace of the URL. Whether it is one at all is api/apply's to judge. */
function namedApply({ call, kind }: Target, body: Json): KubeObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('an apply configuration must be an object')
  }
  const patch = body as unknown as KubeObject
  const metadata = patch.metadata ?? {}
  if (metadata.name !== undefined && metadata.name !== call.name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${call.name})`,
    )
  }
  return {
    ...patch,
    metadata: { ...metadata, name: call.name, ...(kind.isNamespaced ? { namespace: call.namespace } : {}) },
  }
}
