// What both bindings share: a role that never changes, and the subjects that get it.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import type { Column } from '../../api/table.ts'
import { checkText } from '../../api/validate/labels.ts'
import { dnsSubdomain, pathSegment } from '../../api/validate/names.ts'
import { ageColumn, ageOf, type Cell, nameColumn, nameOf, text, wide } from '../columns.ts'
import { at, type Fields, fieldsOf, isEqual, itemsOf, textOf } from '../fields.ts'
import { each, fill, set } from '../fill.ts'

type Errors = readonly FieldError[]

const group = 'rbac.authorization.k8s.io'

export const bindingColumns: readonly Column[] = [
  nameColumn,
  text('Role'),
  ageColumn,
  wide('Users'),
  wide('Groups'),
  wide('ServiceAccounts'),
]

export function bindingCells(binding: KubeObject, now: number): readonly Cell[] {
  const subjects = itemsOf(binding['subjects'])
  const named = (kind: string) => subjects.filter((subject) => subject['kind'] === kind)
  const names = (kind: string) => named(kind).map((subject) => textOf(subject['name']))
  const accounts = named('ServiceAccount').map(
    (subject) => `${textOf(subject['namespace'])}/${textOf(subject['name'])}`,
  )
  return [
    nameOf(binding),
    `${textOf(at(binding, 'roleRef', 'kind'))}/${textOf(at(binding, 'roleRef', 'name'))}`,
    ageOf(binding, now),
    names('User').join(', '),
    names('Group').join(', '),
    accounts.join(', '),
  ]
}

export function defaultBinding(binding: KubeObject): KubeObject {
  const named = set(binding, 'roleRef', fill(fieldsOf(binding['roleRef']), { apiGroup: group }))
  return each(named, 'subjects', (subject) =>
    subject['kind'] === 'User' || subject['kind'] === 'Group' ? fill(subject, { apiGroup: group }) : subject,
  )
}

export function validateBinding(
  binding: KubeObject,
  { roleKinds, isNamespaced }: { readonly roleKinds: readonly string[]; readonly isNamespaced: boolean },
): Errors {
  const reference = fieldsOf(binding['roleRef'])
  const [kind, name] = [textOf(reference['kind']), textOf(reference['name'])]
  const apiGroup = textOf(reference['apiGroup'])
  return [
    ...(apiGroup === group ? [] : [fieldNotSupported('roleRef.apiGroup', apiGroup, [group])]),
    ...(roleKinds.includes(kind) ? [] : [fieldNotSupported('roleRef.kind', kind, roleKinds)]),
    ...(name === '' ? [fieldRequired('roleRef.name')] : checkText(pathSegment, name, 'roleRef.name')),
    ...itemsOf(binding['subjects']).flatMap((subject, index) =>
      checkSubject(subject, `subjects[${index}]`, isNamespaced),
    ),
  ]
}

function checkSubject(subject: Fields, path: string, isNamespaced: boolean): Errors {
  const [kind, name] = [textOf(subject['kind']), textOf(subject['name'])]
  const apiGroup = textOf(subject['apiGroup'])
  const kinds = ['Group', 'ServiceAccount', 'User']
  const errors: FieldError[] = name === '' ? [fieldRequired(`${path}.name`)] : []
  if (!kinds.includes(kind)) return [...errors, fieldNotSupported(`${path}.kind`, kind, kinds)]
  if (kind !== 'ServiceAccount') {
    if (apiGroup !== group) errors.push(fieldNotSupported(`${path}.apiGroup`, apiGroup, [group]))
    return errors
  }
  if (name !== '') errors.push(...checkText(dnsSubdomain, name, `${path}.name`))
  if (apiGroup !== '') errors.push(fieldNotSupported(`${path}.apiGroup`, apiGroup, ['']))
  if (!isNamespaced && textOf(subject['namespace']) === '') errors.push(fieldRequired(`${path}.namespace`))
  return errors
}

/** Another role means another binding: who may bind was asked for this one. */
export function validateBindingChange(binding: KubeObject, old: KubeObject): Errors {
  if (isEqual(binding['roleRef'], old['roleRef'])) return []
  return [fieldInvalid('roleRef', binding['roleRef'], 'cannot change roleRef')]
}
