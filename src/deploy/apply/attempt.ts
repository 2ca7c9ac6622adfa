// Applies one object and says how that went: applied, worth another try, or refused for good.
// Who tries again, and when, is apply.ts's.

import type { KubeObject } from '../../api/object.ts'
import { ApiError } from '../../api/status.ts'
import type { Client, ResourceRef } from '../../client/client.ts'
import { isNamespaceTerminating, isTransient } from '../../client/failures.ts'
import { describeKey, keyOf } from './inventory.ts'
import type { FindResource } from './served.ts'

/** On each object that a release applied; an object with another release's name is not touched. */
export const releaseLabel = 'k3v.dev/release'

export interface Attempt {
  readonly client: Client
  readonly findResource: FindResource
  readonly release: string
  readonly fieldManager: string
  /** Objects that are only tried: judged like any, and not stored. */
  readonly isTrial?: ((object: KubeObject) => boolean) | undefined
  /** Namespaces and kinds that this very package brings: their absence passes. */
  readonly comes: Coming
  readonly signal: AbortSignal
}

export interface Coming {
  readonly namespaces: ReadonlySet<string>
  /** `group/Kind` */
  readonly kinds: ReadonlySet<string>
}

export type Outcome =
  | { readonly type: 'applied'; readonly object: KubeObject }
  | { readonly type: 'later'; readonly message: string }
  /** `field` is what the message is about, when the API says so. */
  | { readonly type: 'refused'; readonly message: string; readonly field?: string | undefined }

export async function applyOne(object: KubeObject, attempt: Attempt): Promise<Outcome> {
  const { client, findResource, release, fieldManager, comes, signal } = attempt
  const { apiVersion = '', kind = '' } = object
  const resource = findResource(apiVersion, kind)
  if (resource === undefined) return missingKind(apiVersion, kind, comes)
  const wanted = placed(labelled(object, release), resource)
  try {
    const { namespace, name = '' } = wanted.metadata
    const live = await client.get(resource, { namespace, name }, { signal })
    const owner = live?.metadata.labels?.[releaseLabel]
    if (owner !== undefined && owner !== release) {
      return { type: 'refused', message: `${describeKey(keyOf(wanted))} belongs to the release ${owner}` }
    }
    if (live?.metadata.deletionTimestamp !== undefined) {
      return { type: 'later', message: `${describeKey(keyOf(wanted))} is still being deleted` }
    }
    const applied = await client.apply(resource, wanted, {
      fieldManager,
      force: true,
      fieldValidation: 'Strict',
      isDryRun: attempt.isTrial?.(object) === true,
      signal,
    })
    return { type: 'applied', object: applied as KubeObject }
  } catch (error) {
    signal.throwIfAborted()
    return judgeFailure(error, comes)
  }
}

/** Where it will live: a namespaced object without a namespace goes to `default`, a cluster's has none. */
export function placed(object: KubeObject, resource: ResourceRef): KubeObject {
  const { namespace, ...metadata } = object.metadata
  if (!resource.isNamespaced) return { ...object, metadata }
  return {
    ...object,
    metadata: { ...metadata, namespace: namespace === undefined || namespace === '' ? 'default' : namespace },
  }
}

function labelled(object: KubeObject, release: string): KubeObject {
  const labels = { ...object.metadata.labels, [releaseLabel]: release }
  return { ...object, metadata: { ...object.metadata, labels } }
}

function missingKind(apiVersion: string, kind: string, comes: Coming): Outcome {
  const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : ''
  const message = `no matches for kind "${kind}" in version "${apiVersion}"`
  return { type: comes.kinds.has(`${group}/${kind}`) ? 'later' : 'refused', message }
}

function judgeFailure(error: unknown, comes: Coming): Outcome {
  if (!(error instanceof ApiError)) throw error
  const { message } = error
  const later: Outcome = { type: 'later', message }
  if (isTransient(error) || isNamespaceTerminating(error)) return later
  // Applied by force: what conflicts is a revision that moved in between.
  if (error.code === 409) return later
  if (error.code === 404) {
    const { kind, name } = error.status.details ?? {}
    const isComing = kind !== 'namespaces' || comes.namespaces.has(name ?? '')
    return isComing ? later : { type: 'refused', message }
  }
  return { type: 'refused', message, field: error.status.details?.causes?.[0]?.field ?? fieldIn(message) }
}

// An object that does not fit its schema is refused by a text alone: `…: .spec.foo: field not declared in schema`.
const fieldIn = (message: string): string | undefined => /: \.([\w.[\]]+): /.exec(message)?.[1]

/** What a package's own objects will make exist. */
export function comingFrom(objects: readonly KubeObject[]): Coming {
  const namespaces = new Set<string>()
  const kinds = new Set<string>()
  for (const object of objects) {
    if (object.kind === 'Namespace') namespaces.add(object.metadata.name ?? '')
    if (object.kind !== 'CustomResourceDefinition') continue
    const { group, names } = object['spec'] as {
      readonly group?: string
      readonly names?: { readonly kind?: string }
    }
    kinds.add(`${group}/${names?.kind}`)
  }
  return { namespaces, kinds }
}
