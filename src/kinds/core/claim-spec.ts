// What a claim on storage asks for; stateful sets hold such specs in their templates, too.
// Upstream: ValidatePersistentVolumeClaimSpec.

import type { LabelSelectorObject } from '../../api/select.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../../api/status.ts'
import { checkText, validateLabelSelector } from '../../api/validate/labels.ts'
import { dnsSubdomain } from '../../api/validate/names.ts'
import { amountOf } from '../amounts.ts'
import { at, type Fields, fieldsOf, isPresent, textOf, textsOf } from '../fields.ts'
import { checkRequired, notPositiveText, whenPresent } from '../rules.ts'

type Errors = readonly FieldError[]

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']

export function validateClaimSpec(spec: Fields, path: string): Errors {
  return [
    ...checkAccessModes(textsOf(spec['accessModes']), `${path}.accessModes`),
    ...validateLabelSelector(spec['selector'] as LabelSelectorObject | undefined, `${path}.selector`),
    ...checkStorage(at(spec, 'resources', 'requests', 'storage'), `${path}.resources[storage]`),
    ...['storageClassName', 'volumeAttributesClassName'].flatMap((name) => {
      const value = textOf(spec[name])
      return value === '' ? [] : checkText(dnsSubdomain, value, `${path}.${name}`)
    }),
    ...whenPresent(spec['volumeMode'], () =>
      volumeModes.includes(textOf(spec['volumeMode']))
        ? []
        : [fieldNotSupported(`${path}.volumeMode`, spec['volumeMode'], volumeModes)],
    ),
    ...['dataSource', 'dataSourceRef'].flatMap((name) =>
      whenPresent(spec[name], () => checkSource(fieldsOf(spec[name]), `${path}.${name}`)),
    ),
    ...checkSourcesMatch(spec, path),
  ]
}

export function checkAccessModes(modes: readonly string[], field: string): Errors {
  if (modes.length === 0) return [fieldRequired(field, 'at least 1 access mode is required')]
  const errors = modes
    .filter((mode) => !accessModes.includes(mode))
    .map((mode) => fieldNotSupported(field, mode, accessModes))
  const isMixed = modes.includes('ReadWriteOncePod') && new Set(modes).size > 1
  if (!isMixed) return errors
  return [...errors, fieldForbidden(field, 'may not use ReadWriteOncePod with other access modes')]
}

function checkStorage(quantity: unknown, field: string): Errors {
  if (!isPresent(quantity)) return [fieldRequired(field)]
  return (amountOf(quantity) ?? 0n) > 0n ? [] : [fieldInvalid(field, quantity, notPositiveText)]
}

function checkSource(source: Fields, path: string): Errors {
  const group = textOf(source['apiGroup'])
  const kind = textOf(source['kind'])
  const isOther = group === '' && kind !== 'PersistentVolumeClaim'
  return [
    ...checkRequired(source['name'], `${path}.name`),
    ...checkRequired(kind, `${path}.kind`),
    ...(isOther
      ? [fieldInvalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...(group === '' ? [] : checkText(dnsSubdomain, group, `${path}.apiGroup`)),
  ]
}

function checkSourcesMatch(spec: Fields, path: string): Errors {
  if (!isPresent(spec['dataSource']) || !isPresent(spec['dataSourceRef'])) return []
  const [source, reference] = [fieldsOf(spec['dataSource']), fieldsOf(spec['dataSourceRef'])]
  const shown = `${path}.dataSource`
  if (textOf(reference['namespace']) !== '')
    return [fieldInvalid(path, shown, 'may not be specified when dataSourceRef.namespace is specified')]
  const isSame = ['apiGroup', 'kind', 'name'].every(
    (name) => textOf(source[name]) === textOf(reference[name]),
  )
  return isSame ? [] : [fieldInvalid(path, shown, 'must match dataSourceRef')]
}
