// The part of metadata that the server owns: names, identity, revisions, generation.
// Upstream: apiserver/pkg/registry/rest (BeforeCreate, BeforeUpdate).

import type { KubeObject, ObjectMeta } from '../../api/object.ts'
import { ApiError, badRequest, conflict, fieldInvalid, invalid, objectModified } from '../../api/status.ts'
import type { StoredObject } from '../../api/stored.ts'
import { formatTime } from '../../api/time.ts'
import { isWrittenSame } from '../../api/value.ts'
import type { Kind } from '../../kinds/kind.ts'
import { named, type Spine, type Target, versionOf } from '../spine.ts'

/** Upstream: names.maxGeneratedNameLength, so that a suffix of five fits into a DNS label. */
const generatedNameLengthMax = 58
const generatedSuffixLength = 5

/** The submitted object in the namespace, and under the name, of the URL; a generated name comes later. */
export function placedInUrl(target: Target, submitted: KubeObject): KubeObject {
  const { call, kind } = target
  const { metadata } = submitted
  checkNamespace(target, metadata)
  const { name = '' } = metadata
  if (call.name !== '' && name !== '' && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  }
  return {
    ...submitted,
    apiVersion: versionOf(kind),
    kind: kind.kind,
    metadata: {
      ...metadata,
      ...(call.name === '' ? {} : { name: call.name }),
      ...(kind.isNamespaced ? { namespace: call.namespace } : {}),
    },
  }
}

/** The object under a name made from its prefix, unless it has one. */
export function withName(spine: Spine, object: KubeObject): KubeObject {
  const { name = '', generateName = '' } = object.metadata
  if (name !== '' || generateName === '') return object
  const generated = generateName.slice(0, generatedNameLengthMax) + spine.random.suffix(generatedSuffixLength)
  return { ...object, metadata: { ...object.metadata, name: generated } }
}

function checkNamespace({ call, kind }: Target, metadata: ObjectMeta): void {
  const { namespace = '' } = metadata
  if (!kind.isNamespaced) {
    if (namespace === '') return
    throw badRequest('namespace may not be set on an object that is not namespaced')
  }
  if (namespace === '' || namespace === call.namespace) return
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** Identity and first generation; what a client sent of them is overwritten. */
export function readyForCreate(spine: Spine, { kind }: Target, submitted: KubeObject): KubeObject {
  const {
    deletionTimestamp: _,
    deletionGracePeriodSeconds: __,
    selfLink: ___,
    generation: ____,
    resourceVersion,
    ...rest
  } = submitted.metadata
  if (resourceVersion !== undefined && resourceVersion !== '') {
    throw new ApiError({ code: 500, message: 'resourceVersion should not be set on objects to be created' })
  }
  return {
    ...submitted,
    metadata: {
      ...rest,
      uid: spine.random.uuid(),
      creationTimestamp: formatTime(spine.clock.now()),
      ...(kind.tracksGeneration ? { generation: 1 } : {}),
    },
  }
}

/** Puts back what a client may not change; what it may not even name is refused by validation. */
export function keepSystemFields(submitted: KubeObject, old: KubeObject): KubeObject {
  const { metadata } = old
  const { selfLink: _, ...asked } = submitted.metadata
  const next: Record<string, unknown> = { ...asked, name: asked.name ?? metadata.name, uid: metadata.uid }
  for (const field of [
    'namespace',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'resourceVersion',
  ] as const) {
    if (metadata[field] === undefined) delete next[field]
    else next[field] = metadata[field]
  }
  return { ...submitted, apiVersion: old.apiVersion, kind: old.kind, metadata: next as ObjectMeta }
}

/** The caller's uid, name and resourceVersion against the newest object. */
export function checkPreconditions(
  target: Target,
  submitted: KubeObject,
  old: StoredObject,
  options: { readonly isUpdate?: boolean },
): void {
  const { call, kind } = target
  const { name, uid, resourceVersion = '' } = submitted.metadata
  if (name !== undefined && name !== '' && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  }
  checkNamespace(target, submitted.metadata)
  if (uid !== undefined && uid !== '' && uid !== old.header.uid) {
    throw conflict(
      named(kind),
      call.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.header.uid}`,
    )
  }
  if (resourceVersion !== '' && resourceVersion !== '0') {
    if (resourceVersion !== String(old.revision)) throw conflict(named(kind), call.name, objectModified)
    return
  }
  if (options.isUpdate === true && !kind.allowsUnconditionalUpdate) {
    throw invalid(kind, call.name, [
      fieldInvalid(
        'metadata.resourceVersion',
        Number(resourceVersion) || 0,
        'must be specified for an update',
      ),
    ])
  }
}

/** Generation grows when anything changed that is neither metadata nor status. */
export function nextGeneration(kind: Kind, next: KubeObject, old: KubeObject): KubeObject {
  if (!kind.tracksGeneration) return next
  const hasStatus = kind.subresources.some((one) => one.name === 'status')
  if (isWrittenSame(desired(next, hasStatus), desired(old, hasStatus))) return next
  return { ...next, metadata: { ...next.metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

function desired({ metadata: _, status, ...rest }: KubeObject, hasStatus: boolean): unknown {
  return hasStatus ? rest : { ...rest, status }
}
