// What a kind is: data and pure rules. Routes, discovery, OpenAPI, tables and storage keys follow from it.
// CRDs make the same thing at run time (crds/), so that nothing above can tell them apart.

import type { KubeObject } from '../api/object.ts'
import type { Schema } from '../api/schema.ts'
import type { FieldError } from '../api/status.ts'
import type { Column } from '../api/table.ts'

export const objectVerbs = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
] as const
export type ObjectVerb = (typeof objectVerbs)[number]

/** How `metadata.name` is checked (upstream: ValidateObjectMeta's name function of the kind's strategy). */
export const nameRules = ['dns-subdomain', 'dns-label', 'dns-1035-label', 'path-segment'] as const
export type NameRule = (typeof nameRules)[number]

export interface Kind {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly listKind: string
  /** The resource name, `pods`. */
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly isNamespaced: boolean
  /** What discovery lists; a review kind has `create` only and is never stored. */
  readonly verbs: readonly ObjectVerb[]
  /** Discovery's hash, so that clients notice a changed storage version; any stable text. */
  readonly storageVersionHash?: string | undefined
  readonly schema: Schema
  readonly nameRule: NameRule
  /** Whether `metadata.generation` starts at 1 and grows when anything but metadata and status changes. */
  readonly tracksGeneration: boolean
  /** PUT of a missing object creates it. */
  readonly allowsCreateOnUpdate: boolean
  /** PUT without a resourceVersion is taken as the last word. */
  readonly allowsUnconditionalUpdate: boolean
  /** CRDs refuse strategic merge patches (415) and protobuf bodies. */
  readonly isCustom: boolean
  /** Subresources besides the object itself, `status` and `scale` included. */
  readonly subresources: readonly Subresource[]
  /** Columns of a table in their order; `cells` answers one value a column. */
  readonly columns: readonly Column[]
  readonly cells: (object: KubeObject, now: number) => readonly (string | number | boolean | null)[]
  /** Row conditions, such as Completed pods; rarely present. */
  readonly rowConditions?: ((object: KubeObject) => readonly unknown[]) | undefined
  /** Field selectors beyond metadata.name and metadata.namespace: label to the value in an object. */
  readonly selectableFields: Readonly<Record<string, (object: KubeObject) => string>>

  /**
   * CRDs only: drops what the structural schema does not know and says what it dropped (`spec.foo`). Built-in objects are
   * checked against their schema by api/codec instead.
   */
  readonly prune?:
    | ((object: KubeObject) => { readonly object: KubeObject; readonly unknown: readonly string[] })
    | undefined
  /** CRDs with several versions: the same object in the version it is stored as, and back. Synchronous: no webhook. */
  readonly storageVersion?: string | undefined
  /** Another face of a kind that is stored: one storage, two groups. Absent on kinds that are stored as they are. */
  readonly storedAs?: StoredAs | undefined
  /**
   * CRDs only: a stored object as a reader sees it, without what the schema of today does not know and with its
   * defaults. Pure, never throws; the same object when nothing changes.
   */
  readonly refresh?: ((object: KubeObject) => KubeObject) | undefined
  /** Objects of an older revision were written under another schema and need `refresh`. */
  readonly refreshBefore?: number | undefined
  /** Fills in what upstream's SetDefaults does. Pure; returns the same object when nothing is missing. */
  readonly defaults: (object: KubeObject) => KubeObject
  /** Upstream's strategy.PrepareForCreate: drops what a client may not set (status, mostly). */
  readonly prepareCreate: (object: KubeObject) => KubeObject
  /** Upstream's strategy.PrepareForUpdate for the object itself: keeps the old status, for example. */
  readonly prepareUpdate: (object: KubeObject, old: KubeObject) => KubeObject
  /** Field errors of a new object; metadata is checked by the caller. */
  readonly validateCreate: (object: KubeObject) => readonly FieldError[]
  /** Field errors of an update, immutable fields included. */
  readonly validateUpdate: (object: KubeObject, old: KubeObject) => readonly FieldError[]
  /** Warnings for the caller's `Warning:` headers. */
  readonly warnings?: ((object: KubeObject, old: KubeObject | undefined) => readonly string[]) | undefined
  /**
   * Seconds of grace that a DELETE gets, or undefined when this kind is deleted at once. Pods: the asked period, else
   * their own; 0 when not bound to a node or already finished.
   */
  readonly gracePeriod?: ((object: KubeObject, askedSeconds: number | undefined) => number) | undefined
  /** Finalizers outside metadata hold it: the namespace's `kubernetes` finalizer lives in spec.finalizers. */
  readonly isHeld?: ((object: KubeObject) => boolean) | undefined
  /** What a DELETE changes besides the deletion timestamp: the namespace's phase becomes Terminating. */
  readonly prepareDelete?: ((object: KubeObject) => KubeObject) | undefined
  /** What an absent propagationPolicy means; Background unless said. */
  readonly defaultPropagation?: 'Background' | 'Orphan' | undefined
  /** A deprecated version's warning. */
  readonly deprecation?: string | undefined
}

/** What a kind is stored as when that is another kind. Both ways are pure and never throw. */
export interface StoredAs {
  readonly group: string
  readonly plural: string
  readonly toStored: (object: KubeObject) => KubeObject
  readonly fromStored: (object: KubeObject) => KubeObject
}

/** A subresource that reads and writes part of its object (`status`, `scale`), or is handled by name elsewhere. */
export interface Subresource {
  readonly name: string
  readonly verbs: readonly ('create' | 'get' | 'patch' | 'update' | 'delete')[]
  /** What it speaks when not the kind itself: `autoscaling/v1 Scale`, `policy/v1 Eviction`. */
  readonly speaks?: { readonly group: string; readonly version: string; readonly kind: string } | undefined
  /** Present on `scale`: dot paths without the leading dot, as in a CRD's subresources.scale. */
  readonly scale?: ScalePaths | undefined
  /** Present on subresources that write the object: takes the part this one may change, keeps all the rest. */
  readonly merge?: ((submitted: KubeObject, old: KubeObject) => KubeObject) | undefined
  /** Metadata that `merge` takes from the old object, `labels` for one; a writer of this part cannot own it. */
  readonly keepsMetadata?: readonly string[] | undefined
  readonly validate?: ((object: KubeObject, old: KubeObject) => readonly FieldError[]) | undefined
}

export interface ScalePaths {
  readonly specReplicas: string
  readonly statusReplicas: string
  readonly labelSelector?: string | undefined
}
