// Adds to the kind CustomResourceDefinition what needs the schema machinery: checks, warnings, and the clean-up.
// The kind itself stands in kinds/, which stands above this room; the catalog puts the two together.

import type { CustomResourceDefinitionCondition } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import type { FieldError } from '../../api/status.ts'
import { at, fieldsOf, isPresent, itemsOf } from '../../kinds/fields.ts'
import type { Kind } from '../../kinds/kind.ts'
import { type Props, readProps, walkProps } from '../check/props.ts'
import { sameJson } from '../copy.ts'
import { isKnownFormat } from '../formats/formats.ts'
import { unenforcedRules } from '../rules/check.ts'
import { rootSchema } from '../structural.ts'
import { checkDefinition, checkShape } from './check.ts'
import { cleanupFinalizer, readDefinition } from './definition.ts'

export const definitionGroup = 'apiextensions.k8s.io'
export const definitionPlural = 'customresourcedefinitions'

/** The same kinds, with the one of CRDs made whole. */
export function withDefinitions(kinds: readonly Kind[]): readonly Kind[] {
  return kinds.map((kind) =>
    kind.group === definitionGroup && kind.plural === definitionPlural ? withDefinitionRules(kind) : kind,
  )
}

export function withDefinitionRules(kind: Kind): Kind {
  return {
    ...kind,
    validateCreate: (object) => validate(object, undefined, () => kind.validateCreate(object)),
    validateUpdate: (object, old) => validate(object, old, () => kind.validateUpdate(object, old)),
    warnings: (object, old) => [...(kind.warnings?.(object, old) ?? []), ...definitionWarnings(object, old)],
    // The first DELETE only marks: instances go first. Upstream: the registry's Delete adds the finalizer.
    isHeld: (object) => !isPresent(object.metadata.deletionTimestamp) || kind.isHeld?.(object) === true,
    prepareDelete: (object) => startCleanup(kind.prepareDelete?.(object) ?? object),
  }
}

/** What was said about a field already is not repeated. */
function validate(
  object: KubeObject,
  old: KubeObject | undefined,
  checkKind: () => readonly FieldError[],
): readonly FieldError[] {
  const shape = checkShape(object, old)
  if (shape.length > 0) return shape
  const first = checkKind()
  const said = new Set(first.map(({ field }) => field))
  return [...first, ...checkDefinition(object, old).filter(({ field }) => !said.has(field))]
}

function startCleanup(object: KubeObject): KubeObject {
  const { finalizers = [], deletionTimestamp } = object.metadata
  if (finalizers.includes(cleanupFinalizer)) return object
  const terminating: CustomResourceDefinitionCondition = {
    type: 'Terminating',
    status: 'True',
    lastTransitionTime: deletionTimestamp,
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
  }
  const conditions = itemsOf(at(object, 'status', 'conditions')).filter(({ type }) => type !== 'Terminating')
  return {
    ...object,
    metadata: { ...object.metadata, finalizers: [...finalizers, cleanupFinalizer] },
    status: { ...fieldsOf(object['status']), conditions: [...conditions, terminating] },
  }
}

/** Unknown formats, and rules beyond the expression language as it is here. */
function definitionWarnings(object: KubeObject, old: KubeObject | undefined): readonly string[] {
  if (old !== undefined && sameJson(object['spec'], old['spec'])) return []
  const before = old === undefined ? [] : schemasOf(old)
  const knownFormats = new Set(before.flatMap(({ props, path }) => oddFormats(props, path)))
  return schemasOf(object).flatMap(({ name, props, path }) => {
    const earlier = before.find((one) => one.name === name)
    return [
      ...oddFormats(props, path)
        .filter((format) => !knownFormats.has(format))
        .map((format) => `unrecognized format ${JSON.stringify(format)}`),
      ...(earlier !== undefined && sameJson(earlier.props, props) ? [] : ruleWarnings(props, path)),
    ]
  })
}

interface VersionSchema {
  readonly name: string
  readonly path: string
  readonly props: Props
}

function schemasOf(object: KubeObject): readonly VersionSchema[] {
  return readDefinition(object).versions.flatMap(({ name, schema }, index) => {
    const path = `spec.versions[${index}].schema.openAPIV3Schema`
    return schema === undefined ? [] : [{ name, path, props: readProps(schema, path).props }]
  })
}

function oddFormats(root: Props, path: string): readonly string[] {
  const formats = [...walkProps(root, path)].flatMap(({ props: { format = '', type = '' } }) =>
    format === '' || isKnownFormat(format, [type]) ? [] : [format],
  )
  return [...new Set(formats)]
}

/** Nothing is said of a schema that is wrong: it is refused. */
function ruleWarnings(root: Props, path: string): readonly string[] {
  return unenforcedRules(rootSchema(root), path).map(
    (place) => `${place} is stored but not enforced by this control plane`,
  )
}
