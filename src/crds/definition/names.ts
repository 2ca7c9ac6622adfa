// Whether the names that a CRD asks for are free in its group, and what its conditions say about it.
// Upstream: apiextensions-apiserver/pkg/controller/status/naming_controller.go. Writing them is a controller's.

import type { CustomResourceDefinitionCondition } from '../../api/models.ts'
import type { KubeObject } from '../../api/object.ts'
import { sameJson } from '../copy.ts'
import { type Definition, type Names, readDefinition } from './definition.ts'

export interface NamesDecision {
  readonly acceptedNames: Names
  readonly namesAccepted: CustomResourceDefinitionCondition
  readonly established: CustomResourceDefinitionCondition
}

interface Taken {
  readonly resources: ReadonlySet<string>
  readonly kinds: ReadonlySet<string>
}

/** `others` are all CRDs; those of other groups, and the one itself, do not count. */
export function decideNames(object: KubeObject, others: readonly KubeObject[]): NamesDecision {
  const definition = readDefinition(object)
  const { names, acceptedNames } = definition
  const taken = takenBy(others.map(readDefinition), definition)
  const check = (
    field: keyof Names,
    reason: string,
    wanted: string,
    own: string,
    set: ReadonlySet<string>,
  ) => (wanted === own || !set.has(wanted) ? undefined : { field, reason, message: inUse(wanted) })
  const clashes = [
    check('plural', 'PluralConflict', names.plural, acceptedNames.plural, taken.resources),
    check('singular', 'SingularConflict', names.singular, acceptedNames.singular, taken.resources),
    shortNamesClash(names, acceptedNames, taken),
    check('kind', 'KindConflict', names.kind, acceptedNames.kind, taken.kinds),
    check('listKind', 'ListKindConflict', names.listKind, acceptedNames.listKind, taken.kinds),
  ].filter((clash) => clash !== undefined)
  const kept = Object.fromEntries(clashes.map(({ field }) => [field, acceptedNames[field]]))
  const namesAccepted = acceptedCondition(clashes.at(-1))
  return {
    acceptedNames: { ...names, ...kept },
    namesAccepted,
    established: establishedCondition(definition, namesAccepted.status === 'True'),
  }
}

const inUse = (name: string): string => `${JSON.stringify(name)} is already in use`

function takenBy(definitions: readonly Definition[], { name, group }: Definition): Taken {
  const others = definitions.filter((other) => other.group === group && other.name !== name)
  return {
    resources: new Set(
      others.flatMap(({ acceptedNames }) => [
        acceptedNames.plural,
        acceptedNames.singular,
        ...acceptedNames.shortNames,
      ]),
    ),
    kinds: new Set(others.flatMap(({ acceptedNames }) => [acceptedNames.kind, acceptedNames.listKind])),
  }
}

interface Clash {
  readonly field: keyof Names
  readonly reason: string
  readonly message: string
}

function shortNamesClash(names: Names, acceptedNames: Names, { resources }: Taken): Clash | undefined {
  const fresh = names.shortNames.filter((name) => !acceptedNames.shortNames.includes(name))
  const texts = fresh.filter((name) => resources.has(name)).map(inUse)
  if (texts.length === 0) return undefined
  const message = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
  return { field: 'shortNames', reason: 'ShortNamesConflict', message }
}

function acceptedCondition(clash: Clash | undefined): CustomResourceDefinitionCondition {
  const type = 'NamesAccepted'
  if (clash === undefined)
    return { type, status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  return { type, status: 'False', reason: clash.reason, message: clash.message }
}

/** Once established always established: the accepted names go on being served. */
function establishedCondition(
  { conditions }: Definition,
  areNamesAccepted: boolean,
): CustomResourceDefinitionCondition {
  const type = 'Established'
  const before = conditions.find((condition) => condition.type === type)
  if (before?.status === 'True') return before
  if (areNamesAccepted)
    return {
      type,
      status: 'True',
      reason: 'InitialNamesAccepted',
      message: 'the initial names have been accepted',
    }
  return before ?? { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
}

/** The conditions with one replaced or added; its time moves when its status does. */
export function withCondition(
  conditions: readonly CustomResourceDefinitionCondition[],
  next: CustomResourceDefinitionCondition,
  now: string,
): readonly CustomResourceDefinitionCondition[] {
  const before = conditions.find(({ type }) => type === next.type)
  const lastTransitionTime = before?.status === next.status ? (before.lastTransitionTime ?? now) : now
  const whole = { ...next, lastTransitionTime }
  if (before === undefined) return [...conditions, whole]
  if (sameJson(before, whole)) return conditions
  return conditions.map((condition) => (condition.type === next.type ? whole : condition))
}
