// The names of a CRD: which are needed and how they are written.
// Whether they are free in their group is definition/names.ts's.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { dns1035Label } from '../../api/validate/names.ts'
import { type Fields, textOf, textsOf } from '../../kinds/fields.ts'

export function checkNames(names: Fields, path: string): readonly FieldError[] {
  const kind = textOf(names['kind'])
  const listKind = textOf(names['listKind'])
  return [
    ...['plural', 'singular', 'kind', 'listKind']
      .filter((name) => textOf(names[name]) === '')
      .map((name) => fieldRequired(`${path}.${name}`)),
    ...['plural', 'singular'].flatMap((name) => checkLabel(textOf(names[name]), `${path}.${name}`)),
    ...checkKind(kind, `${path}.kind`),
    ...checkKind(listKind, `${path}.listKind`),
    ...['shortNames', 'categories'].flatMap((name) =>
      textsOf(names[name]).flatMap((text, index) => checkLabel(text, `${path}.${name}[${index}]`, true)),
    ),
    ...(kind !== '' && kind === listKind
      ? [fieldInvalid(`${path}.listKind`, listKind, 'kind and listKind may not be the same')]
      : []),
  ]
}

function checkLabel(text: string, field: string, isNeeded = false): readonly FieldError[] {
  if (text === '' && !isNeeded) return []
  const problems = dns1035Label(text)
  return problems.length === 0 ? [] : [fieldInvalid(field, text, problems.join(','))]
}

function checkKind(kind: string, field: string): readonly FieldError[] {
  const problems = kind === '' ? [] : dns1035Label(kind.toLowerCase())
  if (problems.length === 0) return []
  return [fieldInvalid(field, kind, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
}
