// Makes a Kind out of the little that sets it apart: everything left out gets the rule that most kinds have.
// The contract is kind.ts; what each kind is stands in its own file.

import assert from 'node:assert'
import { createHash } from 'node:crypto'
import type { KubeObject } from '../api/object.ts'
import type { Schema } from '../api/schema.ts'
import type { FieldError } from '../api/status.ts'
import { checkRequiredAndEnums } from './check.ts'
import { ageColumn, ageOf, nameColumn, nameOf } from './columns.ts'
import { schemaOfKind } from './facts/schema.ts'
import { drop, take } from './fill.ts'
import { type Kind, objectVerbs, type ScalePaths, type Subresource } from './kind.ts'

type Filled = 'kind' | 'plural'
type Left = 'status' | 'scale' | 'schema' | 'validateCreate' | 'validateUpdate' | 'subresources'

/** What a kind's file says. Names and scope are a must; the rest has defaults. */
export interface KindDefinition extends Pick<Kind, Filled>, Partial<Omit<Kind, Filled | Left | 'isCustom'>> {
  /** Only for kinds of our own groups, which upstream's facts do not know. */
  readonly schema?: Schema | undefined
  /** Declares the `status` subresource: writes of the object keep the old status, writes of it keep all the rest. */
  readonly status?: StatusRules | undefined
  /** Declares the `scale` subresource. */
  readonly scale?: ScalePaths | undefined
  /** Subresources besides `status` and `scale`. */
  readonly subresources?: readonly Subresource[] | undefined
  /** The kind's own rules for new and changed objects; what the schema requires is added to them. */
  readonly validate?: ((object: KubeObject) => readonly FieldError[]) | undefined
  /**
   * Why an object of this kind has no effect, for the warning that its creator gets. Goes away with the controller,
   * admission plugin or translator that gives it one.
   */
  readonly notEnforced?: string | undefined
  /** Rules for new objects only. */
  readonly validateNew?: ((object: KubeObject) => readonly FieldError[]) | undefined
  /** Rules for changes only: immutable fields. */
  readonly validateChange?: ((object: KubeObject, old: KubeObject) => readonly FieldError[]) | undefined
  /** Required fields that upstream lets through (paths as in errors, without indices). */
  readonly tolerates?: readonly string[] | undefined
}

export interface StatusRules {
  /** Metadata that a status write may not change although most kinds let it: `labels`, `ownerReferences`. */
  readonly keepsMetadata?: readonly string[] | undefined
  /** What a new object's status is. */
  readonly initial?: Readonly<Record<string, unknown>> | undefined
  /** Nodes: a new object may bring its status along. */
  readonly keepsOnCreate?: boolean | undefined
  /** Puts back what a writer of the status may not take away. */
  readonly restore?: ((object: KubeObject, old: KubeObject) => KubeObject) | undefined
  readonly validate?: Subresource['validate']
}

export function defineKind(definition: KindDefinition): Kind {
  const {
    status,
    scale,
    validate,
    notEnforced,
    validateNew,
    validateChange,
    tolerates,
    subresources,
    schema: ownSchema,
    prepareCreate,
    prepareUpdate,
    ...given
  } = definition
  const { group = '', version = 'v1', kind } = given
  // Facts are read when they are first needed: most kinds of a small plane never are.
  const schema = (): Schema => {
    const found = ownSchema ?? schemaOfKind({ group, version, kind })
    assert(found, `facts know no ${group}/${version} ${kind}`)
    return found
  }
  const check = (object: KubeObject): readonly FieldError[] => {
    const own = validate?.(object) ?? []
    return withFloor(own, checkRequiredAndEnums(object, schema()), tolerates)
  }
  const onCreate =
    status === undefined || status.keepsOnCreate === true
      ? same
      : (object: KubeObject) => startStatus(object, status.initial)
  const onUpdate =
    status === undefined ? same : (object: KubeObject, old: KubeObject) => take(object, 'status', old)
  return {
    listKind: `${kind}List`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    isNamespaced: true,
    verbs: objectVerbs,
    storageVersionHash: hashOf(`${group}/${version}/${kind}`),
    nameRule: 'dns-subdomain',
    tracksGeneration: false,
    allowsCreateOnUpdate: false,
    allowsUnconditionalUpdate: true,
    columns: [nameColumn, ageColumn],
    cells: (object, now) => [nameOf(object), ageOf(object, now)],
    selectableFields: {},
    defaults: same,
    ...given,
    ...(notEnforced === undefined ? {} : { warnings: warnNotEnforced(given, notEnforced) }),
    group,
    version,
    isCustom: false,
    get schema() {
      return schema()
    },
    prepareCreate: (object) => prepareCreate?.(onCreate(object)) ?? onCreate(object),
    prepareUpdate: (object, old) => prepareUpdate?.(onUpdate(object, old), old) ?? onUpdate(object, old),
    validateCreate: (object) => [...check(object), ...(validateNew?.(object) ?? [])],
    validateUpdate: (object, old) => [...(validateChange?.(object, old) ?? []), ...check(object)],
    subresources: [
      ...(status === undefined ? [] : [statusSubresource(status)]),
      ...(scale === undefined ? [] : [scaleSubresource(scale)]),
      ...(subresources ?? []),
    ],
  }
}

/** On create only: whoever changes the object has been told. */
function warnNotEnforced(
  { plural, warnings }: Pick<KindDefinition, 'plural' | 'warnings'>,
  why: string,
): Kind['warnings'] {
  return (object, old) => [
    ...(old === undefined ? [`NotEnforcedOnHost: ${plural} are stored, but ${why}`] : []),
    ...(warnings?.(object, old) ?? []),
  ]
}

const same = <T>(object: T): T => object

function startStatus(object: KubeObject, initial: Readonly<Record<string, unknown>> | undefined): KubeObject {
  return initial === undefined ? drop(object, 'status') : { ...object, status: initial }
}

/** The kind's own errors, then those of the schema about fields that the kind said nothing about. */
function withFloor(
  own: readonly FieldError[],
  floor: readonly FieldError[],
  tolerates: readonly string[] = [],
): readonly FieldError[] {
  const isNew = (error: FieldError) =>
    !own.some(({ field }) => field === error.field) &&
    !tolerates.includes(error.field.replaceAll(/\[[^\]]*\]/g, ''))
  const added = floor.filter(isNew)
  return added.length === 0 ? own : [...own, ...added]
}

function statusSubresource({ keepsMetadata = [], restore, validate }: StatusRules): Subresource {
  return {
    name: 'status',
    verbs: ['get', 'patch', 'update'],
    merge: (submitted, old) => {
      const merged = mergeFields(submitted, old, ['status'], keepsMetadata)
      return restore === undefined ? merged : restore(merged, old)
    },
    keepsMetadata,
    validate,
  }
}

/** Metadata that a write of a subresource may change; identity and times never move. */
const changeableMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const

/** The old object with some top-level fields, and the metadata that may move, taken from the submitted one. */
export function mergeFields(
  submitted: KubeObject,
  old: KubeObject,
  fields: readonly string[],
  keepsMetadata: readonly string[] = [],
): KubeObject {
  const moved = changeableMetadata.filter((name) => !keepsMetadata.includes(name))
  const metadata = [...moved, 'managedFields', 'resourceVersion'].reduce(
    (merged, name) => take(merged, name, submitted.metadata),
    old.metadata as Record<string, unknown>,
  )
  return fields.reduce((merged, name) => take(merged, name, submitted), { ...old, metadata } as KubeObject)
}

function scaleSubresource(scale: ScalePaths): Subresource {
  return {
    name: 'scale',
    verbs: ['get', 'patch', 'update'],
    speaks: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    scale,
  }
}

/** Upstream's StorageVersionHash: clients notice by it that a kind is stored in another version. */
function hashOf(groupVersionKind: string): string {
  return createHash('sha256').update(groupVersionKind).digest().subarray(0, 8).toString('base64')
}
