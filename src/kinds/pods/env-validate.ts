// The rules for a container's variables.
// Upstream: ValidateEnv, ValidateEnvFrom.

import { type FieldError, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { checkText } from '../../api/validate/labels.ts'
import {
  configMapKeyRule,
  dnsLabel,
  dnsSubdomain,
  relaxedEnvironmentNameRule,
} from '../../api/validate/names.ts'
import { type Fields, fieldsOf, isPresent, textOf } from '../fields.ts'
import { checkNoBacksteps } from '../rules.ts'
import { checkFieldReference, checkResourceReference, variableFieldPaths } from './downward.ts'

type Errors = readonly FieldError[]

export function checkVariables(variables: readonly Fields[], field: string): Errors {
  return variables.flatMap((variable, index) => {
    const path = `${field}[${index}]`
    const name = textOf(variable['name'])
    return [
      ...(name === ''
        ? [fieldRequired(`${path}.name`)]
        : checkText(relaxedEnvironmentNameRule, name, `${path}.name`)),
      ...(isPresent(variable['valueFrom']) ? checkValueFrom(variable, `${path}.valueFrom`) : []),
    ]
  })
}

const sourceNames = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef']

function checkValueFrom(variable: Fields, path: string): Errors {
  const source = fieldsOf(variable['valueFrom'])
  const given = sourceNames.filter((name) => isPresent(source[name]))
  const errors = given.flatMap((name) => checkSource(name, fieldsOf(source[name]), `${path}.${name}`))
  if (given.length === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'
    return [fieldInvalid(path, '', detail)]
  }
  if (textOf(variable['value']) !== '') {
    return [...errors, fieldInvalid(path, '', 'may not be specified when `value` is not empty')]
  }
  if (given.length === 1) return errors
  return [...errors, fieldInvalid(path, '', 'may not have more than one field specified at a time')]
}

function checkSource(name: string, source: Fields, path: string): Errors {
  switch (name) {
    case 'fieldRef':
      return checkFieldReference(source, variableFieldPaths, path)
    case 'resourceFieldRef':
      return checkResourceReference(source, path, { isVolume: false })
    case 'fileKeyRef':
      return checkFileKey(source, path)
    default:
      return [
        ...checkText(dnsSubdomain, textOf(source['name']), `${path}.name`),
        ...checkKey(textOf(source['key']), path),
      ]
  }
}

function checkKey(key: string, path: string): Errors {
  return key === '' ? [fieldRequired(`${path}.key`)] : checkText(configMapKeyRule, key, `${path}.key`)
}

function checkFileKey(source: Fields, path: string): Errors {
  const key = textOf(source['key'])
  const volume = textOf(source['volumeName'])
  const file = textOf(source['path'])
  return [
    ...(key === ''
      ? [fieldRequired(`${path}.key`)]
      : checkText(relaxedEnvironmentNameRule, key, `${path}.key`)),
    ...(volume === ''
      ? [fieldRequired(`${path}.volumeName`)]
      : checkText(dnsLabel, volume, `${path}.volumeName`)),
    ...(file === '' ? [fieldRequired(`${path}.path`)] : checkNoBacksteps(file, `${path}.path`)),
  ]
}

export function checkVariableSources(sources: readonly Fields[], field: string): Errors {
  return sources.flatMap((source, index) => {
    const path = `${field}[${index}]`
    const prefix = textOf(source['prefix'])
    const given = ['configMapRef', 'secretRef'].filter((name) => isPresent(source[name]))
    const wrong = (detail: string) => [fieldInvalid(field, '', detail)]
    return [
      ...(prefix === '' ? [] : checkText(relaxedEnvironmentNameRule, prefix, `${path}.prefix`)),
      ...given.flatMap((name) => checkReference(fieldsOf(source[name]), `${path}.${name}`)),
      ...(given.length === 0 ? wrong('must specify one of: `configMapRef` or `secretRef`') : []),
      ...(given.length > 1 ? wrong('may not have more than one field specified at a time') : []),
    ]
  })
}

function checkReference(reference: Fields, path: string): Errors {
  const name = textOf(reference['name'])
  return name === '' ? [fieldRequired(`${path}.name`)] : checkText(dnsSubdomain, name, `${path}.name`)
}
