// Resource quotas: how much one namespace may use. Admission charges, a controller counts again.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid } from '../../api/status.ts'
import { ageColumn, ageOf, nameColumn, nameOf, text } from '../columns.ts'
import { defineKind } from '../define.ts'
import { at, type Fields, fieldsOf, textsOf } from '../fields.ts'
import { immutableText } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkResourceName, checkResourceQuantity } from '../pods/resources-validate.ts'

type Errors = readonly FieldError[]

const scopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
]

export const resourceQuota: Kind = defineKind({
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  shortNames: ['quota'],
  columns: [nameColumn, text('Request'), text('Limit'), ageColumn],
  cells: (object, now) => [nameOf(object), ...usageCells(fieldsOf(object['status'])), ageOf(object, now)],
  status: { validate: (object) => checkLists(fieldsOf(object['status']), ['hard', 'used'], 'status') },
  validate: (object) => {
    const spec = fieldsOf(object['spec'])
    return [...checkLists(spec, ['hard'], 'spec'), ...checkScopes(textsOf(spec['scopes']))]
  },
  validateChange,
})

function usageCells(status: Fields): readonly [string, string] {
  const hard = fieldsOf(status['hard'])
  const used = fieldsOf(status['used'])
  const texts = Object.keys(hard)
    .sort()
    .map((name) => `${name}: ${String(used[name] ?? '0')}/${String(hard[name])}`)
  const isLimit = (line: string): boolean => line.startsWith('limits.')
  return [texts.filter((line) => !isLimit(line)).join(', '), texts.filter(isLimit).join(', ')]
}

/** `count/deployments.apps` and `gold.storageclass…` are names of the quota's own. */
function checkLists(object: Fields, lists: readonly string[], path: string): Errors {
  return lists.flatMap((list) =>
    Object.entries(fieldsOf(object[list])).flatMap(([name, quantity]) => [
      ...checkResourceName(name, `${path}.${list}[${name}]`),
      ...checkResourceQuantity(name, quantity, `${path}.${list}[${name}]`),
    ]),
  )
}

function checkScopes(given: readonly string[]): Errors {
  return given
    .filter((scope) => !scopes.includes(scope))
    .map(() => fieldInvalid('spec.scopes', given, 'unsupported scope'))
}

function validateChange(object: KubeObject, old: KubeObject): Errors {
  const sorted = (one: KubeObject) =>
    textsOf(at(one, 'spec', 'scopes'))
      .toSorted()
      .join()
  if (sorted(object) === sorted(old)) return []
  return [fieldInvalid('spec.scopes', at(object, 'spec', 'scopes'), immutableText)]
}
