// Priority classes: a number for pods. Only the operator's policy lets the host see it.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden } from '../../api/status.ts'
import { ageColumn, ageOf, boolean, integer, nameColumn, nameOf, wide } from '../columns.ts'
import { defineKind } from '../define.ts'
import { numberOf, textOf } from '../fields.ts'
import { fill } from '../fill.ts'
import { immutableField } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkWord } from '../rules.ts'

const userPriorityMax = 1_000_000_000
const systemPrefix = 'system-'
/** The only classes with the system's prefix. */
const systemClasses: Readonly<Record<string, number>> = {
  'system-node-critical': 2_000_001_000,
  'system-cluster-critical': 2_000_000_000,
}

export const priorityClass: Kind = defineKind({
  group: 'scheduling.k8s.io',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  notEnforced: 'the scheduler of the host does not know them',
  shortNames: ['pc'],
  isNamespaced: false,
  tracksGeneration: true,
  columns: [nameColumn, integer('Value'), boolean('Global-Default'), ageColumn, wide('PreemptionPolicy')],
  cells: (object, now) => [
    nameOf(object),
    numberOf(object['value']),
    object['globalDefault'] === true,
    ageOf(object, now),
    textOf(object['preemptionPolicy']),
  ],
  defaults: (object) => fill(object, { preemptionPolicy: 'PreemptLowerPriority' }),
  validate: (object) => [
    ...checkValue(object),
    ...checkWord(object['preemptionPolicy'], ['Never', 'PreemptLowerPriority'], 'preemptionPolicy'),
  ],
  validateChange: (object, old) => [
    ...(numberOf(object['value']) === numberOf(old['value'])
      ? []
      : [fieldForbidden('value', 'may not be changed in an update.')]),
    ...immutableField('preemptionPolicy', object['preemptionPolicy'], old['preemptionPolicy']),
  ],
})

function checkValue(object: KubeObject): readonly FieldError[] {
  const name = nameOf(object)
  const value = numberOf(object['value'])
  if (!name.startsWith(systemPrefix)) {
    const detail = `maximum allowed value of a user defined priority is ${userPriorityMax}`
    return value > userPriorityMax ? [fieldForbidden('value', detail)] : []
  }
  const reason = systemProblem(name, value, object['globalDefault'] === true)
  if (reason === undefined) return []
  const detail = `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${reason}`
  return [fieldForbidden('metadata.name', detail)]
}

function systemProblem(name: string, value: number, isDefault: boolean): string | undefined {
  const known = systemClasses[name]
  if (known === undefined) return `${name} is not a known system priority class`
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`
  return isDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}
