// The rules for definitions apart from their schemas: names, versions, columns, conversion.
// Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation; paths are those of its internal type.

import type { KubeObject } from '../../api/object.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../../api/status.ts'
import { dns1035Label, dnsSubdomain } from '../../api/validate/names.ts'
import { at, type Fields, fieldsOf, isPresent, itemsOf, listOf, textOf, textsOf } from '../fields.ts'
import { immutableField } from '../immutable.ts'
import { checkWord } from '../rules.ts'

type Errors = readonly FieldError[]

export function validateDefinition(object: KubeObject): Errors {
  const spec = fieldsOf(object['spec'])
  const versions = itemsOf(spec['versions'])
  const wanted = `${textOf(at(spec, 'names', 'plural'))}.${textOf(spec['group'])}`
  const name = object.metadata.name ?? ''
  return [
    ...(name === wanted
      ? []
      : [fieldInvalid('metadata.name', name, 'must be spec.names.plural+"."+spec.group')]),
    ...checkGroup(textOf(spec['group'])),
    ...checkWord(spec['scope'], ['Cluster', 'Namespaced'], 'spec.scope'),
    ...versions.flatMap((version, index) => checkVersion(version, `spec.versions[${index}]`)),
    ...checkVersions(versions),
    ...checkNames(fieldsOf(spec['names'])),
    ...checkConversion(fieldsOf(spec['conversion'])),
    ...checkStored(object, versions),
    ...(spec['preserveUnknownFields'] === true
      ? [
          fieldInvalid(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
    ...checkApproval(object, textOf(spec['group'])),
  ]
}

const joined = (problems: readonly string[]): string => problems.join(',')

function checkGroup(group: string): Errors {
  if (group === '') return [fieldRequired('spec.group')]
  const problems = dnsSubdomain(group)
  if (problems.length > 0) return [fieldInvalid('spec.group', group, joined(problems))]
  if (group.includes('.')) return []
  return [fieldInvalid('spec.group', group, 'should be a domain with at least one dot')]
}

function checkVersion(version: Fields, path: string): Errors {
  const name = textOf(version['name'])
  const problems = dns1035Label(name)
  const errors: FieldError[] = []
  if (!isPresent(at(version, 'schema', 'openAPIV3Schema')))
    errors.push(fieldRequired(`${path}.schema.openAPIV3Schema`))
  if (problems.length > 0) errors.push(fieldInvalid(`${path}.name`, name, joined(problems)))
  const warning = version['deprecationWarning']
  if (isPresent(warning)) errors.push(...checkWarning(textOf(warning), version['deprecated'] === true, path))
  return [
    ...errors,
    ...checkScale(at(version, 'subresources', 'scale'), `${path}.subresources.scale`),
    ...itemsOf(version['additionalPrinterColumns']).flatMap((column, index) =>
      checkColumn(column, `${path}.additionalPrinterColumns[${index}]`),
    ),
  ]
}

const warningCharactersMax = 256

function checkWarning(warning: string, isDeprecated: boolean, path: string): Errors {
  const field = `${path}.deprecationWarning`
  if (!isDeprecated) return [fieldInvalid(field, warning, 'can only be set for deprecated versions')]
  if (warning === '') return [fieldInvalid(field, warning, 'must not be an empty string')]
  if (warning.length <= warningCharactersMax) return []
  return [fieldInvalid(field, warning, `must be <= ${warningCharactersMax} characters long`)]
}

function checkScale(value: unknown, path: string): Errors {
  if (!isPresent(value)) return []
  const scale = fieldsOf(value)
  const checkPath = (name: string, roots: readonly string[], detail: string): Errors => {
    const text = textOf(scale[name])
    const field = `${path}.${name}`
    if (text === '') return name === 'labelSelectorPath' ? [] : [fieldRequired(field)]
    if (!text.startsWith('.'))
      return [fieldInvalid(field, text, 'must be a simple json path starting with .')]
    return roots.some((root) => text.startsWith(root)) ? [] : [fieldInvalid(field, text, detail)]
  }
  return [
    ...checkPath('specReplicasPath', ['.spec.'], 'should be a json path under .spec'),
    ...checkPath('statusReplicasPath', ['.status.'], 'should be a json path under .status'),
    ...checkPath(
      'labelSelectorPath',
      ['.spec.', '.status.'],
      'should be a json path under either .spec or .status',
    ),
  ]
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function checkColumn(column: Fields, path: string): Errors {
  const [type, format, jsonPath] = [
    textOf(column['type']),
    textOf(column['format']),
    textOf(column['jsonPath']),
  ]
  const typeText = `must be one of ${columnTypes.join(',')}`
  const errors: FieldError[] = textOf(column['name']) === '' ? [fieldRequired(`${path}.name`)] : []
  if (type === '') errors.push(fieldRequired(`${path}.type`, typeText))
  else if (!columnTypes.includes(type)) errors.push(fieldInvalid(`${path}.type`, type, typeText))
  if (format !== '' && !columnFormats.includes(format))
    errors.push(fieldInvalid(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`))
  if (jsonPath === '') errors.push(fieldRequired(`${path}.JSONPath`))
  else if (!jsonPath.startsWith('.'))
    errors.push(fieldInvalid(`${path}.JSONPath`, jsonPath, 'must be a simple json path starting with .'))
  return errors
}

function checkVersions(versions: readonly Fields[]): Errors {
  const field = 'spec.versions'
  const names = new Set(versions.map((version) => textOf(version['name'])))
  const errors: FieldError[] = []
  if (names.size < versions.length)
    errors.push(fieldInvalid(field, versions, 'must contain unique version names'))
  if (versions.filter((version) => version['storage'] === true).length !== 1)
    errors.push(fieldInvalid(field, versions, 'must have exactly one version marked as storage version'))
  return errors
}

function checkNames(names: Fields): Errors {
  const required = ['plural', 'singular', 'kind', 'listKind']
  const errors: FieldError[] = required
    .filter((name) => textOf(names[name]) === '')
    .map((name) => fieldRequired(`spec.names.${name}`))
  for (const name of required) {
    const value = textOf(names[name])
    const isKind = name === 'kind' || name === 'listKind'
    const problems = value === '' ? [] : dns1035Label(isKind ? value.toLowerCase() : value)
    const prefix = isKind ? 'may have mixed case, but should otherwise match: ' : ''
    if (problems.length > 0) errors.push(fieldInvalid(`spec.names.${name}`, value, prefix + joined(problems)))
  }
  const checkList = (list: string) =>
    textsOf(names[list]).forEach((value, index) => {
      const problems = dns1035Label(value)
      if (problems.length > 0)
        errors.push(fieldInvalid(`spec.names.${list}[${index}]`, value, joined(problems)))
    })
  checkList('shortNames')
  const kind = textOf(names['kind'])
  if (kind !== '' && kind === names['listKind'])
    errors.push(fieldInvalid('spec.names.listKind', kind, 'kind and listKind may not be the same'))
  checkList('categories')
  return errors
}

const reviewVersions = ['v1', 'v1beta1']

function checkConversion(conversion: Fields): Errors {
  const path = 'spec.conversion'
  const errors: FieldError[] = [...checkWord(conversion['strategy'], ['None', 'Webhook'], `${path}.strategy`)]
  const webhook = fieldsOf(conversion['webhook'])
  const versions = textsOf(webhook['conversionReviewVersions'])
  const config = webhook['clientConfig']
  const detail = 'should not be set when strategy is not set to Webhook'
  if (conversion['strategy'] !== 'Webhook') {
    if (isPresent(config)) errors.push(fieldForbidden(`${path}.webhookClientConfig`, detail))
    if (versions.length > 0) errors.push(fieldForbidden(`${path}.conversionReviewVersions`, detail))
    return errors
  }
  if (!isPresent(config))
    errors.push(fieldRequired(`${path}.webhookClientConfig`, 'required when strategy is set to Webhook'))
  else if (isPresent(at(config, 'url')) === isPresent(at(config, 'service')))
    errors.push(fieldRequired(`${path}.webhookClientConfig`, 'exactly one of url or service is required'))
  if (versions.length === 0) errors.push(fieldRequired(`${path}.conversionReviewVersions`))
  else if (!versions.some((version) => reviewVersions.includes(version))) {
    const text = `must include at least one of ${reviewVersions.join(', ')}`
    errors.push(fieldInvalid(`${path}.conversionReviewVersions`, versions, text))
  }
  return errors
}

function checkStored(object: KubeObject, versions: readonly Fields[]): Errors {
  const field = 'status.storedVersions'
  const stored = textsOf(at(object, 'status', 'storedVersions'))
  if (listOf(stored).length === 0) return [fieldInvalid(field, null, 'must have at least one stored version')]
  return stored.flatMap((name, index) => {
    if (versions.some((version) => version['name'] === name)) return []
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    return [fieldInvalid(`${field}[${index}]`, name, detail)]
  })
}

const approval = 'api-approved.kubernetes.io'

/** Groups of the Kubernetes community need somebody's word that their API was reviewed. */
function checkApproval(object: KubeObject, group: string): Errors {
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(group)
  if (!isProtected) return []
  const field = `metadata.annotations[${approval}]`
  const annotation = object.metadata.annotations?.[approval] ?? ''
  const text = `protected groups must have approval annotation "${approval}"`
  const link = 'see https://github.com/kubernetes/enhancements/pull/1111'
  if (annotation === '') return [fieldRequired(field, `${text}, ${link}`)]
  if (annotation.startsWith('unapproved') || URL.canParse(annotation)) return []
  return [
    fieldInvalid(
      field,
      annotation,
      `${text} with either a URL or a reason starting with "unapproved", ${link}`,
    ),
  ]
}

export function validateDefinitionChange(object: KubeObject, old: KubeObject): Errors {
  const isEstablished = itemsOf(at(old, 'status', 'conditions')).some(
    (condition) => condition['type'] === 'Established' && condition['status'] === 'True',
  )
  const fixed = (path: readonly string[]): Errors =>
    immutableField(`spec.${path.join('.')}`, at(object, 'spec', ...path), at(old, 'spec', ...path))
  return [
    ...(isEstablished ? [...fixed(['scope']), ...fixed(['names', 'kind'])] : []),
    ...fixed(['group']),
    ...fixed(['names', 'plural']),
  ]
}
