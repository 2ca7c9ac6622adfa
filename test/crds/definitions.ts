// Definitions that the tests of crds use: the kind itself, and CRDs in the style of well-known operators.
// What they are expected to do stands in the tests.

import type { KubeObject } from '../../src/api/object.ts'
import { withDefinitionRules } from '../../src/crds/definition/rules.ts'
import { kindsOfDefinition } from '../../src/crds/kind.ts'
import { customResourceDefinition } from '../../src/kinds/apiextensions/custom-resource-definition.ts'
import type { Kind } from '../../src/kinds/kind.ts'

type Json = Readonly<Record<string, unknown>>

export const definitionKind: Kind = withDefinitionRules(customResourceDefinition)

export interface Wanted {
  readonly group?: string
  readonly kind?: string
  readonly plural?: string
  readonly scope?: string
  readonly spec?: Json
  readonly status?: Json
  readonly versions?: readonly Json[]
  readonly metadata?: Json
}

/** A CRD as a user writes it; `version` makes its parts. */
export function definition(wanted: Wanted = {}): KubeObject {
  const { group = 'example.com', kind = 'Widget', plural = 'widgets', scope = 'Namespaced' } = wanted
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, ...wanted.metadata },
    spec: {
      group,
      scope,
      names: { plural, kind },
      versions: wanted.versions ?? [version({ type: 'object' })],
      ...wanted.spec,
    },
    ...(wanted.status === undefined ? {} : { status: wanted.status }),
  }
}

export function version(openAPIV3Schema: Json, rest: Json = {}): Json {
  return { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema }, ...rest }
}

/** As the server stores a new one. */
export function stored(object: KubeObject): KubeObject {
  return definitionKind.defaults(definitionKind.prepareCreate(object))
}

/** The first kind of a definition whose spec has this schema. */
export function widgetKind(spec: Json, rest: Json = {}, root: Json = {}): Kind {
  const schema = { type: 'object', properties: { spec }, ...root }
  const [kind] = kindsOfDefinition(stored(definition({ versions: [version(schema, rest)] })))
  if (kind === undefined) throw new Error('no version is served')
  return kind
}

export function widget(spec: unknown, rest: Json = {}): KubeObject {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'first', namespace: 'default' },
    spec,
    ...rest,
  }
}

/** `field: message` of each error of a definition. */
export function problemsOf(object: KubeObject): readonly string[] {
  return definitionKind.validateCreate(stored(object)).map(({ field, message }) => `${field}: ${message}`)
}
