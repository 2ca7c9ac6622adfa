// What a CustomResourceDefinition must look like before it is stored: names, versions, subresources, columns.
// Upstream: apiextensions/validation/validation.go. The schema of a version is check/schema.ts's.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../../api/status.ts'
import { dns1035Label, dnsSubdomain } from '../../api/validate/names.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, listOf, textOf } from '../../kinds/fields.ts'
import { immutableField } from '../../kinds/immutable.ts'
import { sameJson } from '../copy.ts'
import { checkApproval } from './approval.ts'
import { checkNames } from './check-names.ts'
import { checkVersion } from './check-version.ts'
import { isTrue, readDefinition } from './definition.ts'

export function checkDefinition(object: KubeObject): readonly FieldError[] {
  const spec = fieldsOf(object['spec'])
  return [
    ...checkName(object),
    ...checkSpec(spec, undefined),
    ...checkStoredVersions(object),
    ...checkApproval(textOf(spec['group']), object.metadata.annotations, undefined),
  ]
}

export function checkDefinitionUpdate(object: KubeObject, old: KubeObject): readonly FieldError[] {
  const spec = fieldsOf(object['spec'])
  const before = fieldsOf(old['spec'])
  const isEstablished = isTrue(readDefinition(old), 'Established')
  return [
    // Nothing is asked anew of what stays: a definition that came in under older rules can still be deleted.
    ...(sameJson(spec, before) ? [] : checkSpec(spec, before)),
    ...(isEstablished ? immutableField('spec.scope', spec['scope'], before['scope']) : []),
    ...(isEstablished
      ? immutableField('spec.names.kind', at(spec, 'names', 'kind'), at(before, 'names', 'kind'))
      : []),
    ...immutableField('spec.group', spec['group'], before['group']),
    ...immutableField('spec.names.plural', at(spec, 'names', 'plural'), at(before, 'names', 'plural')),
    ...checkStoredVersions(object),
    ...checkApproval(textOf(spec['group']), object.metadata.annotations, {
      annotations: old.metadata.annotations,
    }),
  ]
}

function checkName(object: KubeObject): readonly FieldError[] {
  const { name = '' } = object.metadata
  const wanted = `${textOf(at(object, 'spec', 'names', 'plural'))}.${textOf(at(object, 'spec', 'group'))}`
  if (name === '' || name === wanted) return []
  return [fieldInvalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]
}

function checkSpec(spec: Fields, before: Fields | undefined): readonly FieldError[] {
  const versions = itemsOf(spec['versions'])
  const oldVersions = new Map(
    itemsOf(before?.['versions']).map((version) => [textOf(version['name']), version]),
  )
  return [
    ...checkGroup(textOf(spec['group'])),
    ...checkScope(textOf(spec['scope'])),
    ...versions.flatMap((version, index) =>
      checkVersion(version, `spec.versions[${index}]`, oldVersions.get(textOf(version['name']))),
    ),
    ...checkVersions(versions),
    ...checkNames(fieldsOf(spec['names']), 'spec.names'),
    ...checkConversion(spec, versions),
    ...(spec['preserveUnknownFields'] === true && before?.['preserveUnknownFields'] !== true
      ? [fieldInvalid('spec.preserveUnknownFields', true, preserveText)]
      : []),
  ]
}

const preserveText =
  'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'

function checkGroup(group: string): readonly FieldError[] {
  if (group === '') return [fieldRequired('spec.group')]
  const problems = dnsSubdomain(group)
  if (problems.length > 0) return [fieldInvalid('spec.group', group, problems.join(','))]
  return group.includes('.')
    ? []
    : [fieldInvalid('spec.group', group, 'should be a domain with at least one dot')]
}

function checkScope(scope: string): readonly FieldError[] {
  const scopes = ['Cluster', 'Namespaced']
  if (scope === '') return [fieldRequired('spec.scope')]
  return scopes.includes(scope) ? [] : [fieldNotSupported('spec.scope', scope, scopes)]
}

/** More versions than anybody has; discovery lists each. */
const versionsMax = 100

function checkVersions(versions: readonly Fields[]): readonly FieldError[] {
  const names = versions.map((version) => textOf(version['name']))
  const wrong = (text: string) => fieldInvalid('spec.versions', names, text)
  return [
    ...names.flatMap((name, index) => {
      const problems = dns1035Label(name)
      return problems.length === 0
        ? []
        : [fieldInvalid(`spec.versions[${index}].name`, name, problems.join(','))]
    }),
    ...(new Set(names).size < names.length ? [wrong('must contain unique version names')] : []),
    ...(versions.filter((version) => version['storage'] === true).length === 1
      ? []
      : [wrong('must have exactly one version marked as storage version')]),
    ...(versions.length > versionsMax ? [wrong(`must not have more than ${versionsMax} versions`)] : []),
  ]
}

function checkConversion(spec: Fields, versions: readonly Fields[]): readonly FieldError[] {
  const conversion = spec['conversion']
  if (!isPresent(conversion)) return []
  const strategy = textOf(at(conversion, 'strategy'))
  const field = 'spec.conversion.strategy'
  if (strategy === '') return [fieldRequired(field)]
  // With a single version there is nothing to convert and so nothing to call.
  if (strategy === 'Webhook' && versions.length <= 1) return []
  return strategy === 'None' ? [] : [fieldNotSupported(field, strategy, ['None'])]
}

function checkStoredVersions(object: KubeObject): readonly FieldError[] {
  const field = 'status.storedVersions'
  const { versions, storedVersions } = readDefinition(object)
  if (storedVersions.length === 0)
    return [fieldInvalid(field, listOf(storedVersions), 'must have at least one stored version')]
  const names = versions.map(({ name }) => name)
  const unlisted = versions.filter(({ isStorage, name }) => isStorage && !storedVersions.includes(name))
  return [
    ...unlisted.map(({ name }) =>
      fieldInvalid(field, storedVersions, `must have the storage version ${name}`),
    ),
    ...storedVersions.flatMap((name, index) => {
      if (names.includes(name)) return []
      const text = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
      return [fieldInvalid(`${field}[${index}]`, name, text)]
    }),
  ]
}
