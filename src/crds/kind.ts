// Turns a CustomResourceDefinition into kinds, one for each version that it serves.
// When they are served is catalog/custom.ts's; what a definition must look like is definition/check.ts's.

import { createHash } from 'node:crypto'
import type { KubeObject } from '../api/object.ts'
import type { Schema } from '../api/schema.ts'
import { ApiError, badRequest, type FieldError } from '../api/status.ts'
import { mergeFields } from '../kinds/define.ts'
import { drop, take } from '../kinds/fill.ts'
import { type Kind, objectVerbs, type Subresource } from '../kinds/kind.ts'
import { readProps } from './check/props.ts'
import { tableColumns } from './columns.ts'
import { applyDefaults } from './default.ts'
import {
  type Definition,
  type DefinitionVersion,
  isTrue,
  readDefinition,
  withoutDot,
} from './definition/definition.ts'
import { compareVersions } from './definition/versions.ts'
import { coerceEmbedded, coerceMeta, validateEmbedded } from './embedded.ts'
import { valueAt } from './json-path.ts'
import { validateListTypes } from './list-types.ts'
import { pruneNulls, pruneRoot } from './prune.ts'
import { addRuleErrors } from './rules/evaluate.ts'
import { checkScale, checkScaleStatus } from './scale.ts'
import { rootSchema } from './structural.ts'
import { validateSchema } from './validate.ts'

/** One kind a served version, under the names that were accepted; empty when no version is served. */
export function kindsOfDefinition(object: KubeObject): readonly Kind[] {
  const definition = readDefinition(object)
  const revision = Number(object.metadata.resourceVersion ?? 0)
  return reachableVersions(definition).map((version) => kindOf(definition, version, revision))
}

/** The served ones. When a definition goes that serves none, its instances are reached as they are stored. */
export function reachableVersions(definition: Definition): readonly DefinitionVersion[] {
  const served = definition.versions.filter(({ isServed }) => isServed)
  if (served.length > 0 || !isTrue(definition, 'Terminating')) return served
  return definition.versions.filter(({ isStorage }) => isStorage)
}

function kindOf(definition: Definition, version: DefinitionVersion, revision: number): Kind {
  const { group, isNamespaced } = definition
  const names = namesOf(definition)
  const storage = definition.versions.find(({ isStorage }) => isStorage)?.name ?? version.name
  const schema = lazySchema(version.schema)
  const deprecation = deprecationOf(definition, version)
  return {
    group,
    version: version.name,
    ...names,
    isNamespaced,
    // Nothing new while its instances are removed; they can still be changed, so that finalizers can go.
    verbs: isTrue(definition, 'Terminating') ? objectVerbs.filter((verb) => verb !== 'create') : objectVerbs,
    storageVersion: storage,
    storageVersionHash: hashOf(`${group}/${storage}/${names.kind}`),
    nameRule: 'dns-subdomain',
    tracksGeneration: true,
    allowsCreateOnUpdate: false,
    allowsUnconditionalUpdate: false,
    isCustom: true,
    ...tableColumns(version.columns),
    selectableFields: selectableFields(version),
    get schema() {
      return schema()
    },
    prune: (object) => prune(object, schema(), { group, version: version.name, kind: names.kind }),
    refreshBefore: revision,
    refresh: (object) => refresh(object, schema()),
    ...rulesOf(version, schema),
    ...(deprecation === undefined ? {} : { deprecation }),
  }
}

function namesOf({
  names,
  acceptedNames,
}: Definition): Pick<Kind, 'kind' | 'listKind' | 'plural' | 'singular' | 'shortNames' | 'categories'> {
  const accepted = acceptedNames.plural === '' ? names : acceptedNames
  const { kind, plural, singular, shortNames, categories } = accepted
  return { kind, listKind: accepted.listKind || `${kind}List`, plural, singular, shortNames, categories }
}

type Rules = Pick<
  Kind,
  'defaults' | 'prepareCreate' | 'prepareUpdate' | 'validateCreate' | 'validateUpdate' | 'subresources'
>

interface Identity {
  readonly group: string
  readonly version: string
  readonly kind: string
}

function rulesOf(version: DefinitionVersion, schema: () => Schema): Rules {
  const { hasStatus, scale } = version
  const check = (object: KubeObject, old: KubeObject | undefined): readonly FieldError[] => [
    ...validateSchema(object, schema(), old === undefined ? {} : { old: { value: old } }),
    ...(scale === undefined ? [] : [...checkScale(object, scale), ...checkScaleStatus(object, scale)]),
    ...validateEmbedded(object, schema()),
    // An update may leave as it was what was wrong before.
    ...(old !== undefined && validateListTypes(old, schema()).length > 0
      ? []
      : validateListTypes(object, schema())),
  ]
  const validate = (object: KubeObject, old: KubeObject | undefined): readonly FieldError[] =>
    addRuleErrors(check(object, old), object, { schema: schema(), old: old && { value: old } })
  return {
    defaults: (object) => applyDefaults(object, schema()) as KubeObject,
    prepareCreate: (object) => (hasStatus ? drop(object, 'status') : object),
    prepareUpdate: (object, old) => (hasStatus ? take(object, 'status', old) : object),
    validateCreate: (object) => validate(object, undefined),
    validateUpdate: validate,
    subresources: [
      ...(hasStatus ? [statusSubresource(schema, scale)] : []),
      ...(scale === undefined ? [] : [scaleSubresource(scale)]),
    ],
  }
}

/** Made when it is first needed: at a restart most definitions are only listed. */
function lazySchema(raw: unknown): () => Schema {
  let source = raw
  let made: Schema | undefined
  return () => {
    if (made !== undefined) return made
    // Without a schema nothing is known and everything kept; only definitions of old API versions had none.
    const written = source ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    made = rootSchema(readProps(written, 'openAPIV3Schema').props)
    source = undefined
    return made
  }
}

function prune(
  object: KubeObject,
  schema: Schema,
  { group, version, kind }: Identity,
): { readonly object: KubeObject; readonly unknown: readonly string[] } {
  if (object.kind !== undefined && typeof object.kind !== 'string') throw badRequest('kind: must be a string')
  const inMeta: string[] = []
  const pruned: string[] = []
  const embedded: string[] = []
  try {
    const metadata = coerceMeta(object.metadata, 'metadata', (path) => inMeta.push(path))
    const known = pruneNulls(
      pruneRoot(object, schema, (path) => pruned.push(path)),
      schema,
    )
    const whole = coerceEmbedded(known, schema, '', (path) => embedded.push(path)) as KubeObject
    const next = metadata === whole.metadata ? whole : ({ ...whole, metadata } as KubeObject)
    return { object: next, unknown: [...inMeta, ...pruned.sort(), ...embedded.sort()] }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const where = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}.${group}`
    throw badRequest(`${where}: ${error.message}`)
  }
}

/** As on the way in, without the metadata: that was right when it was stored. */
function refresh(object: KubeObject, schema: Schema): KubeObject {
  const known = pruneNulls(pruneRoot(object, schema, ignore), schema)
  return applyDefaults(known, schema) as KubeObject
}

const ignore = (): void => undefined

/** Nothing but the status moves, not even labels. */
const keptMetadata = ['labels', 'annotations', 'finalizers', 'ownerReferences']

function statusSubresource(schema: () => Schema, scale: DefinitionVersion['scale']): Subresource {
  return {
    name: 'status',
    verbs: ['get', 'patch', 'update'],
    merge: (submitted, old) => mergeFields(submitted, old, ['status'], keptMetadata),
    validate: (object, old) => {
      const { status } = object
      const part = schema().properties?.get('status')
      const before = 'status' in old ? { old: { value: old['status'] } } : {}
      const wrongLists = validateListTypes(object, schema())
      const errors = [
        ...(status === undefined || part === undefined
          ? []
          : validateSchema(status, part, { ...before, base: 'status' })),
        ...(scale === undefined ? [] : checkScaleStatus(object, scale)),
        ...(wrongLists.length > 0 && validateListTypes(old, schema()).length === 0 ? wrongLists : []),
      ]
      return addRuleErrors(errors, object, { schema: schema(), old: { value: old } })
    },
  }
}

function scaleSubresource(scale: NonNullable<DefinitionVersion['scale']>): Subresource {
  return {
    name: 'scale',
    verbs: ['get', 'patch', 'update'],
    speaks: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    scale,
  }
}

function selectableFields({ selectableFields: paths }: DefinitionVersion): Kind['selectableFields'] {
  return Object.fromEntries(
    paths.map((path) => {
      const label = withoutDot(path)
      const steps = label.split('.')
      return [label, (object: KubeObject) => String(valueAt(object, steps) ?? '')]
    }),
  )
}

function deprecationOf(
  { group, names, versions }: Definition,
  version: DefinitionVersion,
): string | undefined {
  if (!version.isDeprecated) return undefined
  if (version.deprecationWarning !== undefined) return version.deprecationWarning
  const text = `${group}/${version.name} ${names.kind} is deprecated`
  const [better] = versions
    .filter(
      ({ isServed, isDeprecated, name }) =>
        isServed && !isDeprecated && compareVersions(version.name, name) < 0,
    )
    .sort((left, right) => compareVersions(right.name, left.name))
  return better === undefined ? text : `${text}; use ${group}/${better.name} ${names.kind}`
}

/** As for built-in kinds. */
function hashOf(groupVersionKind: string): string {
  return createHash('sha256').update(groupVersionKind).digest().subarray(0, 8).toString('base64')
}
