// Reads a stored CustomResourceDefinition: its names, scope and versions, whatever shape it is in.
// What a definition must look like to be stored is definition/check.ts's.

import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionCondition,
  CustomResourceDefinitionNames,
} from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import {
  at,
  type Fields,
  fieldsOf,
  isPresent,
  itemsOf,
  numberOf,
  textOf,
  textsOf,
} from '../../kinds/fields.ts'
import type { ScalePaths } from '../../kinds/kind.ts'

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export interface Names extends CustomResourceDefinitionNames {
  readonly singular: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
}

export interface DefinitionVersion {
  readonly name: string
  readonly isServed: boolean
  readonly isStorage: boolean
  readonly isDeprecated: boolean
  readonly deprecationWarning: string | undefined
  /** As it was written; undefined when there is none. */
  readonly schema: unknown
  readonly hasStatus: boolean
  readonly scale: ScalePaths | undefined
  readonly columns: readonly CustomResourceColumnDefinition[]
  readonly selectableFields: readonly string[]
}

export interface Definition {
  readonly name: string
  readonly group: string
  readonly isNamespaced: boolean
  readonly names: Names
  /** What the names controller gave; empty texts until then. */
  readonly acceptedNames: Names
  readonly versions: readonly DefinitionVersion[]
  readonly storedVersions: readonly string[]
  readonly conditions: readonly CustomResourceDefinitionCondition[]
  readonly isDeleting: boolean
  readonly finalizers: readonly string[]
}

export function readDefinition(object: KubeObject): Definition {
  const spec = fieldsOf(object['spec'])
  const status = fieldsOf(object['status'])
  return {
    name: object.metadata.name ?? '',
    group: textOf(spec['group']),
    isNamespaced: spec['scope'] === 'Namespaced',
    names: readNames(fieldsOf(spec['names'])),
    acceptedNames: readNames(fieldsOf(status['acceptedNames'])),
    versions: itemsOf(spec['versions']).map(readVersion),
    storedVersions: textsOf(status['storedVersions']),
    conditions: itemsOf(status['conditions']) as unknown as readonly CustomResourceDefinitionCondition[],
    isDeleting: object.metadata.deletionTimestamp !== undefined,
    finalizers: object.metadata.finalizers ?? [],
  }
}

function readNames(names: Fields): Names {
  return {
    plural: textOf(names['plural']),
    singular: textOf(names['singular']),
    shortNames: textsOf(names['shortNames']),
    kind: textOf(names['kind']),
    listKind: textOf(names['listKind']),
    categories: textsOf(names['categories']),
  }
}

function readVersion(version: Fields): DefinitionVersion {
  const warning = version['deprecationWarning']
  const schema = at(version, 'schema', 'openAPIV3Schema')
  return {
    name: textOf(version['name']),
    isServed: version['served'] === true,
    isStorage: version['storage'] === true,
    isDeprecated: version['deprecated'] === true,
    deprecationWarning: typeof warning === 'string' ? warning : undefined,
    schema: isPresent(schema) ? schema : undefined,
    hasStatus: isPresent(at(version, 'subresources', 'status')),
    scale: readScale(at(version, 'subresources', 'scale')),
    columns: itemsOf(version['additionalPrinterColumns']).map(readColumn),
    selectableFields: itemsOf(version['selectableFields']).map((field) => textOf(field['jsonPath'])),
  }
}

function readScale(value: unknown): ScalePaths | undefined {
  if (!isPresent(value)) return undefined
  const scale = fieldsOf(value)
  const labelSelector = textOf(scale['labelSelectorPath'])
  return {
    specReplicas: withoutDot(textOf(scale['specReplicasPath'])),
    statusReplicas: withoutDot(textOf(scale['statusReplicasPath'])),
    ...(labelSelector === '' ? {} : { labelSelector: withoutDot(labelSelector) }),
  }
}

function readColumn(column: Fields): CustomResourceColumnDefinition {
  return {
    name: textOf(column['name']),
    type: textOf(column['type']),
    jsonPath: textOf(column['jsonPath']),
    format: textOf(column['format']),
    description: textOf(column['description']),
    priority: numberOf(column['priority']),
  }
}

export const withoutDot = (path: string): string => (path.startsWith('.') ? path.slice(1) : path)

export function isTrue({ conditions }: Pick<Definition, 'conditions'>, type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True')
}
